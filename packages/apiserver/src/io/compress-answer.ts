/**
 * Answers as gzip. What many get (the items of a list) is compressed once: one gzip stream may
 * consist of a head that is stored as it is, the items' deflated bytes and a stored tail.
 *
 * Shapes  header, stored head, the items' deflate…flush, last stored block, CRC, length
 * Units   level 1 and from 128 KiB on, as upstream's
 * Source  RFC 1951 (3.2.4 stored blocks), RFC 1952; zlib crc32.c (crc32_combine); apiserver
 *         pkg/endpoints/handlers/responsewriters/writers.go
 */
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, gzip } from "node:zlib";
import type { ListItems } from "../core/cache/kept-lists.ts";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";

const compressFromBytes = 128 * 1024;
const level = 1;
const whole = promisify(gzip);
const part = promisify(deflateRaw);
/** Magic, deflate, no flags, no time, fastest, unknown system. */
const gzipHeader = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);

export async function compressAnswer(
  request: ApiRequest,
  response: ApiResponse,
): Promise<ApiResponse> {
  const { body, headers, list } = response;
  const size = list?.items.bytes.length ?? (typeof body === "function" ? 0 : body.length);
  if (size < compressFromBytes) return response;
  // Upstream reads the bare word only: one with a quality is another.
  const encodings = (request.headers["accept-encoding"] ?? "").split(",");
  if (!encodings.some((each) => each.trim() === "gzip")) return response;
  headers["content-encoding"] = "gzip";
  headers.vary = "Accept-Encoding";
  if (list !== undefined) {
    return { status: response.status, headers, body: await spliced(list) };
  }
  return { ...response, body: await whole(body as Uint8Array, { level }) };
}

interface Deflated {
  bytes: Uint8Array;
  crc: number;
}

/** What was compressed already, for as long as somebody holds the items. */
const known = new WeakMap<ListItems, Promise<Deflated>>();

function deflated(items: ListItems): Promise<Deflated> {
  let found = known.get(items);
  if (found === undefined) {
    const options = { level, finishFlush: constants.Z_SYNC_FLUSH };
    found = part(items.bytes, options).then((bytes) => ({ bytes, crc: crc32(items.bytes) }));
    known.set(items, found);
  }
  return found;
}

async function spliced({ head, items, tail }: NonNullable<ApiResponse["list"]>): Promise<Buffer> {
  const middle = await deflated(items);
  const headAndItems = combine(crc32(head), middle.crc, items.bytes.length);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(combine(headAndItems, crc32(tail), tail.length), 0);
  trailer.writeUInt32LE((head.length + items.bytes.length + tail.length) % 2 ** 32, 4);
  const parts = [gzipHeader, stored(head, false), head, middle.bytes, stored(tail, true), tail];
  return Buffer.concat([...parts, trailer]);
}

/** What stands before bytes that are not compressed; they are fewer than 65,536. */
function stored(bytes: Uint8Array, isLast: boolean): Uint8Array {
  const { length } = bytes;
  const inverse = ~length & 0xffff;
  return Uint8Array.of(isLast ? 1 : 0, length & 255, length >> 8, inverse & 255, inverse >> 8);
}

/** The checksum of A and B in a row, from theirs and B's length: no byte is read again. */
export function combine(crcA: number, crcB: number, lengthB: number): number {
  if (lengthB === 0) return crcA;
  // Column n says what bit n becomes; first for one zero bit put behind, then squared on and on.
  let odd = Uint32Array.from({ length: 32 }, (_, n) => (n === 0 ? 0xedb88320 : 2 ** (n - 1)));
  let even = squared(odd);
  odd = squared(even);
  let crc = crcA;
  for (let left = lengthB; left > 0; left = Math.floor(left / 2)) {
    even = squared(odd);
    if (left % 2 === 1) crc = times(even, crc);
    odd = even;
  }
  return (crc ^ crcB) >>> 0;
}

function times(matrix: Uint32Array, vector: number): number {
  let sum = 0;
  for (let rest = vector, n = 0; rest !== 0; rest >>>= 1, n++) {
    if (rest & 1) sum ^= matrix[n]!;
  }
  return sum >>> 0;
}

function squared(matrix: Uint32Array): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(matrix, (column) => times(matrix, column));
}
