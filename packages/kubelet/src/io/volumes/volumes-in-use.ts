/**
 * Volumes that pods of this node have, or wait for: what the attach-detach controller must not take
 * away. Told in the node's status.
 */
export class VolumesInUse {
  /** Pods by volume. */
  readonly #users = new Map<string, Set<string>>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  list(): string[] {
    return [...this.#users.keys()].sort();
  }

  use(unique: string, uid: string): void {
    const users = this.#users.get(unique);
    if (users !== undefined) {
      users.add(uid);
      return;
    }
    this.#users.set(unique, new Set([uid]));
    this.#onChange();
  }

  /** The pod is gone: also one that waited for its volume in vain. */
  release(uid: string): void {
    for (const [unique, users] of this.#users) {
      if (!users.delete(uid) || users.size > 0) continue;
      this.#users.delete(unique);
      this.#onChange();
    }
  }
}
