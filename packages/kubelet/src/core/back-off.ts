/**
 * Waiting times that double: between restarts of a container, between pulls of an image.
 *
 * Units  ms. A key that had peace for twice the maximum starts over at the beginning.
 * Source k8s.io/client-go/util/flowcontrol/backoff.go
 */
export interface BackOffState {
  delayMs: number;
  updatedAtMs: number;
}

export class BackOff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, BackOffState>();

  constructor(initialMs: number, maxMs: number) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  #expired(eventMs: number, entry: BackOffState): boolean {
    return eventMs - entry.updatedAtMs > this.#maxMs * 2;
  }

  /** The delay now in force; 0 when there is none. */
  get(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0;
  }

  /** Note another failure: the delay doubles. */
  next(key: string, eventMs: number, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(eventMs, entry)) {
      this.#entries.set(key, { delayMs: this.#initialMs, updatedAtMs: nowMs });
      return;
    }
    entry.delayMs = Math.min(entry.delayMs * 2, this.#maxMs);
    entry.updatedAtMs = nowMs;
  }

  /** Milliseconds still to wait since the event; 0 when the time is over. */
  remainingSince(key: string, eventMs: number, nowMs: number): number {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(eventMs, entry)) return 0;
    return Math.max(0, eventMs + entry.delayMs - nowMs);
  }

  /** Milliseconds still to wait since the last failure that was noted. */
  remainingSinceUpdate(key: string, nowMs: number): number {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#expired(nowMs, entry)) return 0;
    return Math.max(0, entry.updatedAtMs + entry.delayMs - nowMs);
  }

  /** Forget every key for which `owns` holds (the pod is gone). */
  forget(owns: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (owns(key)) this.#entries.delete(key);
  }
}
