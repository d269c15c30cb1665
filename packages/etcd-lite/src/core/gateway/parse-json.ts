/**
 * JSON with places: what the gateway must say about a wrong body names line and column.
 *
 * Numbers stay text, since 64 bits do not fit into JavaScript's. Several values may follow each
 * other: the body of a streaming call is one after the other.
 * Errors  JsonError in the words of Go's encoding/json
 */

export class JsonError extends Error {
  override readonly name = "JsonError";
}

export interface JsonPlace {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** The text as it stands there. */
  readonly raw: string;
}

export type JsonValue = JsonPlace &
  (
    | { readonly kind: "object"; readonly members: readonly (readonly [string, JsonValue])[] }
    | { readonly kind: "array"; readonly items: readonly JsonValue[] }
    | { readonly kind: "string"; readonly text: string }
    | { readonly kind: "number" }
    | { readonly kind: "literal"; readonly value: boolean | null }
  );

const depthMax = 1000;

export function parseJsonValues(text: string): JsonValue[] {
  const parser = new Parser(text);
  const values: JsonValue[] = [];
  for (parser.skipSpace(); !parser.isAtEnd; parser.skipSpace()) values.push(parser.value(0));
  return values;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  value(depth: number): JsonValue {
    if (depth > depthMax) throw new JsonError("exceeded max depth");
    this.skipSpace();
    const from = this.#at;
    const rest = this.#value(depth, this.#peek());
    const before = this.#text.slice(0, from).split("\n");
    const column = before.at(-1)!.length + 1;
    const raw = this.#text.slice(from, this.#at);
    return { ...rest, line: before.length, column, raw } as JsonValue;
  }

  #value(depth: number, first: string): object {
    if (first === "{") return { kind: "object", members: this.#members(depth) };
    if (first === "[") return { kind: "array", items: this.#items(depth) };
    if (first === '"') return { kind: "string", text: this.#string() };
    const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(this.#text.slice(this.#at));
    if (number !== null) {
      this.#at += number[0].length;
      return { kind: "number" };
    }
    const literal = literals.find(([word]) => word[0] === first);
    if (literal === undefined) throw this.#invalid("looking for beginning of value");
    const [word, value] = literal;
    for (const letter of word) {
      if (this.#peek() !== letter) {
        throw this.#invalid(`in literal ${word} (expecting '${letter}')`);
      }
      this.#at++;
    }
    return { kind: "literal", value };
  }

  #peek(): string {
    const next = this.#text[this.#at];
    if (next === undefined) throw new JsonError("unexpected EOF");
    return next;
  }

  #members(depth: number): [string, JsonValue][] {
    const members: [string, JsonValue][] = [];
    this.#at++;
    this.skipSpace();
    if (this.#peek() === "}") {
      this.#at++;
      return members;
    }
    for (;;) {
      this.skipSpace();
      if (this.#peek() !== '"') throw this.#invalid("looking for beginning of object key string");
      const name = this.#string();
      this.#expect(":", "after object key");
      members.push([name, this.value(depth + 1)]);
      if (this.#isLast("}", "after object key:value pair")) return members;
    }
  }

  #items(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#at++;
    this.skipSpace();
    if (this.#peek() === "]") {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      if (this.#isLast("]", "after array element")) return items;
    }
  }

  #expect(wanted: string, where: string): void {
    this.skipSpace();
    if (this.#peek() !== wanted) throw this.#invalid(where);
    this.#at++;
  }

  #isLast(close: string, where: string): boolean {
    this.skipSpace();
    const next = this.#peek();
    if (next !== close && next !== ",") throw this.#invalid(where);
    this.#at++;
    return next === close;
  }

  #string(): string {
    const from = this.#at;
    for (this.#at++; this.#peek() !== '"'; this.#at++) {
      if (this.#peek() < " ") throw this.#invalid("in string literal");
      if (this.#peek() === "\\") this.#at++;
    }
    this.#at++;
    try {
      return JSON.parse(this.#text.slice(from, this.#at)) as string;
    } catch {
      throw new JsonError("invalid escape code in string");
    }
  }

  #invalid(where: string): JsonError {
    const next = this.#text[this.#at]!;
    const quoted = next === "'" ? `'\\''` : `'${next}'`;
    return new JsonError(`invalid character ${quoted} ${where}`);
  }
}

const literals = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;
