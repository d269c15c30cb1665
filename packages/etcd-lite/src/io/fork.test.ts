/** A store that is forked and reset: everything is as it was, also what clients were watching. */
import { createFakeClock, createSeededRandom, nullLog } from "@nanokube/machinery";
import { createClient, etcd as proto } from "@nanokube/rpc";
import { afterEach, expect, test } from "vitest";
import { createEtcd, type Etcd } from "./etcd.ts";
import { MemoryDisk } from "./memory-disk.ts";

const opened: Etcd[] = [];
afterEach(async () => {
  for (const etcd of opened.splice(0)) await etcd.close();
});

async function open() {
  const random = createSeededRandom(1);
  const etcd = await createEtcd({ clock: createFakeClock(), random, log: nullLog });
  opened.push(etcd);
  const channel = etcd.channel();
  const kv = createClient(channel, proto.KV);
  const put = async (key: string, value: string, lease = 0n) =>
    (await kv.put({ key: Buffer.from(key), value: Buffer.from(value), lease })).header!.revision;
  const get = async (key: string, revision = 0) => {
    const { kvs } = await kv.range({ key: Buffer.from(key), revision });
    return kvs[0]?.value.toString();
  };
  const leases = createClient(channel, proto.Lease);
  return { etcd, kv, put, get, leases, watch: createClient(channel, proto.Watch) };
}

test("keys, history and leases go back; what is written then has the next revision", async () => {
  const { etcd, put, get, leases } = await open();
  const first = await put("a", "1");
  await leases.leaseGrant({ ID: 7n, TTL: 60 });
  const last = await put("a", "2", 7n);
  const fork = etcd.fork();
  await put("a", "3");
  await put("b", "1");
  await leases.leaseRevoke({ ID: 7n });
  for (let i = 0; i < 3; i++) {
    etcd.reset(fork);
    expect(await get("a")).toBe("2");
    expect(await get("a", first)).toBe("1");
    expect(await get("b")).toBeUndefined();
    expect((await leases.leaseLeases({})).leases.map(({ ID }) => ID)).toEqual([7n]);
    expect(await put("c", "x")).toBe(last + 1);
  }
});

test("another etcd takes a fork over, and each goes its own way", async () => {
  const one = await open();
  const two = await open();
  await one.put("a", "1");
  two.etcd.reset(one.etcd.fork());
  await one.put("a", "one");
  await two.put("a", "two");
  expect([await one.get("a"), await two.get("a")]).toEqual(["one", "two"]);
});

test("a watch that saw what is undone ends; one that did not goes on", async () => {
  const { etcd, put, watch } = await open();
  const revision = await put("a", "1");
  const fork = etcd.fork();
  const start = (key: string) => {
    const stream = watch.watch();
    stream.write({ createRequest: { key: Buffer.from(key), startRevision: revision + 1 } });
    const responses = stream.responses[Symbol.asyncIterator]();
    return async () => (await responses.next()).value!;
  };
  const [seeing, quiet] = [start("a"), start("b")];
  expect([(await seeing()).created, (await quiet()).created]).toEqual([true, true]);
  await put("a", "2");
  expect((await seeing()).events).toHaveLength(1);
  etcd.reset(fork);
  expect(await seeing()).toMatchObject({ canceled: true, compactRevision: revision });
  await put("b", "1");
  expect((await quiet()).events[0]!.kv).toMatchObject({ modRevision: revision + 1 });
});

test("a fork and a reset of 20,000 keys take about a millisecond", async () => {
  const { etcd, put } = await open();
  for (let i = 0; i < 20_000; i++) await put(`key${i}`, "value");
  const started = performance.now();
  for (let i = 0; i < 50; i++) etcd.reset(etcd.fork());
  // Ten times of what it takes, for machines with other things to do.
  expect((performance.now() - started) / 50).toBeLessThan(10);
});

test("what is on a disk cannot be reset", async () => {
  const disk = new MemoryDisk();
  const random = createSeededRandom(1);
  const etcd = await createEtcd({ clock: createFakeClock(), random, log: nullLog, disk });
  opened.push(etcd);
  expect(() => etcd.reset(etcd.fork())).toThrow("only a member alone and in memory");
});
