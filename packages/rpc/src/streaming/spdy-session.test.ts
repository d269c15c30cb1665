/** Two sessions back to back over a pair of sockets. */
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decodeHeaders, encodeHeaders, headerDictionary } from "./spdy-frames.ts";
import { SpdySession, type SpdyStream } from "./spdy-session.ts";

let client: SpdySession;
let server: SpdySession;
let accepted: SpdyStream[] = [];
let stop: () => void;

beforeEach(async () => {
  accepted = [];
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  const incoming = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const outgoing = connect(port, "127.0.0.1");
  server = new SpdySession(await incoming, { server: true, onStream: (s) => accepted.push(s) });
  client = new SpdySession(outgoing, { server: false });
  stop = () => {
    client.close();
    server.close();
    listener.close();
  };
});
afterEach(() => stop());

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function pair(headers: Record<string, string>): Promise<[SpdyStream, SpdyStream]> {
  const near = await client.openStream(headers);
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return [near, accepted.shift()!];
}

test("the dictionary has the length that the protocol gives it", () => {
  expect(headerDictionary.length).toBe(1423);
});

test("headers survive, names in lower case", () => {
  const block = encodeHeaders({ streamType: "error", Port: "80" });
  expect(decodeHeaders(block)).toEqual({ streamtype: "error", port: "80" });
});

test("streams carry bytes both ways and half-close", async () => {
  const [near, far] = await pair({ streamType: "data" });
  expect(far.headers).toEqual({ streamtype: "data" });
  near.end("question");
  expect(await read(far)).toBe("question");
  far.end("answer");
  expect(await read(near)).toBe("answer");
});

test("the compressor keeps its state over many streams", async () => {
  for (const id of ["1", "2", "3"]) {
    const [, far] = await pair({ streamType: "data", port: "80", requestID: id });
    expect(far.headers.requestid).toBe(id);
  }
});

test("a slow reader gets everything", async () => {
  const [near, far] = await pair({});
  const big = Buffer.alloc(3_000_000, "x");
  near.end(big);
  let size = 0;
  for await (const chunk of far as AsyncIterable<Buffer>) {
    size += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(size).toBe(big.length);
});

test("what came before a reset can still be read", async () => {
  const [near, far] = await pair({});
  far.write("last word", () => far.destroy());
  expect(await read(near)).toBe("last word");
});

test("a lost connection ends the streams", async () => {
  const [near] = await pair({});
  server.close();
  expect(await read(near)).toBe("");
  await client.closed;
});
