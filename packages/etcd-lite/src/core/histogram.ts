/**
 * How often something was at most so much: one of the series that /metrics shows as a histogram.
 *
 * Units   as the caller observes: seconds, milliseconds, or what its name says
 * Source  prometheus text format 0.0.4; client_golang prometheus/histogram.go
 */
export class Histogram {
  readonly bounds: readonly number[];
  /** Of each bucket alone. */
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    if (at < bounds.length) this.#counts[at]!++;
    this.#sum += value;
    this.#count++;
  }

  /** `labels` as they stand in braces, without them; "" for none. */
  *lines(name: string, labels: string): Iterable<string> {
    const before = labels === "" ? "" : `${labels},`;
    const plain = labels === "" ? "" : `{${labels}}`;
    let sum = 0;
    for (const [i, bound] of this.bounds.entries()) {
      sum += this.#counts[i]!;
      yield `${name}_bucket{${before}le="${goNumber(bound)}"} ${sum}\n`;
    }
    yield `${name}_bucket{${before}le="+Inf"} ${this.#count}\n`;
    yield `${name}_sum${plain} ${this.#sum}\n`;
    yield `${name}_count${plain} ${this.#count}\n`;
  }
}

/** Bounds, each twice the one before. */
export function doubling(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((from * 2 ** i).toFixed(4)));
}

/** As Go writes a float: with an exponent from a million on. */
function goNumber(value: number): string {
  if (value < 1e6) return String(value);
  return value.toExponential().replace(/e\+(\d)$/, "e+0$1");
}
