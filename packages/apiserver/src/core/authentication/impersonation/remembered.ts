/**
 * Who was lately found to be allowed: answers that hold for a short while.
 *
 * Units   milliseconds of the clock
 * Source  apiserver pkg/endpoints/filters/impersonation/cache.go
 */
import type { Clock } from "@nanokube/machinery";

/** As long as a token that was found good. */
const keptMs = 10_000;

export class Remembered<T> {
  readonly #clock: Clock;
  /** All are kept equally long, so that the oldest come first. */
  readonly #entries = new Map<string, { value: T; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > this.#clock.monotonic() ? entry.value : undefined;
  }

  set(key: string, value: T): void {
    const nowMs = this.#clock.monotonic();
    for (const [old, { untilMs }] of this.#entries) {
      if (untilMs > nowMs) break;
      this.#entries.delete(old);
    }
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + keptMs });
  }
}

/** Of as many callers as most clusters have. */
const callersMax = 10_000;

/** Which way succeeded last for a caller: it is likely to succeed again. */
export class LastWay {
  readonly #indexes = new Map<string, number>();

  get(caller: string): number | undefined {
    const index = this.#indexes.get(caller);
    if (index !== undefined) this.set(caller, index);
    return index;
  }

  set(caller: string, index: number): void {
    this.#indexes.delete(caller);
    this.#indexes.set(caller, index);
    if (this.#indexes.size <= callersMax) return;
    const { value: oldest } = this.#indexes.keys().next();
    this.#indexes.delete(oldest!);
  }
}
