/**
 * What the checks of /healthz, /livez and /readyz have said so far: upstream's two series of
 * /metrics/slis.
 *
 * Source  component-base metrics/prometheus/slis/metrics.go
 */
import { metricFamily } from "./metric-family.ts";

interface Seen {
  isWell: boolean;
  success: number;
  error: number;
}

export class HealthRecords {
  readonly #seen = new Map<string, Seen>();

  note(name: string, kind: string, isWell: boolean): void {
    const labels = `name="${name}",type="${kind}"`;
    const seen = this.#seen.get(labels) ?? { isWell, success: 0, error: 0 };
    this.#seen.set(labels, seen);
    seen.isWell = isWell;
    seen[isWell ? "success" : "error"]++;
  }

  lines(): string[] {
    const counts = [...this.#seen].flatMap(([labels, seen]) =>
      (["error", "success"] as const)
        .filter((status) => seen[status] > 0)
        .map(
          (status) =>
            [labels.replace(",type=", `,status="${status}",type=`), seen[status]] as const,
        ),
    );
    return [
      ...metricFamily(
        "kubernetes_healthcheck",
        "gauge",
        "[STABLE] This metric records the result of a single healthcheck.",
        [...this.#seen].map(([labels, { isWell }]) => [labels, isWell ? 1 : 0]),
      ),
      ...metricFamily(
        "kubernetes_healthchecks_total",
        "counter",
        "[STABLE] This metric records the results of all healthcheck.",
        counts,
      ),
    ];
  }
}
