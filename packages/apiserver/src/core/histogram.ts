/**
 * How often something took at most so long, for each set of labels, in the text of /metrics.
 *
 * Units   as the caller observes; upstream's are seconds
 */

/** One set of labels. */
export class Tally {
  readonly #bounds: readonly number[];
  /** Of each bucket alone: most that is observed falls into the first. */
  readonly #counts: number[];
  #sum = 0;
  #total = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  get total(): number {
    return this.#total;
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    this.#sum += value;
    this.#total++;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    if (i < bounds.length) this.#counts[i]!++;
  }

  lines(name: string, labels: string): string[] {
    const lead = labels === "" ? "" : `${labels},`;
    const own = labels === "" ? "" : `{${labels}}`;
    const out: string[] = [];
    let count = 0;
    for (const [i, bound] of this.#bounds.entries()) {
      count += this.#counts[i]!;
      out.push(`${name}_bucket{${lead}le="${goFloat(bound)}"} ${count}`);
    }
    out.push(`${name}_bucket{${lead}le="+Inf"} ${this.#total}`);
    out.push(`${name}_sum${own} ${this.#sum}`, `${name}_count${own} ${this.#total}`);
    return out;
  }
}

export class Histogram {
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, Tally>();

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  observe(labels: string, value: number): void {
    this.tally(labels).observe(value);
  }

  /** That of one set of labels, for who observes under them again and again. */
  tally(labels: string): Tally {
    let series = this.#series.get(labels);
    if (series === undefined) {
      series = new Tally(this.#buckets);
      this.#series.set(labels, series);
    }
    return series;
  }

  lines(name: string, help: string): string[] {
    return histogramFamily(name, help, this.#series);
  }
}

export function histogramFamily(
  name: string,
  help: string,
  series: Iterable<readonly [labels: string, tally: Tally]>,
): string[] {
  const out = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const [labels, tally] of series) out.push(...tally.lines(name, labels));
  return out;
}

/** A label is compared as text: Go writes 1e+06 where JavaScript writes 1000000. */
function goFloat(value: number): string {
  const isPlain = value === 0 || (value >= 1e-4 && value < 1e6);
  if (isPlain) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
