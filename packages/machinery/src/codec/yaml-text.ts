/**
 * A JSON tree as YAML, letter for letter as Go's writer puts it: keys in its natural order, lists
 * not indented, long texts folded behind column 80.
 *
 * Shapes  a text is plain where it reads back as a text, else 'single' or "double" quoted; one of
 *         several lines is a block (|); a key longer than 128 bytes stands behind "? "
 * Source  sigs.k8s.io/yaml goyaml.v2/{encode,emitterc,resolve,sorter}.go
 */
import { followsKey } from "./yaml-keys.ts";
import { isPlainText } from "./yaml-words.ts";

const widthMax = 80;
const keyBytesMax = 128;
const step = 2;

type Style = "plain" | "single" | "double" | "block";

interface Analysis {
  plain: boolean;
  single: boolean;
  block: boolean;
}

const special = /[^\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const badStart = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:\s|$))/;

function analyze(text: string): Analysis {
  const isTorn = / \n/.test(text) || special.test(text);
  const isLoose = /^[ \n]|[ \n]$/.test(text) || text.includes("\n");
  const hasIndicator = badStart.test(text) || /:(?:\s|$)|\s#/.test(text);
  return {
    plain: !isTorn && !isLoose && !hasIndicator,
    single: !isTorn && !/\n /.test(text),
    block: !isTorn && !text.endsWith(" "),
  };
}

function styleOf(text: string, isKey: boolean): Style {
  const { plain, single, block } = analyze(text);
  if (text.includes("\n")) return block && !isKey ? "block" : "double";
  if (!isPlainText(text)) return "double";
  if (plain) return "plain";
  return single ? "single" : "double";
}

const escapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function escaped(character: string): string {
  const known = escapes[character];
  if (known !== undefined) return known;
  if (!special.test(character)) return character;
  const code = character.codePointAt(0)!.toString(16).toUpperCase();
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}

/** One text on a line and, where it may be folded, on more. */
class Line {
  readonly #indent: string;
  #column: number;
  text = "";

  constructor(column: number, indent: number) {
    this.#column = column;
    this.#indent = " ".repeat(indent);
  }

  put(piece: string): void {
    this.text += piece;
    this.#column += piece.length;
  }

  get isFull(): boolean {
    return this.#column > widthMax;
  }

  fold(): void {
    this.text += `\n${this.#indent}`;
    this.#column = this.#indent.length;
  }
}

interface Place {
  /** Where the text begins. */
  column: number;
  /** Of the lines that follow. */
  indent: number;
  isKey: boolean;
}

function scalarText(text: string, { column, indent, isKey }: Place): string {
  const style = styleOf(text, isKey);
  if (style === "block") return blockText(text, indent);
  const quote = style === "single" ? "'" : style === "double" ? '"' : "";
  const line = new Line(column, indent);
  line.put(quote);
  const characters = [...text];
  let afterSpace = false;
  for (const [i, character] of characters.entries()) {
    const isInside = quote === "" || (i > 0 && i < characters.length - 1);
    const isSpace = character === " ";
    const mayFold = isSpace && !isKey && !afterSpace && line.isFull && isInside;
    const next = characters[i + 1];
    if (mayFold && (style === "double" || next !== " ")) {
      line.fold();
      if (style === "double" && next === " ") line.put("\\");
    } else if (style === "double") line.put(escaped(character));
    else line.put(character === "'" && quote !== "" ? "''" : character);
    afterSpace = isSpace;
  }
  line.put(quote);
  return line.text;
}

function blockText(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? String(step) : "";
  const isLong = text === "\n" || text.endsWith("\n\n");
  const chomp = !text.endsWith("\n") ? "-" : isLong ? "+" : "";
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  const pad = " ".repeat(indent);
  const shown = lines.map((line) => (line === "" ? "" : pad + line)).join("\n");
  return `|${hint}${chomp}\n${shown}`;
}

function isEmpty(value: object): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

const isBranch = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !isEmpty(value);

function leafText(value: unknown, place: Place): string {
  if (typeof value === "string") return scalarText(value, place);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "[]" : "{}";
}

function members(tree: object): [string, unknown][] {
  const found = Object.entries(tree).filter(([, value]) => value !== undefined);
  return found.sort(([a], [b]) => followsKey(a, b));
}

/** The lines of a map, the first without its indent. */
function mapText(tree: object, indent: number): string {
  const pad = " ".repeat(indent);
  return members(tree)
    .map(([key, value]) => memberText(key, value, indent))
    .join(`\n${pad}`);
}

function memberText(key: string, value: unknown, indent: number): string {
  const isSimple = !key.includes("\n") && new TextEncoder().encode(key).length <= keyBytesMax;
  if (!isSimple) {
    const written = scalarText(key, { column: indent + 2, indent: indent + step, isKey: false });
    return `? ${written}\n${" ".repeat(indent)}: ${nested(value, indent + 2, indent)}`;
  }
  const written = scalarText(key, { column: indent, indent, isKey: true });
  const column = indent + written.length + 2;
  if (!isBranch(value)) {
    const place = { column, indent: indent + step, isKey: false };
    return `${written}: ${leafText(value, place)}`;
  }
  const below = Array.isArray(value) ? indent : indent + step;
  return `${written}:\n${" ".repeat(below)}${branchText(value, below)}`;
}

/** A value behind "- " or ": ", on the same line. */
function nested(value: unknown, column: number, indent: number): string {
  if (isBranch(value)) return branchText(value, indent + step);
  return leafText(value, { column, indent: indent + step, isKey: false });
}

function branchText(value: object, indent: number): string {
  if (!Array.isArray(value)) return mapText(value, indent);
  const pad = " ".repeat(indent);
  return value.map((item) => `- ${nested(item, indent + 2, indent)}`).join(`\n${pad}`);
}

export function formatYAML(tree: unknown): string {
  if (isBranch(tree)) return `${branchText(tree, 0)}\n`;
  return `${leafText(tree, { column: 0, indent: step, isKey: false })}\n`;
}
