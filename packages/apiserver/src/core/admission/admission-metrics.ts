/**
 * How long each plugin and each step of admission took: upstream's series.
 *
 * Shapes  type  "admit" for what may change an object, "validate" for what may only refuse it
 * Units   seconds
 * Source  apiserver pkg/admission/metrics/metrics.go
 */
import { Histogram, type Tally } from "../histogram.ts";
import { WebhookMetrics } from "./webhooks/webhook-metrics.ts";

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

export type AdmissionStep = "admit" | "validate";

/** What one plugin took, or all of a step. */
export class AdmissionTimes {
  readonly #histogram: Histogram;
  readonly #labelsOf: (operation: string, rejected: boolean) => string;
  /** By operation. */
  readonly #accepted = new Map<string, Tally>();

  constructor(histogram: Histogram, labelsOf: (operation: string, rejected: boolean) => string) {
    this.#histogram = histogram;
    this.#labelsOf = labelsOf;
  }

  accepted(operation: string, seconds: number): void {
    let tally = this.#accepted.get(operation);
    if (tally === undefined) {
      tally = this.#histogram.tally(this.#labelsOf(operation, false));
      this.#accepted.set(operation, tally);
    }
    tally.observe(seconds);
  }

  rejected(operation: string, seconds: number): void {
    this.#histogram.observe(this.#labelsOf(operation, true), seconds);
  }
}

export class AdmissionMetrics {
  readonly webhooks = new WebhookMetrics();
  readonly #plugins = new Histogram(buckets);
  readonly #steps = new Histogram(buckets);

  timesOfPlugin(name: string, step: AdmissionStep): AdmissionTimes {
    return new AdmissionTimes(
      this.#plugins,
      (operation, rejected) =>
        `name="${name}",operation="${operation}",rejected="${rejected}",type="${step}"`,
    );
  }

  timesOfStep(step: AdmissionStep): AdmissionTimes {
    return new AdmissionTimes(
      this.#steps,
      (operation, rejected) => `operation="${operation}",rejected="${rejected}",type="${step}"`,
    );
  }

  lines(): string[] {
    return [
      ...this.#plugins.lines(
        "apiserver_admission_controller_admission_duration_seconds",
        "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).",
      ),
      ...this.#steps.lines(
        "apiserver_admission_step_admission_duration_seconds",
        "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).",
      ),
      ...this.webhooks.lines(),
    ];
  }
}
