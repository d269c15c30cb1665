/**
 * Text → tokens. Offsets count code points.
 *
 * Errors  "token recognition error at: '…'" for what begins no token; lexing goes on after it
 * Source  cel-go parser/gen/CEL.g4 (lexer rules)
 */

export type TokenType =
  | "operator"
  | "keyword"
  | "NUM_FLOAT"
  | "NUM_INT"
  | "NUM_UINT"
  | "STRING"
  | "BYTES"
  | "IDENTIFIER"
  | "ESC_IDENTIFIER"
  | "EOF";

export interface Token {
  type: TokenType;
  text: string;
  offset: number;
}

export interface LexicalError {
  offset: number;
  message: string;
}

const hexEscape = "[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}";
const escapePattern = String.raw`\\(?:[abfnrtv"'\\?\x60]|[0-3][0-7][0-7]|${hexEscape})`;
const quoted = [
  String.raw`[rR]"""[\s\S]*?"""`,
  String.raw`[rR]'''[\s\S]*?'''`,
  String.raw`[rR]"[^"\n\r]*"`,
  String.raw`[rR]'[^'\n\r]*'`,
  `"""(?:${escapePattern}|[^\\\\])*?"""`,
  `'''(?:${escapePattern}|[^\\\\])*?'''`,
  `"(?:${escapePattern}|[^\\\\"\\n\\r])*"`,
  `'(?:${escapePattern}|[^\\\\'\\n\\r])*'`,
].join("|");

/** In ANTLR the longest match wins; the order here says so for those that begin alike. */
const patterns: readonly [TokenType | "skip", RegExp][] = [
  ["skip", /[\t \r\n\f]+|\/\/[^\n]*/uy],
  ["NUM_UINT", /0x[0-9a-fA-F]+[uU]|[0-9]+[uU]/uy],
  [
    "NUM_FLOAT",
    /[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?/uy,
  ],
  ["NUM_INT", /0x[0-9a-fA-F]+|[0-9]+/uy],
  ["BYTES", new RegExp(`[bB](?:${quoted})`, "uy")],
  ["STRING", new RegExp(quoted, "uy")],
  ["IDENTIFIER", /[A-Za-z_][A-Za-z0-9_]*/uy],
  ["ESC_IDENTIFIER", /`[A-Za-z0-9_.\-/ ]+`/uy],
  ["operator", /==|!=|<=|>=|&&|\|\||[<>[\]{}().,\-!?:+*/%]/uy],
];

const keywords = new Set(["in", "true", "false", "null"]);

export function tokenize(text: string): { tokens: Token[]; errors: LexicalError[] } {
  const tokens: Token[] = [];
  const errors: LexicalError[] = [];
  let index = 0;
  let offset = 0;
  while (index < text.length) {
    const found = match(text, index);
    if (found === undefined) {
      const letter = String.fromCodePoint(text.codePointAt(index)!);
      const shown = unrecognized(text, index);
      errors.push({ offset, message: `token recognition error at: '${shown}'` });
      index += shown.length || letter.length;
      offset += [...shown].length || 1;
      continue;
    }
    const [type, value] = found;
    if (type !== "skip") {
      const isWord = type === "IDENTIFIER" && keywords.has(value);
      tokens.push({ type: isWord ? "keyword" : type, text: value, offset });
    }
    index += value.length;
    offset += [...value].length;
  }
  tokens.push({ type: "EOF", text: "<EOF>", offset });
  return { tokens, errors };
}

function match(text: string, index: number): [TokenType | "skip", string] | undefined {
  for (const [type, pattern] of patterns) {
    pattern.lastIndex = index;
    const found = pattern.exec(text);
    if (found !== null) return [type, found[0]];
  }
  return undefined;
}

/** Where the lexer stops inside an escapePattern that is none. */
function brokenEscape(text: string, start: number): number {
  const digits = /\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?/uy;
  digits.lastIndex = start;
  const read = digits.exec(text)?.[0].length ?? 1;
  return Math.min(start + read + 1, text.length);
}

/** How much the lexer had read when it gave up: an open string goes to the end of its line. */
function unrecognized(text: string, index: number): string {
  const first = String.fromCodePoint(text.codePointAt(index)!);
  if (first === "&" || first === "|" || first === "=") {
    const next = text.codePointAt(index + 1);
    return first + (next === undefined ? "" : String.fromCodePoint(next));
  }
  if (first !== '"' && first !== "'") return first;
  let end = index + 1;
  while (end < text.length && text[end] !== "\n" && text[end] !== "\r") {
    if (text[end] === "\\") {
      const pattern = new RegExp(escapePattern, "uy");
      pattern.lastIndex = end;
      const found = pattern.exec(text);
      if (found === null) return text.slice(index, brokenEscape(text, end));
      end += found[0].length;
    } else end++;
  }
  return text.slice(index, Math.min(end + 1, text.length));
}
