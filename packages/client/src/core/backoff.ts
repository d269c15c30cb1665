/**
 * Exponential back-off with jitter, which forgets after a quiet time.
 *
 * Units   all in milliseconds; `jitter` 1 means that a delay is lengthened by up to its own length
 * Source  client-go tools/cache/reflector.go: 800 ms … 30 s, factor 2, jitter 1, reset
 *         after 2 minutes
 */
import type { Clock, Random } from "@nanokube/machinery";

export interface BackoffOptions {
  clock: Clock;
  random: Random;
  initialMs?: number;
  maxMs?: number;
  factor?: number;
  jitter?: number;
  resetMs?: number;
}

export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #delayMs: number;
  #usedAt = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = {
      initialMs: 800,
      maxMs: 30_000,
      factor: 2,
      jitter: 1,
      resetMs: 120_000,
      ...options,
    };
    this.#delayMs = this.#options.initialMs;
  }

  /** How long to wait this time. */
  next(): number {
    const { clock, random, initialMs, maxMs, factor, jitter, resetMs } = this.#options;
    const now = clock.monotonic();
    if (now - this.#usedAt > resetMs) this.#delayMs = initialMs;
    this.#usedAt = now;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * factor, maxMs);
    return delayMs * (1 + random.next() * jitter);
  }
}
