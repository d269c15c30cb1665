/**
 * SPDY/3.1 frames, as far as exec, attach and port-forward use them.
 *
 * A control frame  | 1 version:15 | type:16 | flags:8 length:24 | payload |
 * A data frame     | 0 stream:31           | flags:8 length:24 | payload |
 * Header blocks are one zlib stream per direction, primed with a dictionary the protocol fixes.
 * Left out  flow control: neither side of the container runtimes' streaming servers does any
 * Source    SPDY protocol draft 3.1; github.com/moby/spdystream/spdy
 */

export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 1;
const VERSION = 3;
export const HEADER_BYTES = 8;

export interface FrameHead {
  control: boolean;
  type: number;
  streamID: number;
  flags: number;
  length: number;
}

export function readFrameHead(bytes: Buffer): FrameHead {
  const control = (bytes[0]! & 0x80) !== 0;
  const first = bytes.readUInt32BE(0);
  const second = bytes.readUInt32BE(4);
  return {
    control,
    type: control ? first & 0xffff : 0,
    streamID: control ? 0 : first & 0x7fffffff,
    flags: second >>> 24,
    length: second & 0xffffff,
  };
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt32BE((0x80000000 | (VERSION << 16) | type) >>> 0, 0);
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

export function dataFrame(streamID: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(streamID, 0);
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
};

export const synStreamPayload = (streamID: number, block: Buffer): Buffer =>
  Buffer.concat([uint32(streamID, 0), Buffer.from([0, 0]), block]);
export const synReplyPayload = (streamID: number, block: Buffer): Buffer =>
  Buffer.concat([uint32(streamID), block]);
export const rstStreamPayload = (streamID: number, status: number): Buffer =>
  uint32(streamID, status);
export const pingPayload = (id: number): Buffer => uint32(id);
export const goAwayPayload = (lastStreamID: number): Buffer => uint32(lastStreamID, 0);

/** Headers before compression: a count, then length-prefixed names (lower case) and values. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  const parts: Buffer[] = [uint32(entries.length)];
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(uint32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

export function decodeHeaders(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  let at = 4;
  const text = (): string => {
    const length = bytes.readUInt32BE(at);
    const value = bytes.toString("utf8", at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  for (let left = bytes.length < 4 ? 0 : bytes.readUInt32BE(0); left > 0; left -= 1) {
    const name = text();
    headers[name] = text();
  }
  return headers;
}

const WORDS =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length content-location " +
  "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match " +
  "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range " +
  "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get " +
  "status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin";
const TAIL =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden" +
  "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript," +
  "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/** What both ends' compressors know before the first byte. */
export const headerDictionary: Buffer = Buffer.concat([
  ...WORDS.split(" ").flatMap((word) => {
    const bytes = Buffer.from(word.replace("_", " "));
    return [uint32(bytes.length), bytes];
  }),
  Buffer.from(TAIL),
]);
