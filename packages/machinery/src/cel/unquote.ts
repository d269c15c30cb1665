/**
 * String and bytes literals → what they stand for.
 *
 * Source  cel-go parser/unescape.go
 */

const simple: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

/** The body of a literal, and whether backslashes mean themselves. */
function body(literal: string): { text: string; raw: boolean } {
  let text = literal.replace(/\r\n?/gu, "\n");
  const raw = text[0] === "r" || text[0] === "R";
  if (raw) text = text.slice(1);
  const isTriple = text.length >= 6 && (text.startsWith("'''") || text.startsWith('"""'));
  return { text: isTriple ? text.slice(3, -3) : text.slice(1, -1), raw };
}

const escapes =
  /\\(?:([xX])([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/gu;

/** @throws Error with upstream's text */
export function unquoteString(literal: string): string {
  const { text, raw } = body(literal);
  if (raw) return text;
  return text.replace(escapes, (_all, _x, hex, u4, u8, octal, letter: string | undefined) => {
    if (letter !== undefined) {
      const known = simple[letter];
      if (known === undefined) throw new Error("unable to unescape string");
      return known;
    }
    const code =
      octal === undefined ? Number.parseInt(hex ?? u4 ?? u8, 16) : Number.parseInt(octal, 8);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw new Error("invalid unicode code point");
    }
    return String.fromCodePoint(code);
  });
}

/** @throws Error with upstream's text */
export function unquoteBytes(literal: string): Uint8Array {
  const { text, raw } = body(literal);
  const encoder = new TextEncoder();
  if (raw) return encoder.encode(text);
  const parts: number[] = [];
  let last = 0;
  for (const found of text.matchAll(escapes)) {
    parts.push(...encoder.encode(text.slice(last, found.index)));
    last = found.index + found[0].length;
    const [, , hex, u4, u8, octal, letter] = found;
    if (letter !== undefined) {
      const known = simple[letter];
      if (known === undefined) throw new Error("unable to unescape string");
      parts.push(known.charCodeAt(0));
    } else if (u4 !== undefined || u8 !== undefined) {
      throw new Error("unable to unescape string");
    } else {
      parts.push(hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16));
    }
  }
  parts.push(...encoder.encode(text.slice(last)));
  return Uint8Array.from(parts);
}
