/**
 * One step of admission: its plugins one after the other, each measured, and all together.
 *
 * Most plugins have nothing to wait for. Those cost a request no promise.
 */
import type { Clock } from "@nanokube/machinery";
import type { AdmissionMetrics, AdmissionStep, AdmissionTimes } from "./admission-metrics.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";

/** Throws, or rejects, what the answer is to be. */
type Run = (plugin: AdmissionPlugin) => Promise<void> | void;

interface TimedPlugin {
  plugin: AdmissionPlugin;
  times: AdmissionTimes;
}

export class PluginRun {
  readonly #clock: Clock;
  readonly #times: AdmissionTimes;
  readonly #plugins: readonly TimedPlugin[];

  constructor(
    plugins: readonly AdmissionPlugin[],
    step: AdmissionStep,
    { clock, metrics }: { clock: Clock; metrics: AdmissionMetrics },
  ) {
    this.#clock = clock;
    this.#times = metrics.timesOfStep(step);
    this.#plugins = plugins
      .filter((plugin) => plugin[step] !== undefined)
      .map((plugin) => ({ plugin, times: metrics.timesOfPlugin(plugin.name, step) }));
  }

  /** `again` says, when all have run, whether they shall once more. */
  async run(
    attributes: AdmissionAttributes,
    run: Run,
    again: () => boolean = () => false,
  ): Promise<void> {
    const { operation } = attributes;
    const startedMs = this.#clock.monotonic();
    try {
      do await this.#once(attributes, run);
      while (again());
    } catch (error) {
      this.#times.rejected(operation, this.#secondsSince(startedMs));
      throw error;
    }
    this.#times.accepted(operation, this.#secondsSince(startedMs));
  }

  async #once(attributes: AdmissionAttributes, run: Run): Promise<void> {
    const { operation } = attributes;
    for (const { plugin, times } of this.#plugins) {
      if (!plugin.handles(attributes)) continue;
      const startedMs = this.#clock.monotonic();
      try {
        const waited = run(plugin);
        if (waited !== undefined) await waited;
      } catch (error) {
        times.rejected(operation, this.#secondsSince(startedMs));
        throw error;
      }
      times.accepted(operation, this.#secondsSince(startedMs));
    }
  }

  #secondsSince(startedMs: number): number {
    return (this.#clock.monotonic() - startedMs) / 1000;
  }
}
