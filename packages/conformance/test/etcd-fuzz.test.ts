/**
 * Requests that are wrong or huge: the same refusals on etcd-lite and on etcd, code and text, and
 * both go on serving.
 *
 * Malformed messages are made by breaking right ones, seeded: bits flipped, ends cut, bytes put in.
 * FUZZ_CASES makes it longer.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import { createSeededRandom } from "@nanokube/machinery";
import { etcd, type Init, type MethodInfo } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breakOne, framed } from "../src/etcd/broken-message.ts";
import { outcome } from "../src/etcd/plain.ts";
import { RandomScript } from "../src/etcd/random-script.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const [, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;
const cases = Number(process.env["FUZZ_CASES"] ?? 300);
const seed = Number(process.env["ETCD_SEED"] ?? 1);

interface Answer {
  readonly status: unknown;
  readonly code: unknown;
  readonly message: unknown;
}

/** One call with these bytes as its body, whatever they are. */
function post(session: ClientHttp2Session, path: string, body: Buffer, headers = {}) {
  return new Promise<Answer>((resolve) => {
    const fixed = { ":method": "POST", ":path": path, te: "trailers" };
    const stream = session.request({ ...fixed, "content-type": "application/grpc", ...headers });
    let seen: Record<string, unknown> = {};
    const note = (received: object) => {
      seen = { ...seen, ...received };
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("error", () => {});
    stream.on("close", () => {
      const message = decodeURIComponent(String(seen["grpc-message"] ?? ""));
      resolve({ status: seen[":status"], code: seen["grpc-status"], message });
    });
    stream.resume();
    stream.end(body);
  });
}

const methods = {
  range: etcd.KV.methods.range,
  put: etcd.KV.methods.put,
  deleteRange: etcd.KV.methods.deleteRange,
  txn: etcd.KV.methods.txn,
} as const;

/** A right request of the random script, with one thing wrong in it. */
function broken(script: RandomScript, random: () => number): { path: string; body: Buffer } {
  for (;;) {
    const { op, request } = script.next(5);
    const method = methods[op as keyof typeof methods] as MethodInfo<object, object> | undefined;
    if (method === undefined) continue;
    const bytes = Buffer.from(method.request.encode(request as Init<object>));
    if (bytes.length > 0) return { path: method.path, body: framed(breakOne(bytes, random)) };
  }
}

const { Auth, Cluster, Election, Lease, Lock, Maintenance } = etcd;
const sample = <I, O>(method: MethodInfo<I, O>, request: Init<I>) =>
  ({ path: method.path, bytes: Buffer.from(method.request.encode(request)) }) as const;
const b = (text: string) => Buffer.from(text);

/** One request of nearly every other method. */
const samples = [
  sample(Lease.methods.leaseGrant, { ID: 5n, TTL: 1000 }),
  sample(Lease.methods.leaseTimeToLive, { ID: 5n, keys: true }),
  sample(Lease.methods.leaseRevoke, { ID: 6n }),
  sample(Cluster.methods.memberUpdate, { ID: 1n, peerURLs: ["http://a:1"] }),
  sample(Cluster.methods.memberRemove, { ID: 1n }),
  sample(Cluster.methods.memberPromote, { ID: 1n }),
  sample(Cluster.methods.memberList, { linearizable: true }),
  sample(Maintenance.methods.hashKV, { revision: 2 }),
  sample(Maintenance.methods.moveLeader, { targetID: 3n }),
  sample(Maintenance.methods.downgrade, { action: 0, version: "3.5" }),
  sample(Auth.methods.userAdd, { name: "u", password: "p" }),
  sample(Auth.methods.userGet, { name: "u" }),
  sample(Auth.methods.userGrantRole, { user: "u", role: "r" }),
  sample(Auth.methods.roleAdd, { name: "r" }),
  sample(Auth.methods.roleGet, { role: "r" }),
  sample(Auth.methods.roleGrantPermission, {
    name: "r",
    perm: { permType: 2, key: b("a"), rangeEnd: b("b") },
  }),
  sample(Auth.methods.roleRevokePermission, { role: "r", key: b("a"), rangeEnd: b("b") }),
  sample(Auth.methods.authenticate, { name: "u", password: "p" }),
  sample(Election.methods.leader, { name: b("e") }),
  sample(Election.methods.resign, { leader: { name: b("e"), key: b("e/1"), rev: 2, lease: 5n } }),
  sample(Lock.methods.unlock, { key: b("l/1") }),
];

/** It may run out while the others are asked, a moment earlier here or there. */
function isShort(payload: Buffer): boolean {
  try {
    return etcd.LeaseGrantRequest.decode(payload).TTL < 900;
  } catch {
    return false;
  }
}

/** gogo-proto's texts name fields as Go does; what is wrong is what counts. */
function comparable({ status, code, message }: Answer): unknown {
  const text = String(message);
  const isParse = text.includes("unmarshal");
  return { status, code, message: isParse ? "cannot be read" : text };
}

describe.skipIf(skip !== undefined)(`wrong requests, beside etcd${skip ? `: ${skip}` : ""}`, () => {
  let open: EtcdInstance[] = [];
  let sessions: ClientHttp2Session[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(), upstream!.open()]);
    sessions = open.map(({ endpoint }) => connect(`http://${endpoint}`));
    for (const session of sessions) session.on("error", () => {});
  });
  afterAll(async () => {
    for (const session of sessions) session.destroy();
    await Promise.all(open.map((one) => one.close()));
  });

  const both = async <T>(ask: (subject: EtcdInstance, i: number) => Promise<T>) => {
    const [mine, theirs] = await Promise.all(open.map(ask));
    return { mine, theirs };
  };

  test(`${cases} broken messages`, async () => {
    const source = createSeededRandom(seed);
    const script = new RandomScript(seed);
    for (let i = 0; i < cases; i++) {
      const { path, body } = broken(script, () => source.next());
      const { mine, theirs } = await both((_, at) => post(sessions[at]!, path, body));
      const what = `seed ${seed}, case ${i}: ${path} ${body.toString("hex")}`;
      expect(comparable(mine!), what).toEqual(comparable(theirs!));
    }
    const { mine, theirs } = await both(({ kv }) => outcome(kv.range({ key: Buffer.from("a") })));
    expect(mine).toEqual(theirs);
  }, 120_000);

  test(`${cases} broken messages of the other services`, async () => {
    const source = createSeededRandom(seed);
    for (let i = 0; i < cases; i++) {
      const { path, bytes } = samples[Math.floor(source.next() * samples.length)]!;
      const payload = breakOne(Buffer.from(bytes), () => source.next());
      if (path === Lease.methods.leaseGrant.path && isShort(payload)) continue;
      const body = framed(payload);
      const { mine, theirs } = await both((_, at) => post(sessions[at]!, path, body));
      const what = `seed ${seed}, case ${i}: ${path} ${body.toString("hex")}`;
      expect(comparable(mine!), what).toEqual(comparable(theirs!));
    }
  }, 120_000);

  const good = framed(Buffer.from(etcd.RangeRequest.encode({ key: Buffer.from("a") })));
  const range = "/etcdserverpb.KV/Range";
  test.each([
    ["an empty body", range, Buffer.alloc(0), {}],
    ["half a frame", range, good.subarray(0, 3), {}],
    ["a frame that ends too soon", range, good.subarray(0, good.length - 1), {}],
    ["a flag that says compressed, and no encoding", range, Buffer.from([1, 0, 0, 0, 0]), {}],
    ["an unknown method", "/etcdserverpb.KV/Nothing", good, {}],
    ["an unknown service", "/etcdserverpb.Nothing/Range", good, {}],
    ["no slash", "nothing", good, {}],
    ["an unknown encoding", range, good, { "grpc-encoding": "br" }],
    ["a wrong timeout", range, good, { "grpc-timeout": "1x" }],
    ["a token that nobody asked for", range, good, { token: "abc" }],
    ["a leader is required", range, good, { hasleader: "true" }],
    ["metadata of 4 KiB", range, good, { "x-long": "y".repeat(4096) }],
    ["a client's version that is no text", range, good, { "client-api-version": "\xff" }],
    ["a client's version that is some", range, good, { "client-api-version": "3.\xc3\xa4" }],
    ["binary metadata that is none", range, good, { "x-bin": "%%%" }],
  ])("%s", async (_name, path, body, headers) => {
    const { mine, theirs } = await both((_, at) => post(sessions[at]!, path, body, headers));
    expect(mine).toEqual(theirs);
  });

  test.each([0, -5, 1, 9_000_000_000, 9_000_000_001])("a lease of %i seconds", async (TTL) => {
    const { mine, theirs } = await both(async ({ lease }) => {
      const reply = await outcome(lease.leaseGrant({ ID: 99n, TTL }));
      await outcome(lease.leaseRevoke({ ID: 99n }));
      return reply;
    });
    expect(mine).toEqual(theirs);
  });

  const limit = 1.5 * 1024 * 1024;
  const value = (length: number) => Buffer.alloc(length, "v");
  const key = Buffer.from("huge");

  test("the largest put that is taken, to the byte", async () => {
    // The ids of the two members differ, and etcd counts its own: within these few bytes.
    for (const less of [40, 23, 0, -100]) {
      const put = ({ kv }: EtcdInstance) => outcome(kv.put({ key, value: value(limit - less) }));
      const { mine, theirs } = await both(async (subject) => {
        const reply = (await put(subject)) as { message?: string };
        return reply.message ?? "taken";
      });
      expect(mine, `${less} bytes less than the limit`).toBe(theirs);
    }
  });

  test("beyond what gRPC takes", async () => {
    const { mine, theirs } = await both(({ kv }) =>
      outcome(kv.put({ key, value: value(2.1 * 1024 * 1024) })),
    );
    expect(mine).toEqual(theirs);
    expect(mine).toMatchObject({ code: 8 });
  });

  test.each([128, 129])("a transaction of %i operations", async (count) => {
    const success = Array.from({ length: count }, (_, i) => ({
      requestPut: { key: Buffer.from(`k${i}`) },
    }));
    const { mine, theirs } = await both(({ kv }) => outcome(kv.txn({ success })));
    expect(mine).toEqual(theirs);
  });

  test("a transaction whose compares alone are too large", async () => {
    const compare = [{ key, target: 3, value: value(limit) }];
    const success = [{ requestPut: { key } }];
    const { mine, theirs } = await both(({ kv }) => outcome(kv.txn({ compare, success })));
    expect(mine).toEqual(theirs);
  });

  test("a delete whose key is too large", async () => {
    const { mine, theirs } = await both(({ kv }) =>
      outcome(kv.deleteRange({ key: value(limit), rangeEnd: value(limit / 5) })),
    );
    expect(mine).toEqual(theirs);
  });
});

describe.skipIf(skip !== undefined)("10,000 keys in one transaction", () => {
  test("are put, and read, as by etcd", async () => {
    const flags = ["--max-txn-ops", "10000"];
    const open = await Promise.all([lite!.open(flags), upstream!.open(flags)]);
    try {
      const key = (i: number) => Buffer.from(`key/${String(i).padStart(5, "0")}`);
      const numbers = Array.from({ length: 10_000 }, (_, i) => i);
      const puts = numbers.map((i) => ({ requestPut: { key: key(i), value: key(i) } }));
      const reads = numbers.map((i) => ({ requestRange: { key: key(i) } }));
      const [mine, theirs] = await Promise.all(
        open.map(async ({ kv }) => [
          await outcome(kv.txn({ success: puts })),
          await outcome(kv.txn({ success: reads })),
          await outcome(kv.txn({ success: [...puts, puts[0]!] })),
        ]),
      );
      expect(mine).toEqual(theirs);
    } finally {
      await Promise.all(open.map((one) => one.close()));
    }
  }, 60_000);
});
