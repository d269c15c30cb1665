/**
 * gRPC status: codes, the error that carries one, and its text on the wire.
 *
 * `grpc-message` is percent-encoded UTF-8: every byte outside 0x20-0x7e and "%" itself.
 * Source  gRPC over HTTP2 (PROTOCOL-HTTP2.md), "Responses"; google.golang.org/grpc/codes
 */

export const codes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

const codeNames = Object.fromEntries(Object.entries(codes).map(([name, code]) => [code, name]));

export function codeName(code: number): string {
  return codeNames[code] ?? `CODE(${code})`;
}

/** A call that failed: on the server thrown by handlers, on the client thrown to callers. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string) {
    super(`${codeName(code)}: ${details}`);
    this.code = code;
    this.details = details;
  }
}

/** What a thrown value means to the peer: RpcErrors as they are, anything else is UNKNOWN. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(codes.UNKNOWN, error instanceof Error ? error.message : String(error));
}

export function encodeMessage(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text;
  let out = "";
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** Never fails: what is not a valid escape stands for itself. */
export function decodeMessage(text: string): string {
  if (!text.includes("%")) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] === "%" && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else bytes.push(...Buffer.from(text[i]!));
  }
  return Buffer.from(bytes).toString("utf8");
}

/** HTTP statuses that a proxy may answer in place of gRPC's own. */
export function codeOfHttpStatus(status: number): number {
  switch (status) {
    case 400:
      return codes.INTERNAL;
    case 401:
      return codes.UNAUTHENTICATED;
    case 403:
      return codes.PERMISSION_DENIED;
    case 404:
      return codes.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return codes.UNAVAILABLE;
    default:
      return codes.UNKNOWN;
  }
}
