/**
 * SPDY frames that are wrong, to a session that serves: it ends or goes on, and so do its streams;
 * nothing else of the program notices.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { deflateSync } from "node:zlib";
import { createSeededRandom } from "@nanokube/machinery";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  controlFrame,
  dataFrame,
  encodeHeaders,
  frameType,
  headerDictionary,
  pingPayload,
  synStreamPayload,
} from "./spdy-frames.ts";
import { SpdySession } from "./spdy-session.ts";

const random = createSeededRandom(1);
const below = (limit: number): number => Math.floor(random.next() * limit);
const noise = (size: number): Buffer => Buffer.from(random.bytes(size));

let listener: Server;
let served: SpdySession[];

beforeEach(async () => {
  served = [];
  listener = createServer((socket) => {
    const echo = {
      server: true,
      onStream: (stream: NodeJS.ReadWriteStream) => stream.pipe(stream),
    };
    served.push(new SpdySession(socket, echo as ConstructorParameters<typeof SpdySession>[1]));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  for (const session of served) session.close();
  listener.close();
});

/** Says so, hangs up, and waits until the other side has noticed. */
async function say(bytes: Buffer): Promise<void> {
  const { port } = listener.address() as { port: number };
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  const before = served.length;
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.end(bytes);
  await expect.poll(() => served.length, { timeout: 30_000 }).toBeGreaterThan(before);
  await served[before]!.closed;
  socket.destroy();
}

const headers = (text: Buffer): Buffer => deflateSync(text, { dictionary: headerDictionary });
const opened = (id: number, block = headers(encodeHeaders({ streamtype: "data" }))): Buffer =>
  controlFrame(frameType.synStream, 0, synStreamPayload(id, block));

test("frames at random end their session", async () => {
  for (let i = 0; i < 150; i++) {
    const frames = Array.from({ length: 1 + below(8) }, () => {
      const payload = noise(below(40));
      return below(2) === 0
        ? controlFrame(1 + below(10), below(256), payload)
        : dataFrame(below(6), below(256), payload);
    });
    await say(Buffer.concat([...(below(2) === 0 ? [opened(1)] : []), ...frames]));
  }
});

test.each<[string, Buffer]>([
  ["nothing", Buffer.alloc(0)],
  ["half a head", Buffer.from([0x80, 3, 0])],
  ["a frame of 16 MiB that never comes", Buffer.from([0x80, 3, 0, 1, 0, 255, 255, 255])],
  ["headers that are not compressed", opened(1, Buffer.from("no zlib"))],
  ["a count beyond all", opened(1, headers(Buffer.from([255, 255, 255, 255])))],
  ["a length beyond all", opened(1, headers(Buffer.from([0, 0, 0, 1, 255, 255, 255, 255])))],
  ["headers that inflate to 64 MiB", opened(1, headers(Buffer.alloc(64 * 2 ** 20)))],
  ["a stream twice", Buffer.concat([opened(1), opened(1)])],
  ["data of no stream", dataFrame(9, 1, noise(10))],
  [
    "20,000 pings",
    Buffer.concat(Array(20_000).fill(controlFrame(frameType.ping, 0, pingPayload(1)))),
  ],
  ["a reset too short", controlFrame(frameType.rstStream, 0, Buffer.alloc(2))],
])("%s", async (_, bytes) => {
  await say(bytes);
});
