/** The same calls over memory, TCP, unix sockets and TLS: one table, every transport. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bidi,
  type Channel,
  clientStream,
  codes,
  createClient,
  createServer,
  dial,
  etcd,
  health,
  RpcError,
  type RpcServer,
  serverStream,
  service,
  unary,
} from "../src/index.ts";

const { KeyValue } = etcd;
const text = (s: string) => Buffer.from(s);
const string = (b: Uint8Array) => Buffer.from(b).toString();

const Echo = service("test.Echo", {
  one: unary("/test.Echo/One", KeyValue, KeyValue),
  down: serverStream("/test.Echo/Down", KeyValue, KeyValue),
  up: clientStream("/test.Echo/Up", KeyValue, KeyValue),
  both: bidi("/test.Echo/Both", KeyValue, KeyValue),
  absent: unary("/test.Echo/Absent", KeyValue, KeyValue),
});

let aborted = Promise.withResolvers<void>();

function addEcho(server: RpcServer): void {
  server.add(Echo, {
    one: async (request, call) => {
      const key = string(request.key);
      if (key === "fail") throw new RpcError(codes.NOT_FOUND, "nö % such\nkey");
      if (key === "bug") throw new Error("a bug");
      if (key === "metadata") return { value: text(JSON.stringify(call.metadata)) };
      if (key === "hang") {
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
        aborted.resolve();
      }
      return request;
    },
    down: async (call) => {
      const { version } = await call.first();
      for (let i = 0; i < version; i++) if (!call.write({ version: i })) await call.drained();
      if (version === 3) throw new RpcError(codes.ABORTED, "three is too many");
    },
    up: async (call) => {
      let version = 0;
      for await (const request of call.requests) version += request.version;
      return { version };
    },
    both: async (call) => {
      call.signal.addEventListener("abort", () => aborted.resolve());
      for await (const request of call.requests) call.write({ version: request.version * 2 });
    },
  });
  server.add(health.Health, { check: () => ({ status: 1 }) });
}

const directory = mkdtempSync(join(tmpdir(), "rpc-"));
const transports: Record<string, (server: RpcServer) => Promise<Channel>> = {
  memory: async (server) => server.memory(),
  tcp: async (server) => {
    const { port } = await server.listen({ port: 0 });
    return dial(`http://127.0.0.1:${port}`);
  },
  unix: async (server) => {
    const path = join(directory, "x.sock");
    await server.listen({ path });
    return dial(`unix://${path}`);
  },
  tls: async (server) => {
    const [key, cert] = certificate();
    const tls = { key, cert, ca: cert, requireClientCert: true };
    const { port } = await server.listen({ port: 0, tls });
    return dial(`https://localhost:${port}`, { tls: { ca: cert, key, cert } });
  },
};

function certificate(): [Buffer, Buffer] {
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  execFileSync(
    "openssl",
    [
      ...args.split(" "),
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ].concat(["-keyout", key, "-out", cert]),
    { stdio: "ignore" },
  );
  return [readFileSync(key), readFileSync(cert)];
}

afterAll(() => rmSync(directory, { recursive: true }));

describe.each(Object.entries(transports))("%s", (name, open) => {
  const server = createServer();
  let channel: Channel;
  const client = () => createClient(channel, Echo);

  beforeAll(async () => {
    addEcho(server);
    channel = await open(server);
  });
  afterAll(async () => {
    channel.close();
    await server.close();
  });

  test("unary: fields come back, absent ones have their zero value", async () => {
    const answer = await client().one({ key: text("k"), lease: 2n ** 62n + 1n, modRevision: 1e12 });
    expect({ ...answer, key: string(answer.key), value: string(answer.value) }).toEqual({
      key: "k",
      createRevision: 0,
      modRevision: 1e12,
      version: 0,
      value: "",
      lease: 2n ** 62n + 1n,
    });
  });

  test("errors keep code and text; a bug is UNKNOWN", async () => {
    const failed = client().one({ key: text("fail") });
    await expect(failed).rejects.toMatchObject({
      code: codes.NOT_FOUND,
      details: "nö % such\nkey",
    });
    const bug = client().one({ key: text("bug") });
    await expect(bug).rejects.toMatchObject({ code: codes.UNKNOWN, details: "a bug" });
  });

  test("unknown methods and services are UNIMPLEMENTED by name", async () => {
    await expect(client().absent({})).rejects.toMatchObject({
      code: codes.UNIMPLEMENTED,
      details: "unknown method Absent for service test.Echo",
    });
    await expect(createClient(channel, etcd.KV).range({})).rejects.toMatchObject({
      code: codes.UNIMPLEMENTED,
      details: "unknown service etcdserverpb.KV",
    });
  });

  test("metadata arrives, the protocol's own names do not", async () => {
    const metadata = { "x-a": "1", te: "no", "y-bin": "AAEC" };
    const answer = await client().one({ key: text("metadata") }, { metadata });
    expect(JSON.parse(string(answer.value))).toEqual({ "x-a": "1", "y-bin": "AAEC" });
  });

  test("a deadline ends the call on both sides", async () => {
    aborted = Promise.withResolvers();
    const call = client().one({ key: text("hang") }, { timeoutMs: 30 });
    const want = { code: codes.DEADLINE_EXCEEDED, details: "context deadline exceeded" };
    await expect(call).rejects.toMatchObject(want);
    await aborted.promise;
  });

  test("cancelling ends the call on both sides", async () => {
    aborted = Promise.withResolvers();
    const controller = new AbortController();
    const call = client().one({ key: text("hang") }, { signal: controller.signal });
    await client().one({});
    controller.abort();
    await expect(call).rejects.toMatchObject({
      code: codes.CANCELLED,
      details: "context canceled",
    });
    await aborted.promise;
  });

  test("server streaming: everything in order, then the status", async () => {
    const versions: number[] = [];
    for await (const { version } of client().down({ version: 5000 }).responses) {
      versions.push(version);
    }
    expect(versions).toEqual([...Array(5000).keys()]);

    const seen: number[] = [];
    const failing = async () => {
      for await (const { version } of client().down({ version: 3 }).responses) seen.push(version);
    };
    await expect(failing).rejects.toMatchObject({ code: codes.ABORTED });
    expect(seen).toEqual([0, 1, 2]);
  });

  test("client streaming: one answer for many requests", async () => {
    const stream = client().up();
    for (let version = 1; version <= 100; version++) stream.write({ version });
    stream.end();
    const answers = [];
    for await (const { version } of stream.responses) answers.push(version);
    expect(answers).toEqual([5050]);
  });

  test("bidi: answers while requests are still coming; leaving the loop cancels", async () => {
    aborted = Promise.withResolvers();
    const stream = client().both();
    stream.write({ version: 1 });
    let last = 0;
    for await (const { version } of stream.responses) {
      last = version;
      if (version > 1000) break;
      stream.write({ version });
    }
    expect(last).toBe(1024);
    await aborted.promise;
  });

  test("a slow reader holds the writer back", async () => {
    const stream = client().down({ version: 200_000 });
    const iterator = stream.responses[Symbol.asyncIterator]();
    await iterator.next();
    await delay(20);
    let count = 1;
    for (;;) {
      const next = await iterator.next();
      if (next.done) break;
      count++;
    }
    expect(count).toBe(200_000);
  });

  test.skipIf(name === "memory")(
    "a message above 4 MiB is refused in grpc-go's words",
    async () => {
      const call = client().one({ value: Buffer.alloc(5 << 20) });
      await expect(call).rejects.toMatchObject({
        code: codes.RESOURCE_EXHAUSTED,
        details: "grpc: received message larger than max (5242885 vs. 4194304)",
      });
      await expect(client().one({ value: Buffer.alloc(4e6) })).resolves.toBeDefined();
    },
  );
});
