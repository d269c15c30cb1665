/**
 * Errors of the parser and the checker, shown with the line and a caret below it.
 *
 *     ERROR: <input>:1:6: undeclared reference to 'x' (in container '')
 *      | self.x
 *      | .....^
 *
 * Source  cel-go common/error.go, common/errors.go
 */
import { type Location, noLocation, type Source } from "./syntax-tree.ts";

export interface CompileError {
  location: Location;
  message: string;
}

const reportedMax = 100;
const snippetMax = 16_384;

export class CompileErrors {
  readonly #source: Source;
  readonly #errors: CompileError[] = [];
  #count = 0;

  constructor(source: Source) {
    this.#source = source;
  }
  get count(): number {
    return this.#count;
  }
  get all(): readonly CompileError[] {
    return this.#errors;
  }
  report(location: Location, message: string): void {
    this.#count++;
    if (this.#count <= reportedMax) this.#errors.push({ location, message });
  }
  reportNowhere(message: string): void {
    this.report(noLocation, message);
  }
  toString(): string {
    const sorted = [...this.#errors].sort(
      (a, b) => a.location.line - b.location.line || a.location.column - b.location.column,
    );
    const lines = sorted.map((error) => this.#show(error));
    const more = this.#count - reportedMax;
    if (more > 0) lines.push(`${more} more errors were truncated`);
    return lines.join("\n");
  }
  #show({ location, message }: CompileError): string {
    // An empty text has no column to point at.
    if (this.#source.characters.length === 0) return `ERROR: <input>:1:0: ${message}`;
    const text = `ERROR: <input>:${location.line}:${location.column + 1}: ${message}`;
    const line = this.#source.line(location.line);
    if (line === undefined || line.length > snippetMax) return text;
    const shown = line.replaceAll("\t", " ");
    const letters = [...shown];
    const isWide = (letter: string | undefined) => (letter?.codePointAt(0) ?? 0) > 127;
    let pointer = "";
    for (let i = 0; i < location.column && i < letters.length; i++) {
      pointer += isWide(letters[i]) ? "\uff0e" : ".";
    }
    pointer += isWide(letters[Math.max(location.column, 0)]) ? "\uff3e" : "^";
    return `${text}\n | ${shown}\n | ${pointer}`;
  }
}
