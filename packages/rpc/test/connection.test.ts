/** Connections that come and go: dial failures, restarts, GOAWAY, dead peers, leftovers of sockets. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp2Server, type Http2Session } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { codes, createClient, createServer, dial, health } from "../src/index.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function healthServer(status = 1) {
  const server = createServer();
  server.add(health.Health, {
    check: () => ({ status }),
    watch: async (call) => {
      call.write({ status });
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    },
  });
  cleanups.push(() => server.close());
  return server;
}

function client(target: string | readonly string[], options = {}) {
  const channel = dial(target, options);
  cleanups.push(() => channel.close());
  return createClient(channel, health.Health);
}

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "rpc-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "x.sock");
}

test("nobody there: UNAVAILABLE at once, in grpc-go's words; waiting callers wait", async () => {
  const path = socketPath();
  const { check } = client(`unix://${path}`);
  const text = `connection error: desc = "transport: Error while dialing: dial unix ${path}: connect: no such file or directory"`;
  await expect(check({})).rejects.toMatchObject({ code: codes.UNAVAILABLE, details: text });
  await expect(check({})).rejects.toMatchObject({ code: codes.UNAVAILABLE, details: text });
  const waiting = check({}, { waitForReady: true });
  await healthServer().listen({ path });
  expect(await waiting).toEqual({ status: 1 });
});

test("a waiting caller's deadline holds", async () => {
  const { check } = client(`unix://${socketPath()}`);
  const call = check({}, { waitForReady: true, timeoutMs: 50 });
  await expect(call).rejects.toMatchObject({ code: codes.DEADLINE_EXCEEDED });
});

test("a server that restarts: calls under way fail, later ones find it again", async () => {
  const path = socketPath();
  const first = healthServer();
  await first.listen({ path });
  const { check, watch } = client(`unix://${path}`);
  const stream = watch({});
  const responses = stream.responses[Symbol.asyncIterator]();
  expect(await responses.next()).toMatchObject({ value: { status: 1 } });
  await first.close();
  await expect(responses.next()).rejects.toMatchObject({ code: codes.UNAVAILABLE });
  await healthServer(2).listen({ path });
  expect(await check({}, { waitForReady: true })).toEqual({ status: 2 });
});

test("several that serve the same: the next is called when one is lost", async () => {
  const [first, second, third] = [socketPath(), socketPath(), socketPath()];
  const { check } = client([first, second, third].map((path) => `unix://${path}`));
  const text = `connection error: desc = "transport: Error while dialing: dial unix ${third}: connect: no such file or directory"`;
  await expect(check({})).rejects.toMatchObject({ code: codes.UNAVAILABLE, details: text });
  const servers = [healthServer(1), healthServer(2)];
  await servers[0]!.listen({ path: first });
  await servers[1]!.listen({ path: second });
  const { status } = await check({}, { waitForReady: true });
  await servers[status - 1]!.close();
  // A call that was sent before the loss was seen may fail.
  const next = () => check({}, { waitForReady: true }).catch(() => undefined);
  await expect.poll(next, { timeout: 10_000 }).toEqual({ status: 3 - status });
});

test("the socket file of a killed server is replaced; that of a living one is not", async () => {
  const path = socketPath();
  await healthServer().listen({ path });
  await expect(healthServer().listen({ path })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("after GOAWAY new calls go over a new connection, the old call goes on", async () => {
  const sessions: Http2Session[] = [];
  const http2 = createHttp2Server();
  http2.on("session", (session) => sessions.push(session));
  const held: (() => void)[] = [];
  http2.on("stream", (stream) => {
    // What comes behind our GOAWAY is refused, and sent again elsewhere.
    stream.on("error", () => {});
    const answer = () => {
      const head = { ":status": 200, "content-type": "application/grpc" };
      stream.respond(head, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(health.HealthCheckResponse.encodeFrame({ status: sessions.length }));
    };
    if (sessions.length === 1) held.push(answer);
    else answer();
  });
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => http2.close(resolve)));
  cleanups.push(() => sessions.forEach((session) => void session.destroy()));
  const { port } = http2.address() as { port: number };
  const { check } = client(`http://127.0.0.1:${port}`);
  const old = check({});
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  sessions[0]!.goaway();
  while (sessions.length === 1) {
    // Until the client has read the GOAWAY its calls still go the old way, and are held there.
    await Promise.race([check({}), new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  expect(await check({})).toEqual({ status: 2 });
  held[0]!();
  expect(await old).toEqual({ status: 2 });
});

test("more calls than the peer takes at once wait for each other", async () => {
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 2 } });
  let atOnce = 0;
  let most = 0;
  http2.on("stream", (stream) => {
    most = Math.max(most, ++atOnce);
    stream.on("close", () => atOnce--);
    stream.resume().on("end", () => {
      const head = { ":status": 200, "content-type": "application/grpc" };
      stream.respond(head, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(health.HealthCheckResponse.encodeFrame({ status: 1 }));
    });
  });
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => http2.close(resolve)));
  const { port } = http2.address() as { port: number };
  const { check } = client(`http://127.0.0.1:${port}`);
  // The first call goes out before the peer has said how many it takes.
  await check({});
  most = 0;
  const calls = Array.from({ length: 20 }, () => check({}));
  expect(await Promise.all(calls)).toEqual(Array(20).fill({ status: 1 }));
  // The end of one may be told behind the beginning of the next.
  expect(most).toBeLessThan(5);
});

test("a peer that went silent is found by keep-alive pings", async () => {
  const silent = createTcpServer((socket) => void socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => silent.close(resolve)));
  const { port } = silent.address() as { port: number };
  const options = { keepaliveMs: 20, keepaliveTimeoutMs: 20 };
  const { check } = client(`http://127.0.0.1:${port}`, options);
  await expect(check({})).rejects.toMatchObject({ code: codes.UNAVAILABLE });
});

test.each(["ftp://x", "localhost:1"])("%s is no target", (target) => {
  expect(() => dial(target)).toThrow(TypeError);
});
