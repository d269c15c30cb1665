/**
 * JSON read slowly and exactly: member order, duplicates, the text of numbers, and Go's words
 * for bad syntax.
 *
 * Only for texts in which something is wrong; the way of the many is JSON.parse.
 *
 * Source  Go encoding/json/scanner.go (texts)
 */
import { quoteGo } from "../go-text.ts";

export class JSONSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JSONSyntaxError";
  }
}

export type Node =
  | { kind: "null" }
  | { kind: "bool"; value: boolean }
  | { kind: "number"; text: string }
  | { kind: "string"; value: string }
  | { kind: "array"; items: Node[] }
  | { kind: "object"; members: [string, Node][] };

const maxDepth = 10_000;
const space = /[ \t\r\n]*/y;
const stringBody = /[ !#-[\]-\uffff]*/y;
const simpleEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** @throws JSONSyntaxError in Go's words. */
export function parseJSONSyntax(text: string): Node {
  const reader = new Reader(text);
  const node = reader.value(0);
  reader.skipSpace();
  if (!reader.atEnd) throw reader.unexpected("after top-level value");
  return node;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  skipSpace(): void {
    space.lastIndex = this.#at;
    space.test(this.#text);
    this.#at = space.lastIndex;
  }

  unexpected(context: string): JSONSyntaxError {
    if (this.atEnd) {
      // Go ends a text with a space, which fits between values but not within one.
      const within = /^in (?!string literal)|^after decimal/.test(context);
      const message = within ? `invalid character ' ' ${context}` : "unexpected end of JSON input";
      return new JSONSyntaxError(message);
    }
    const first = new TextEncoder().encode(this.#text.slice(this.#at, this.#at + 2))[0]!;
    const char = String.fromCharCode(first);
    const shown = char === "'" ? "\\'" : char === '"' ? '"' : quoteGo(char).slice(1, -1);
    return new JSONSyntaxError(`invalid character '${shown}' ${context}`);
  }

  value(depth: number): Node {
    this.skipSpace();
    const char = this.#text[this.#at];
    if (depth > maxDepth && (char === "{" || char === "[")) {
      throw new JSONSyntaxError(`invalid character '${char}' exceeded max depth`);
    }
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') return { kind: "string", value: this.#string() };
    if (char === "t") return this.#literal("true", { kind: "bool", value: true });
    if (char === "f") return this.#literal("false", { kind: "bool", value: false });
    if (char === "n") return this.#literal("null", { kind: "null" });
    if (char === "-" || (char !== undefined && char >= "0" && char <= "9")) return this.#number();
    throw this.unexpected("looking for beginning of value");
  }

  #object(depth: number): Node {
    const members: [string, Node][] = [];
    this.#at++;
    this.skipSpace();
    if (this.#text[this.#at] === "}") {
      this.#at++;
      return { kind: "object", members };
    }
    for (;;) {
      this.skipSpace();
      if (this.#text[this.#at] !== '"') {
        throw this.unexpected("looking for beginning of object key string");
      }
      const key = this.#string();
      this.skipSpace();
      if (this.#text[this.#at] !== ":") throw this.unexpected("after object key");
      this.#at++;
      members.push([key, this.value(depth + 1)]);
      this.skipSpace();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "}") throw this.unexpected("after object key:value pair");
      this.#at++;
      if (next === "}") return { kind: "object", members };
    }
  }

  #array(depth: number): Node {
    const items: Node[] = [];
    this.#at++;
    this.skipSpace();
    if (this.#text[this.#at] === "]") {
      this.#at++;
      return { kind: "array", items };
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.skipSpace();
      const next = this.#text[this.#at];
      if (next !== "," && next !== "]") throw this.unexpected("after array element");
      this.#at++;
      if (next === "]") return { kind: "array", items };
    }
  }

  #string(): string {
    let value = "";
    this.#at++;
    for (;;) {
      stringBody.lastIndex = this.#at;
      stringBody.test(this.#text);
      value += this.#text.slice(this.#at, stringBody.lastIndex);
      this.#at = stringBody.lastIndex;
      const char = this.#text[this.#at];
      if (char === '"') {
        this.#at++;
        return value.toWellFormed();
      }
      if (char !== "\\") throw this.unexpected("in string literal");
      this.#at++;
      value += this.#escape();
    }
  }

  #escape(): string {
    const char = this.#text[this.#at];
    if (char === "u") {
      this.#at++;
      const start = this.#at;
      for (; this.#at < start + 4; this.#at++) {
        if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? "")) {
          throw this.unexpected("in \\u hexadecimal character escape");
        }
      }
      return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
    }
    const plain = char === undefined ? undefined : simpleEscapes[char];
    if (plain === undefined) throw this.unexpected("in string escape code");
    this.#at++;
    return plain;
  }

  #literal(word: string, node: Node): Node {
    for (let i = 0; i < word.length; i++, this.#at++) {
      if (this.#text[this.#at] !== word[i]) {
        throw this.unexpected(`in literal ${word} (expecting '${word[i]}')`);
      }
    }
    return node;
  }

  #digits(context: string): void {
    if (!this.#isDigit()) throw this.unexpected(context);
    while (this.#isDigit()) this.#at++;
  }

  #isDigit(): boolean {
    const char = this.#text[this.#at];
    return char !== undefined && char >= "0" && char <= "9";
  }

  #number(): Node {
    const start = this.#at;
    if (this.#text[this.#at] === "-") this.#at++;
    if (this.#text[this.#at] === "0") this.#at++;
    else this.#digits("in numeric literal");
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digits("in exponent of numeric literal");
    }
    return { kind: "number", text: this.#text.slice(start, this.#at) };
  }
}

/** The plain value of a node. */
export function nodeValue(node: Node): unknown {
  switch (node.kind) {
    case "null":
      return null;
    case "number":
      return Number(node.text);
    case "array":
      return node.items.map(nodeValue);
    case "object":
      return Object.fromEntries(node.members.map(([key, value]) => [key, nodeValue(value)]));
    default:
      return node.value;
  }
}
