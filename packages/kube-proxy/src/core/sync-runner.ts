/**
 * When to write: the first change at once, the ones behind it together.
 *
 * A run starts as soon as something asks and at least `minPeriodMs` passed since the last one
 * began. A failed run is tried again, after a second, then two, up to `maxRetryMs`; a change in
 * between does not wait for that.
 *
 * Source  kubernetes pkg/proxy/runner/bounded_frequency_runner.go
 */
import type { Clock, TimerHandle } from "@nanokube/machinery";

export interface SyncRunnerOptions {
  clock: Clock;
  minPeriodMs: number;
  maxRetryMs: number;
  /** False or a rejection: try again. */
  run(): Promise<boolean>;
}

export class SyncRunner {
  readonly #options: SyncRunnerOptions;
  #timer: TimerHandle | undefined;
  #dueMs = 0;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #askedMeanwhile = false;
  #failures = 0;
  #stopped = false;

  constructor(options: SyncRunnerOptions) {
    this.#options = options;
  }

  request(): void {
    if (this.#running !== undefined) this.#askedMeanwhile = true;
    else this.#arm(this.#lastStartMs + this.#options.minPeriodMs);
  }

  /** No run starts any more; resolves when the one that runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #arm(atMs: number): void {
    const { clock } = this.#options;
    if (this.#stopped || (this.#timer !== undefined && this.#dueMs <= atMs)) return;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#dueMs = atMs;
    const waitMs = Math.max(0, atMs - clock.monotonic());
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run();
    }, waitMs);
  }

  async #run(): Promise<void> {
    const { clock, minPeriodMs, maxRetryMs } = this.#options;
    this.#lastStartMs = clock.monotonic();
    this.#askedMeanwhile = false;
    const succeeded = await this.#options.run().catch(() => false);
    this.#running = undefined;
    this.#failures = succeeded ? 0 : this.#failures + 1;
    if (this.#askedMeanwhile) this.#arm(this.#lastStartMs + minPeriodMs);
    else if (!succeeded) {
      const waitMs = Math.min(maxRetryMs, 1000 * 2 ** (this.#failures - 1));
      this.#arm(clock.monotonic() + waitMs);
    }
  }
}
