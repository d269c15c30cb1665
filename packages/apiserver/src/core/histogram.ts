/**
 * How often something took at most so long, for each set of labels, in the text of /metrics.
 *
 * Units   as the caller observes; upstream's are seconds
 */
interface Series {
  /** Of each bucket, with all smaller ones. */
  counts: number[];
  sum: number;
  total: number;
}

export class Histogram {
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  observe(labels: string, value: number): void {
    const buckets = this.#buckets;
    let series = this.#series.get(labels);
    if (series === undefined) {
      series = { counts: buckets.map(() => 0), sum: 0, total: 0 };
      this.#series.set(labels, series);
    }
    series.sum += value;
    series.total++;
    for (let i = buckets.length - 1; i >= 0 && value <= buckets[i]!; i--) series.counts[i]!++;
  }

  lines(name: string, help: string): string[] {
    const out = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
    for (const [labels, { counts, sum, total }] of this.#series) {
      for (const [i, count] of counts.entries()) {
        out.push(`${name}_bucket{${labels},le="${this.#buckets[i]}"} ${count}`);
      }
      out.push(`${name}_bucket{${labels},le="+Inf"} ${total}`);
      out.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${total}`);
    }
    return out;
  }
}
