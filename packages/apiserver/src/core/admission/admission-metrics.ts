/**
 * How long each plugin and each step of admission took: upstream's series.
 *
 * Shapes  type  "admit" for what may change an object, "validate" for what may only refuse it
 * Units   seconds
 * Source  apiserver pkg/admission/metrics/metrics.go
 */
import { Histogram } from "../histogram.ts";
import { WebhookMetrics } from "./webhooks/webhook-metrics.ts";

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

export type AdmissionStep = "admit" | "validate";

export class AdmissionMetrics {
  readonly webhooks = new WebhookMetrics();
  readonly #plugins = new Histogram(buckets);
  readonly #steps = new Histogram(buckets);
  /** The labels that were needed before. */
  readonly #labels = new Map<string, string>();

  /** `name` is absent for all plugins together. */
  observe(
    name: string | undefined,
    step: AdmissionStep,
    operation: string,
    { seconds, rejected }: { seconds: number; rejected: boolean },
  ): void {
    const key = `${name ?? ""} ${step} ${operation} ${rejected}`;
    let labels = this.#labels.get(key);
    if (labels === undefined) {
      const lead = name === undefined ? "" : `name="${name}",`;
      labels = `${lead}operation="${operation}",rejected="${rejected}",type="${step}"`;
      this.#labels.set(key, labels);
    }
    (name === undefined ? this.#steps : this.#plugins).observe(labels, seconds);
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
