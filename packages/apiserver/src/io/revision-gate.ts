/** Who waits for the caches to reach a revision? A counter that only grows, and its waiters. */
import type { Clock } from "@nanokube/machinery";

interface Waiter {
  revision: number;
  resolve: () => void;
}

export class RevisionGate {
  #revision = 0;
  #waiters: Waiter[] = [];

  get revision(): number {
    return this.#revision;
  }

  advance(revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of waiters) if (waiter.revision <= revision) waiter.resolve();
  }

  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ revision, resolve });
    });
  }

  /** False when it was not reached in time. */
  async reachedWithin(revision: number, timeoutMs: number, clock: Clock): Promise<boolean> {
    let timer: ReturnType<Clock["setTimeout"]> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = clock.setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await Promise.race([this.reached(revision).then(() => true), late]);
    } finally {
      if (timer !== undefined) clock.clearTimeout(timer);
    }
  }

  close(): void {
    this.#waiters = [];
  }
}
