/**
 * A server whose words are garbled on the way: whatever arrives, a client's calls end, with an
 * answer or with an RpcError, and nothing else of the program notices.
 *
 * RUBBISH_ROUNDS and RUBBISH_SEED make it longer, or another.
 */
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, createServer, dial, etcd, RpcError, type RpcServer } from "../src/index.ts";

const rounds = Number(process.env["RUBBISH_ROUNDS"] ?? 200);
let state = Number(process.env["RUBBISH_SEED"] ?? 1);
const below = (limit: number) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

let server: RpcServer;
let proxy: Server;
let url: string;

/** What a connection's server says, with some of it wrong, cut off, twice, or missing. */
function garble(bytes: Buffer): Buffer {
  const at = below(bytes.length);
  switch (below(6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(at + 9, bytes.length))]);
    case 3:
      return Buffer.concat([bytes, Buffer.from(Array.from({ length: 40 }, () => below(256)))]);
    default: {
      const copy = Buffer.from(bytes);
      for (let flips = 1 + below(4); flips > 0; flips--) copy[below(copy.length)] = below(256);
      return copy;
    }
  }
}

beforeAll(async () => {
  server = createServer();
  server.add(etcd.KV, {
    range: ({ key, limit }) => ({ kvs: Array.from({ length: limit }, () => ({ key })), count: 1 }),
  });
  const { port } = await server.listen({ port: 0, host: "127.0.0.1" });
  proxy = createTcpServer((socket) => {
    const target = connect({ port: port!, host: "127.0.0.1" });
    let isGarbled = false;
    socket.on("data", (chunk) => target.write(chunk));
    target.on("data", (chunk: Buffer) => {
      const isNow = !isGarbled && below(10) < 4;
      isGarbled ||= isNow;
      socket.write(isNow ? garble(chunk) : chunk);
    });
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(async () => {
  proxy.close();
  await server.close();
});

test(`${rounds} connections: calls end, with an answer or an RpcError`, async () => {
  let answered = 0;
  for (let round = 0; round < rounds; round++) {
    const channel = dial(url);
    const kv = createClient(channel, etcd.KV);
    const calls = Array.from({ length: 3 }, (_, i) =>
      kv.range({ key: Buffer.from("k"), limit: i * 20 }, { timeoutMs: 150 }),
    );
    for (const { status, ...outcome } of await Promise.allSettled(calls)) {
      if (status === "fulfilled") answered++;
      else expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(RpcError);
    }
    channel.close();
  }
  expect(answered).toBeGreaterThan(rounds / 2);
}, 120_000);
