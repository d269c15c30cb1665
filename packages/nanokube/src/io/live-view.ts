/**
 * A block of lines that is redrawn in place on a terminal; elsewhere printed when it changes.
 */
export interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

export class LiveView {
  readonly #output: Output;
  #drawn = 0;
  #last = "";

  constructor(output: Output) {
    this.#output = output;
  }

  show(lines: readonly string[]): void {
    const { isTTY } = this.#output;
    // A terminal that does not know its size says 0.
    const columns = this.#output.columns || 80;
    const rows = this.#output.rows || 24;
    if (!isTTY) {
      // Ages change every second; what a log wants is the changes.
      const text = lines.join("\n");
      const shape = text.replaceAll(/\b\d+(s|m|h|d)\b/g, "");
      if (shape !== this.#last) this.#output.write(`${text}\n`);
      this.#last = shape;
      return;
    }
    const visible = lines.slice(0, rows - 1).map((line) => line.slice(0, columns));
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    this.#output.write(`${up}\r\u001b[J${visible.join("\n")}\n`);
    this.#drawn = visible.length;
  }
}
