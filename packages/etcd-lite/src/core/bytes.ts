/** Keys on the wire are bytes; in the core they are latin1 text, one character a byte. */

export function keyText(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString("latin1");
}

export function keyBytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

/**
 * Bytes that may be kept: a view on a much larger buffer (a network chunk, a shared pool) is
 * copied, else a small value would hold all of it in memory.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  if (bytes.buffer.byteLength <= bytes.length + 64) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}
