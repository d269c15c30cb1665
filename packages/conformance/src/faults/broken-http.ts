/**
 * HTTP that breaks its rules, by hand: requests of two lengths, chunks that are none, HTTP/2 frames
 * at random and by the thousand.
 *
 * Source  RFC 9112; RFC 9113; CVE-2023-44487 (streams reset at once), CVE-2019-9512 to 9518
 */
import { headerBlock, preface, rawFrame, settingsFrame } from "../etcd/raw-http2.ts";
import type { Numbers } from "./rubbish.ts";

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, window: 8, more: 9 };
const endStream = 1;
const endHeaders = 4;

const head = (...lines: string[]): Buffer =>
  Buffer.from(["POST /api/v1/namespaces HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n"));

/** Each is one connection; a name for the test's message. */
export function brokenHttp1(): [name: string, bytes: Buffer][] {
  return [
    ["two lengths", head("Content-Length: 3", "Content-Length: 7")],
    ["a length and chunks", head("Content-Length: 3", "Transfer-Encoding: chunked")],
    ["a length below zero", head("Content-Length: -1")],
    ["a length that is none", head("Content-Length: 0x10")],
    ["a length beyond all", head("Content-Length: 99999999999999999999")],
    ["an encoding nobody knows", head("Transfer-Encoding: chunked, nothing")],
    ["a chunk of no size", Buffer.concat([head("Transfer-Encoding: chunked"), text("zz\r\n")])],
    [
      "a chunk without end",
      Buffer.concat([head("Transfer-Encoding: chunked"), text("ffffffffffffffff\r\nx")]),
    ],
    ["a folded header", head("X: a", "  b")],
    ["a name with a space", head("X : a")],
    ["a zero in a header", head("X: a\0b")],
    ["very many headers", head(...Array.from({ length: 5000 }, (_, i) => `X-${i}: y`))],
    ["a header of a megabyte", head(`X: ${"y".repeat(1_100_000)}`)],
    ["lines without returns", text("GET / HTTP/1.1\nHost: x\n\n")],
    ["no host", text("GET / HTTP/1.1\r\n\r\n")],
    ["an older version", text("GET /\r\n\r\n")],
    ["another version", text("GET / HTTP/9.9\r\nHost: x\r\n\r\n")],
    ["a method of its own", text("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["a tunnel", text("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["an upgrade to nothing", head("Connection: Upgrade", "Upgrade: nothing/1")],
    ["an upgrade to h2c", head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")],
    ["a hundred requests at once", text("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100))],
  ];
}

const text = (value: string): Buffer => Buffer.from(value, "latin1");

const get = (stream: number, ...more: (readonly [string, string])[]): Buffer =>
  rawFrame({
    type: frameTypes.headers,
    flags: endStream | endHeaders,
    stream,
    payload: headerBlock([
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/livez"],
      [":authority", "x"],
      ...more,
    ]),
  });

const many = (count: number, frame: (i: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => frame(i)));

const begun = (...frames: Buffer[]): Buffer => Buffer.concat([preface, settingsFrame, ...frames]);

const reset = (stream: number): Buffer =>
  rawFrame({ type: frameTypes.reset, stream, payload: Buffer.from([0, 0, 0, 8]) });

/** What one client alone can do to a server that keeps count of nothing. */
export function brokenHttp2(): [name: string, bytes: Buffer][] {
  const ping = rawFrame({ type: frameTypes.ping, payload: Buffer.alloc(8) });
  const open = rawFrame({
    type: frameTypes.headers,
    stream: 1,
    payload: headerBlock([[":method", "GET"]]),
  });
  const more = rawFrame({
    type: frameTypes.more,
    stream: 1,
    payload: headerBlock([["x", "y".repeat(1000)]]),
  });
  const growth = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
  return [
    ["no preface", Buffer.concat([settingsFrame, get(1)])],
    ["pings", begun(many(20_000, () => ping))],
    ["settings", begun(many(20_000, () => settingsFrame))],
    [
      "streams reset at once",
      begun(many(5000, (i) => Buffer.concat([get(2 * i + 1), reset(2 * i + 1)]))),
    ],
    [
      "headers without end",
      begun(
        open,
        many(3000, () => more),
      ),
    ],
    ["empty data", begun(many(20_000, () => rawFrame({ type: frameTypes.data, stream: 1 })))],
    [
      "a window beyond all",
      begun(many(3, () => rawFrame({ type: frameTypes.window, payload: growth }))),
    ],
    ["a window of nothing", begun(rawFrame({ type: frameTypes.window, payload: Buffer.alloc(4) }))],
    ["a frame beyond all", begun(rawFrame({ type: frameTypes.data, stream: 1, length: 0xffffff }))],
    ["an even stream", begun(get(2))],
    ["a stream twice", begun(get(1), get(1), get(1))],
    [
      "an index of nothing",
      begun(rawFrame({ type: 1, flags: 5, stream: 1, payload: text("\xff\xff\xff\xff\xff\x0f") })),
    ],
    ["capitals", begun(get(1, ["X-Capital", "a"]))],
    ["a pseudo-header late", begun(get(1, ["x", "y"], [":path", "/other"]))],
    ["a header twice", begun(get(1, [":path", "/other"]))],
    [
      "very many headers",
      begun(get(1, ...Array.from({ length: 200 }, (_, i) => [`x${i}`, "y"] as const))),
    ],
    ["very many streams", begun(many(2000, (i) => get(2 * i + 1)))],
  ];
}

/** Frames of any type, flags and stream, with payloads that mean nothing. */
export function randomFrames(next: Numbers): Buffer {
  const frames = Array.from({ length: 1 + next(20) }, () =>
    rawFrame({
      type: next(12),
      flags: next(256),
      stream: next(3) === 0 ? 0 : next(20),
      payload: Buffer.from(Array.from({ length: next(60) }, () => next(256))),
    }),
  );
  return begun(...(next(2) === 0 ? [get(1)] : []), ...frames);
}
