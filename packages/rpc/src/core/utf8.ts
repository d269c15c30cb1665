/**
 * Text whose bytes are not UTF-8, kept as it is: each byte that fits nowhere is a lone surrogate,
 * U+DC80 to U+DCFF, and becomes that byte again when it is written.
 *
 * etcd's messages (gogo's protobuf) take any bytes for a string: two names that differ in such a
 * byte are two names.
 */

/** What text looks like when something in it could not be read. */
const replaced = "\ufffd";
const firstEscape = 0xdc00;

export function readUTF8(bytes: Buffer, at: number, end: number): string {
  const text = bytes.toString("utf8", at, end);
  return text.includes(replaced) ? readEscaped(bytes, at, end) : text;
}

function readEscaped(bytes: Buffer, at: number, end: number): string {
  let text = "";
  for (let i = at; i < end; ) {
    const size = Math.min(sizeOf(bytes[i]!), end - i);
    const read = bytes.toString("utf8", i, i + size);
    const isWhole =
      Buffer.byteLength(read) === size && Buffer.from(read).equals(bytes.subarray(i, i + size));
    text += isWhole ? read : String.fromCharCode(firstEscape + bytes[i]!);
    i += isWhole ? size : 1;
  }
  return text;
}

/** Of a sequence, by how it begins. */
function sizeOf(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** The bytes of a text in which there are such surrogates; any other is read as replaced. */
export function writeEscaped(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const letter of text) {
    const code = letter.charCodeAt(0);
    const isEscape =
      letter.length === 1 && code >= firstEscape + 0x80 && code <= firstEscape + 0xff;
    parts.push(isEscape ? Buffer.from([code - firstEscape]) : Buffer.from(letter));
  }
  return Buffer.concat(parts);
}
