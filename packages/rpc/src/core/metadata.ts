/**
 * Metadata: what callers and servers say beside the message.
 *
 * A plain object, lower-case names, text values; several values of one name are joined by ", ".
 * Names that end in "-bin" hold base64 text, as on the wire (`encodeBin`, `decodeBin`).
 * Source  gRPC over HTTP2, "Custom-Metadata"
 */

export type Metadata = Readonly<Record<string, string>>;

const reserved = new Set([
  "content-type",
  "te",
  "user-agent",
  "date",
  "connection",
  "host",
  "content-length",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "grpc-status",
  "grpc-message",
]);

type Headers = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** Custom metadata out of HTTP/2 headers or trailers: all that is not the protocol's own. */
export function metadataFromHeaders(headers: Headers): Metadata {
  const out: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name[0] === ":" || reserved.has(name)) continue;
    out[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return out;
}

/** The same for sending: the protocol's own names are not the application's to set. */
export function metadataToHeaders(metadata: Metadata | undefined): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name in metadata) {
    const lower = name.toLowerCase();
    if (lower[0] !== ":" && !reserved.has(lower)) out[lower] = metadata[name]!;
  }
  return out;
}

export function encodeBin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

export function decodeBin(text: string): Buffer {
  return Buffer.from(text, "base64");
}

/** The first header that says it is binary and is not; in grpc-go's words. */
export function binaryFault(headers: Headers): string | undefined {
  for (const name in headers) {
    if (!name.endsWith("-bin") || reserved.has(name)) continue;
    const text = String(headers[name]);
    const at = base64Fault(text);
    if (at === undefined) continue;
    const where = `malformed binary metadata ${JSON.stringify(text)} in header "${name}"`;
    return `${where}: illegal base64 data at input byte ${at}`;
  }
  return undefined;
}

/** Padded text is whole groups of four; other text is not padded at all. */
function base64Fault(text: string): number | undefined {
  const isPadded = text.length % 4 === 0;
  const plain = isPadded ? text.replace(/={1,2}$/, "") : text;
  const wrong = /[^A-Za-z0-9+/]/.exec(plain);
  if (wrong !== null) return wrong.index;
  return plain.length % 4 === 1 ? plain.length - 1 : undefined;
}
