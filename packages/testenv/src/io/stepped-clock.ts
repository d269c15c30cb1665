/**
 * A fake clock whose steps wait for what they set off: writes, watch events, reconciles.
 *
 * A plain FakeClock fires what is due and lets promises settle once. Behind an API one timer leads
 * to a request, its event to the next, and that to new timers; so a step stops at each due time
 * until the traffic has come to rest.
 */
import type { Clock, FakeClock, TimerHandle } from "@nanokube/machinery";

/** What `env.clock` is; `step` only exists on environments that were started with a fake clock. */
export interface SteppedClock extends Clock {
  step(ms: number): Promise<void>;
}

export class RecordingClock implements SteppedClock {
  readonly #inner: FakeClock;
  readonly #due = new Map<TimerHandle, number>();
  #quiet: () => Promise<void> = async () => undefined;
  #stepping: Promise<void> = Promise.resolve();

  constructor(inner: FakeClock) {
    this.#inner = inner;
  }

  settleWith(quiet: () => Promise<void>): void {
    this.#quiet = quiet;
  }

  now(): number {
    return this.#inner.now();
  }

  monotonic(): number {
    return this.#inner.monotonic();
  }

  /** Whole milliseconds: sums of fractions would leave a timer a hair beyond the step to it. */
  setTimeout(fn: () => void, fractionMs: number): TimerHandle {
    const ms = Math.ceil(fractionMs);
    const handle = this.#inner.setTimeout(() => {
      this.#due.delete(handle);
      fn();
    }, ms);
    this.#due.set(handle, this.#inner.now() + Math.max(0, ms));
    return handle;
  }

  clearTimeout(handle: TimerHandle): void {
    this.#due.delete(handle);
    this.#inner.clearTimeout(handle);
  }

  /** Steps one after the other, also when two tests of a file ask at once. */
  step(ms: number): Promise<void> {
    const step = this.#stepping.then(() => this.#step(ms));
    this.#stepping = step.catch(() => undefined);
    return step;
  }

  async #step(ms: number): Promise<void> {
    await this.#quiet();
    const untilMs = this.#inner.now() + ms;
    for (;;) {
      const nextMs = Math.min(untilMs, ...this.#due.values());
      await this.#inner.step(Math.max(0, Math.ceil(nextMs - this.#inner.now())));
      await this.#quiet();
      if (nextMs >= untilMs) return;
    }
  }
}
