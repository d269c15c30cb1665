/**
 * Answers as gzip. What many get (the items of a list) is compressed once: its deflated bytes are
 * put between those of a head and a tail, which one deflate stream may consist of.
 *
 * Shapes  header, deflate(head)…flush, the items' deflate…flush, deflate(tail)…end, CRC, length
 * Units   level 1 and from 128 KiB on, as upstream's
 * Source  RFC 1951, RFC 1952; apiserver pkg/endpoints/handlers/responsewriters/writers.go
 */
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, deflateRawSync, gzip } from "node:zlib";
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
  const { body, headers, shared } = response;
  if (typeof body === "function" || body.length < compressFromBytes) return response;
  if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return response;
  headers["content-encoding"] = "gzip";
  headers.vary = "Accept-Encoding";
  if (shared === undefined) return { ...response, body: await whole(body, { level }) };
  return { ...response, body: await spliced(body, shared.items, shared.at) };
}

async function spliced(body: Uint8Array, items: ListItems, at: number): Promise<Uint8Array> {
  items.deflated ??= part(items.bytes, { level, finishFlush: constants.Z_SYNC_FLUSH });
  const middle = await items.deflated;
  const flush = { level, finishFlush: constants.Z_SYNC_FLUSH };
  const head = deflateRawSync(body.subarray(0, at), flush);
  const tail = deflateRawSync(body.subarray(at + items.bytes.length), { level });
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(body), 0);
  trailer.writeUInt32LE(body.length % 2 ** 32, 4);
  return Buffer.concat([gzipHeader, head, middle, tail, trailer]);
}
