/**
 * Clears away what compactions forgot, a little in each turn of the event loop, on every member.
 */
import type { Clock } from "@nanokube/machinery";
import type { MemberState } from "../core/member-state.ts";
import type { MetricsRegistry } from "./metrics.ts";

export interface TidyingOptions {
  readonly state: MemberState;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
}

const tidiedAtOnce = 500;

export class Tidying {
  readonly #options: TidyingOptions;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: TidyingOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is left to clear away. */
  start(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const { clock, metrics } = this.#options;
    const fromMs = clock.monotonic();
    let hasMore = true;
    while (hasMore && !this.#isClosed) {
      await new Promise((resolve) => setImmediate(resolve));
      const sinceMs = clock.monotonic();
      // The store may be another one by now: a snapshot came.
      hasMore = this.#options.state.store.tidy?.(tidiedAtOnce) === true;
      metrics.observeOther("tidyPauseMs", clock.monotonic() - sinceMs);
    }
    metrics.observeOther("tidyMs", clock.monotonic() - fromMs);
  }

  close(): void {
    this.#isClosed = true;
  }
}
