/** A server before callers that do not keep to the protocol: each gets its answer, nobody else notices. */
import { type ClientHttp2Session, connect } from "node:http2";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, createServer, dial, health } from "../src/index.ts";

const server = createServer({ receiveMaxBytes: 1000 });
server.add(health.Health, { check: ({ service }) => ({ status: service === "gzip" ? 2 : 1 }) });
let session: ClientHttp2Session;
let url: string;

beforeAll(async () => {
  const { port } = await server.listen({ port: 0 });
  url = `http://127.0.0.1:${port}`;
  session = connect(url);
});
afterAll(async () => {
  session.destroy();
  await server.close();
});

interface Answer {
  readonly status: unknown;
  readonly code: unknown;
  readonly message: unknown;
}

function call(headers: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    let all: Record<string, unknown> = {};
    stream.on("response", (received) => {
      all = { ...all, ...received };
    });
    stream.on("trailers", (received) => {
      all = { ...all, ...received };
    });
    stream.on("error", reject);
    stream.on("close", () =>
      resolve({ status: all[":status"], code: all["grpc-status"], message: all["grpc-message"] }),
    );
    stream.resume();
    stream.end(body);
  });
}

function frame(payload: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

const empty = frame(Buffer.alloc(0));
const request = health.HealthCheckRequest.encode({ service: "gzip" });
const ok = { status: 200, code: "0", message: undefined };
const failed = (code: number, message: string, status = 200) => ({
  status,
  code: `${code}`,
  message,
});

test.each<[string, Record<string, string>, Buffer, Answer]>([
  ["a good call", {}, empty, ok],
  ["gzip", { "grpc-encoding": "gzip" }, frame(gzipSync(request), 1), ok],
  ["gzip announced, not used", { "grpc-encoding": "gzip" }, frame(request), ok],
  [
    "compressed without saying how",
    {},
    frame(gzipSync(request), 1),
    failed(13, "grpc: compressed flag set with identity or empty encoding"),
  ],
  [
    "a compression nobody has",
    { "grpc-encoding": "snappy" },
    frame(request, 1),
    failed(12, 'grpc: Decompressor is not installed for grpc-encoding "snappy"'),
  ],
  [
    "a bomb",
    { "grpc-encoding": "gzip" },
    frame(gzipSync(Buffer.alloc(100_000)), 1),
    failed(8, "grpc: received message after decompression larger than max 1000"),
  ],
  [
    "too large",
    {},
    frame(Buffer.alloc(1001)),
    failed(8, "grpc: received message larger than max (1001 vs. 1000)"),
  ],
  [
    "an unknown flag",
    {},
    frame(request, 7),
    failed(13, "grpc: received unexpected payload format 7"),
  ],
  ["half a frame", {}, empty.subarray(0, 3), failed(2, "EOF")],
  [
    "no protobuf",
    {},
    frame(Buffer.from("ff", "hex")),
    failed(13, "grpc: error unmarshalling request: unexpected EOF"),
  ],
  ["no body", {}, Buffer.alloc(0), failed(2, "EOF")],
  ["no service", { ":path": "/a.B/C" }, empty, failed(12, "unknown service a.B")],
  ["no method", { ":path": "/x" }, empty, failed(12, 'malformed method name: "/x"')],
  [
    "not gRPC",
    { "content-type": "text/plain" },
    empty,
    failed(3, 'invalid gRPC request content-type "text/plain"', 415),
  ],
  [
    "a bad timeout",
    { "grpc-timeout": "soon" },
    empty,
    failed(13, 'malformed grpc-timeout: strconv.ParseUint: parsing "soo": invalid syntax', 400),
  ],
  [
    "binary metadata that is none",
    { "x-bin": "%%%" },
    empty,
    failed(
      13,
      'malformed binary metadata "%25%25%25" in header "x-bin": illegal base64 data at input byte 0',
      400,
    ),
  ],
])("%s", async (_, headers, body, want) => {
  expect(await call(headers, body)).toEqual(want);
  const channel = dial(url);
  expect(await createClient(channel, health.Health).check({})).toEqual({ status: 1 });
  channel.close();
});
