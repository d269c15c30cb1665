/**
 * Is a header block a well-formed request, and what does it say?
 *
 * Errors  undefined or false: malformed, the stream is reset with PROTOCOL_ERROR
 * Source  RFC 9113 sections 8.1 to 8.3
 */
import type { HeaderBlock } from "./hpack.ts";

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentLength: number | undefined;
  /** Regular fields; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** The values apart of each name that came several times; absent when none did. */
  readonly repeated?: Readonly<Record<string, readonly string[]>>;
  /** What the layer above made of it: the head is shared by all calls that send the same block. */
  memo: unknown;
}

const connectionFields = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const pseudoFields = new Set([":method", ":scheme", ":path", ":authority"]);

/** The head is made once and stays with the block. */
export function checkRequest(block: HeaderBlock): RequestHead | undefined {
  block.memo ??= readRequest(block) ?? "malformed";
  return block.memo === "malformed" ? undefined : (block.memo as RequestHead);
}

function readRequest({ fields }: HeaderBlock): RequestHead | undefined {
  const headers = Object.create(null) as Record<string, string>;
  const pseudo = new Map<string, string>();
  let repeated: Record<string, string[]> | undefined;
  let isRegular = false;
  for (const { name, value } of fields) {
    if (name[0] === ":") {
      if (isRegular || !pseudoFields.has(name) || pseudo.has(name)) return undefined;
      pseudo.set(name, value);
      continue;
    }
    isRegular = true;
    if (!isWellFormed(name, value)) return undefined;
    const before = headers[name];
    if (before !== undefined) {
      repeated ??= Object.create(null) as Record<string, string[]>;
      repeated[name] ??= [before];
      repeated[name].push(value);
    }
    const joint = name === "cookie" ? "; " : ", ";
    headers[name] = before === undefined ? value : before + joint + value;
  }
  const method = pseudo.get(":method");
  const path = pseudo.get(":path");
  if (!method || !path || !pseudo.get(":scheme")) return undefined;
  const length = headers["content-length"];
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  const authority = pseudo.get(":authority");
  if (authority !== undefined) headers["host"] ??= authority;
  const contentLength = length === undefined ? undefined : Number(length);
  const head = { method, path, contentLength, headers, memo: undefined };
  return repeated === undefined ? head : { ...head, repeated };
}

function isWellFormed(name: string, value: string): boolean {
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) || connectionFields.has(name)) return false;
  if (name === "te" && value !== "trailers") return false;
  // A line break in a value would become another field further on.
  return !/[\0\r\n]/.test(value);
}

export function checkTrailers({ fields }: HeaderBlock): boolean {
  return fields.every(({ name, value }) => name[0] !== ":" && isWellFormed(name, value));
}
