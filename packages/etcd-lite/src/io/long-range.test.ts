/** A long list says the same as one made in one go, and what comes meanwhile is not in it. */
import { createFakeClock, createSeededRandom, nullLog } from "@nanokube/machinery";
import { type Channel, createClient, dial, etcd, type Init } from "@nanokube/rpc";
import { afterAll, beforeAll, expect, test } from "vitest";
import { executeRange } from "../core/kv-requests.ts";
import { createEtcd, type Etcd } from "./etcd.ts";

const text = (s: string) => Buffer.from(s);
const nameOf = (i: number) => `/keys/${String(i).padStart(5, "0")}`;
const all = { key: text("/keys/"), rangeEnd: text("/keys0") };
const count = 5000;

let server: Etcd;
let socket: Channel;
beforeAll(async () => {
  const [clock, random] = [createFakeClock(), createSeededRandom(1)];
  server = await createEtcd({ clock, random, log: nullLog, limits: { txnOpsMax: count } });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  socket = dial(`http://127.0.0.1:${port}`);
  const success = Array.from({ length: count }, (_, i) => ({
    requestPut: { key: text(nameOf(i)), value: text(`value of ${i}`) },
  }));
  await createClient(server.channel(), etcd.KV).txn({ success });
});
afterAll(async () => {
  socket.close();
  await server.close();
});

test.each(["socket", "memory"])("whole and in order, over %s", async (way) => {
  const kv = createClient(way === "socket" ? socket : server.channel(), etcd.KV);
  const listed = kv.range(all);
  await kv.put({ key: text(nameOf(count)), value: text("too late") });
  const { kvs, header, more, count: told } = await listed;
  expect(kvs.map(({ key }) => key.toString())).toEqual(
    Array.from({ length: count }, (_, i) => nameOf(i)),
  );
  expect(kvs[4321]!.value.toString()).toBe("value of 4321");
  expect([more, told, kvs[0]!.version]).toEqual([false, count, 1]);
  expect(kvs.every(({ modRevision }) => modRevision <= header!.revision)).toBe(true);
  await kv.deleteRange({ key: text(nameOf(count)) });
});

test("a limit, and what is beyond it", async () => {
  const kv = createClient(socket, etcd.KV);
  const { kvs, more, count: told } = await kv.range({ ...all, limit: 3001 });
  expect([kvs.length, more, told]).toEqual([3001, true, count]);
  const rest = await kv.range({ ...all, key: text(`${nameOf(3000)}\0`), limit: count });
  expect([rest.kvs.length, rest.more]).toEqual([count - 3001, false]);
});

test("says what a list made in one go says, whatever is asked for", {
  timeout: 60_000,
}, async () => {
  const kv = createClient(socket, etcd.KV);
  const { member } = server;
  const old = member.state.store.revision;
  for (let i = 0; i < count; i += 7) {
    await kv.put({ key: text(nameOf(i)), value: text(`second ${(i * 7919) % count}`) });
  }
  const middle = member.state.store.revision;
  await kv.deleteRange({ key: text(nameOf(1000)), rangeEnd: text(nameOf(3000)) });
  await kv.put({ key: text(nameOf(2000)), value: text("again") });
  const spans = [all, { key: text(nameOf(10)), rangeEnd: text(nameOf(90)) }];
  const limits = [0, 1, 40, 2500, 2993, 3001];
  const forms: Init<etcd.RangeRequest>[] = [
    {},
    { keysOnly: true },
    { sortOrder: 2 },
    { sortOrder: 1 },
    { sortTarget: 3, sortOrder: 2 },
    { sortTarget: 4 },
    { minModRevision: old + 5 },
    { maxModRevision: middle, sortTarget: 3, keysOnly: true },
    { maxCreateRevision: old, minCreateRevision: 1 },
    { countOnly: true },
  ];
  for (const span of spans) {
    for (const revision of [0, old, middle, middle + 1]) {
      for (const limit of revision === 0 ? limits : [0, 2993]) {
        for (const form of forms) {
          const request = { ...span, ...form, revision, limit };
          const bytes = etcd.RangeRequest.encode(request);
          const whole = executeRange(member.state.store, etcd.RangeRequest.decode(bytes));
          const { header: _, ...wanted } = etcd.RangeResponse.decode(
            etcd.RangeResponse.encode(whole),
          );
          const { header, ...found } = await kv.range(request);
          expect(header!.revision).toBe(middle + 2);
          const about = JSON.stringify({ ...form, revision, limit });
          expect([found.more, found.count], about).toEqual([wanted.more, wanted.count]);
          const told = ({ kvs }: { kvs: readonly etcd.KeyValue[] }) =>
            kvs.map((kv) => Buffer.from(etcd.KeyValue.encode(kv)).toString("latin1"));
          expect(told(found), about).toEqual(told(wanted));
        }
      }
    }
  }
});
