/**
 * The proxy's metrics in Prometheus' text form; names and buckets are upstream's, the ones of
 * syncing.
 *
 * Source  kubernetes pkg/proxy/metrics/metrics.go
 */
import type { Family } from "./address.ts";

/** Upper bounds in seconds: 1 ms, doubled fifteen times. */
const buckets = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

interface FamilyMetrics {
  count: number;
  sum: number;
  counts: number[];
  lastSyncSeconds: number;
  rules: Record<string, number>;
  failures: number;
}

export class Metrics {
  readonly #families = new Map<Family, FamilyMetrics>();

  synced(family: Family, at: { seconds: number; nowMs: number; text: string | undefined }): void {
    const metrics = this.#of(family);
    metrics.count++;
    metrics.sum += at.seconds;
    for (const [i, bound] of buckets.entries()) if (at.seconds <= bound) metrics.counts[i]!++;
    metrics.lastSyncSeconds = at.nowMs / 1000;
    if (at.text !== undefined) metrics.rules = rulesPerTable(at.text);
  }

  failed(family: Family): void {
    this.#of(family).failures++;
  }

  text(): string {
    const lines: string[] = [];
    const metric = (
      name: string,
      type: string,
      sample: (m: FamilyMetrics, l: string) => string[],
    ) => {
      lines.push(`# TYPE kubeproxy_${name} ${type}`);
      for (const [family, metrics] of this.#families) {
        const samples = sample(metrics, `ip_family="${family}"`);
        lines.push(...samples.map((s) => `kubeproxy_${name}${s}`));
      }
    };
    metric("sync_proxy_rules_duration_seconds", "histogram", (m, l) => [
      ...buckets.map((bound, i) => `_bucket{${l},le="${bound}"} ${m.counts[i]}`),
      `_bucket{${l},le="+Inf"} ${m.count}`,
      `_sum{${l}} ${m.sum}`,
      `_count{${l}} ${m.count}`,
    ]);
    metric("sync_proxy_rules_last_timestamp_seconds", "gauge", (m, l) => [
      `{${l}} ${m.lastSyncSeconds}`,
    ]);
    metric("sync_proxy_rules_iptables_last", "gauge", (m, l) =>
      Object.entries(m.rules).map(([table, n]) => `{${l},table="${table}"} ${n}`),
    );
    metric("sync_proxy_rules_iptables_restore_failures_total", "counter", (m, l) => [
      `{${l}} ${m.failures}`,
    ]);
    return `${lines.join("\n")}\n`;
  }

  #of(family: Family): FamilyMetrics {
    const known = this.#families.get(family);
    if (known !== undefined) return known;
    const counts = buckets.map(() => 0);
    const made = { count: 0, sum: 0, counts, lastSyncSeconds: 0, rules: {}, failures: 0 };
    this.#families.set(family, made);
    return made;
  }
}

function rulesPerTable(text: string): Record<string, number> {
  const found: Record<string, number> = {};
  let table = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    else if (line.startsWith("-A ")) found[table] = (found[table] ?? 0) + 1;
  }
  return found;
}
