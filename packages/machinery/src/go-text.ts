/**
 * Values as Go prints them, for error texts that must be upstream's to the letter.
 *
 * Shapes  quoteGo(s)     fmt's %q of a string
 *         marshalGo(v)   encoding/json's Marshal of plain data: `<`, `>`, `&` escaped; keys in
 *                        the order held
 * Source  Go strconv/quote.go, encoding/json/encode.go
 */

/** What strconv writes with one letter. */
export const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

const plainASCII = /^[ !#-[\]-~]*$/;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function quoteGo(text: string): string {
  if (plainASCII.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    const short = shortEscapes[char];
    const code = char.codePointAt(0)!;
    if (short !== undefined) out += short;
    else if (printable.test(char)) out += char;
    else if (code < 0x80) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
    else out += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return `${out}"`;
}

const htmlUnsafe = /[<>&\u2028\u2029]/g;

function escapeHTML(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Texts that JSON shows as they are. */
const plainJSON = /^[ !#-%'-;=?-[\]-~]*$/;

/** `undefined` prints as null, as a nil interface does. */
export function marshalGo(value: unknown): string {
  if (typeof value === "string" && plainJSON.test(value)) return `"${value}"`;
  return (JSON.stringify(value) ?? "null").replace(htmlUnsafe, escapeHTML);
}
