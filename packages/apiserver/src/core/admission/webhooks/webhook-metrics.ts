/**
 * How often admission webhooks were asked, how long they took and what came of it: upstream's
 * series.
 *
 * Shapes  type  "admit" for mutating ones, "validating" for the others
 * Units   seconds
 * Source  apiserver pkg/admission/metrics/metrics.go
 */
import { Histogram } from "../../histogram.ts";

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const codeMax = 600;
const lead = "apiserver_admission_webhook";

export interface WebhookOutcome {
  name: string;
  type: "admit" | "validating";
  operation: string;
  seconds: number;
  /** 200 when it agreed; that of its refusal, or of the failure to ask it. */
  code: number;
  rejected: boolean;
  error: "no_error" | "calling_webhook_error" | "apiserver_internal_error";
}

class Counter {
  readonly #counts = new Map<string, number>();

  add(labels: Readonly<Record<string, string | number | boolean>>): void {
    const text = labelText(labels);
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }

  lines(name: string, help: string): string[] {
    if (this.#counts.size === 0) return [];
    const series = [...this.#counts].map(([labels, count]) => `${name}{${labels}} ${count}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...series];
  }
}

function labelText(labels: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${JSON.stringify(String(value))}`)
    .join(",");
}

export class WebhookMetrics {
  readonly #requests = new Counter();
  readonly #rejections = new Counter();
  readonly #failedOpen = new Counter();
  readonly #durations = new Histogram(buckets);

  observe({ name, type, operation, seconds, code, rejected, error }: WebhookOutcome): void {
    const bounded = Math.min(code, codeMax);
    this.#requests.add({ code: bounded, name, operation, rejected, type });
    if (rejected) {
      this.#rejections.add({ error_type: error, name, operation, rejection_code: bounded, type });
    }
    this.#durations.observe(labelText({ name, operation, rejected, type }), seconds);
  }

  failedOpen(name: string, type: WebhookOutcome["type"]): void {
    this.#failedOpen.add({ name, type });
  }

  lines(): string[] {
    return [
      ...this.#durationLines(),
      ...this.#failedOpen.lines(
        `${lead}_fail_open_count`,
        "[ALPHA] Admission webhook fail open count, by name and admission type.",
      ),
      ...this.#rejections.lines(
        `${lead}_rejection_count`,
        "[ALPHA] Admission webhook rejection count, by name, admission type, operation and error.",
      ),
      ...this.#requests.lines(
        `${lead}_request_total`,
        "[ALPHA] Admission webhook request total, by name, admission type, operation and code.",
      ),
    ];
  }

  #durationLines(): string[] {
    if (this.#durations.isEmpty) return [];
    return this.#durations.lines(
      `${lead}_admission_duration_seconds`,
      "[STABLE] Admission webhook latency histogram in seconds, by name and operation.",
    );
  }
}
