/**
 * What the server counts, in Prometheus' text form and under CoreDNS's names.
 *
 * Source  CoreDNS plugin/metrics/vars/vars.go, plugin/cache/metrics.go
 */
import { rcodes, types } from "./message.ts";

const typeNames = new Map<number, string>(Object.entries(types).map(([name, n]) => [n, name]));
const rcodeNames = new Map<number, string>(Object.entries(rcodes).map(([name, n]) => [n, name]));
/** Seconds: 0.25 ms, doubled sixteen times. */
const buckets = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #responses = new Map<string, number>();
  readonly #counts = buckets.map(() => 0);
  #sum = 0;
  #count = 0;
  cacheHits = 0;
  cacheMisses = 0;

  request(protocol: string, type: number): void {
    add(this.#requests, `proto="${protocol}",type="${typeNames.get(type) ?? "other"}"`);
  }

  response(rcode: number, seconds: number): void {
    add(this.#responses, `rcode="${rcodeNames.get(rcode) ?? String(rcode)}"`);
    this.#sum += seconds;
    this.#count++;
    for (const [i, bound] of buckets.entries()) if (seconds <= bound) this.#counts[i]!++;
  }

  text(): string {
    const lines = ["# TYPE coredns_dns_requests_total counter"];
    for (const [l, n] of this.#requests) lines.push(`coredns_dns_requests_total{${l}} ${n}`);
    lines.push("# TYPE coredns_dns_responses_total counter");
    for (const [l, n] of this.#responses) lines.push(`coredns_dns_responses_total{${l}} ${n}`);
    lines.push("# TYPE coredns_dns_request_duration_seconds histogram");
    const duration = "coredns_dns_request_duration_seconds";
    for (const [i, bound] of buckets.entries()) {
      lines.push(`${duration}_bucket{le="${bound}"} ${this.#counts[i]}`);
    }
    lines.push(
      `${duration}_bucket{le="+Inf"} ${this.#count}`,
      `${duration}_sum ${this.#sum}`,
      `${duration}_count ${this.#count}`,
      "# TYPE coredns_cache_hits_total counter",
      `coredns_cache_hits_total ${this.cacheHits}`,
      "# TYPE coredns_cache_misses_total counter",
      `coredns_cache_misses_total ${this.cacheMisses}`,
    );
    return `${lines.join("\n")}\n`;
  }
}

function add(counts: Map<string, number>, label: string): void {
  counts.set(label, (counts.get(label) ?? 0) + 1);
}
