/**
 * A member with more history than it keeps in memory: every revision can be read and watched, before
 * and after a restart, until a compaction forgets it.
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom, nullLog, systemClock } from "@nanokube/machinery";
import { createClient, etcd as proto } from "@nanokube/rpc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createEtcd, type Etcd } from "./etcd.ts";

const valueBytes = 64 << 10;
const keys = 10;
const writes = 500;

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "long-history-"));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

const open = () =>
  createEtcd({
    dataDir,
    clock: systemClock,
    random: createSeededRandom(1),
    log: nullLog,
    unsafeNoSync: true,
  });

const keyOf = (write: number) => Buffer.from(`key${write % keys}`);
/** The first write is revision 2. */
const contentOf = (write: number) => Buffer.alloc(valueBytes, `value ${write} `);

async function checkReads(etcd: Etcd): Promise<void> {
  const kv = createClient(etcd.channel(), proto.KV);
  for (const write of [0, 5, 123, 250, 377, writes - 1]) {
    const { kvs } = await kv.range({ key: keyOf(write), revision: write + 2 });
    expect(kvs).toHaveLength(1);
    expect(kvs[0]!.modRevision).toBe(write + 2);
    expect(Buffer.from(kvs[0]!.value).equals(contentOf(write))).toBe(true);
  }
  const all = { key: Buffer.from("\0"), rangeEnd: Buffer.from("\0") };
  const { kvs, count } = await kv.range({ ...all, revision: 100 });
  expect(count).toBe(keys);
  expect(kvs.map(({ modRevision }) => modRevision).sort((a, b) => a - b)).toEqual(
    Array.from({ length: keys }, (_, i) => 100 - keys + 1 + i),
  );
}

async function checkWatch(etcd: Etcd): Promise<void> {
  const call = createClient(etcd.channel(), proto.Watch).watch();
  const all = { key: Buffer.from("\0"), rangeEnd: Buffer.from("\0") };
  call.write({ createRequest: { ...all, startRevision: 2 } as never });
  let next = 0;
  for await (const { events } of call.responses) {
    for (const { kv } of events) {
      expect(kv!.modRevision).toBe(next + 2);
      expect(Buffer.from(kv!.value).equals(contentOf(next))).toBe(true);
      next++;
    }
    if (next === writes) break;
  }
}

/** Files of this process that have no name any more. */
function coldFiles(): number {
  if (process.platform !== "linux") return 1;
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dataDir.concat("/etcd-lite/history"));
    } catch {
      return false;
    }
  }).length;
}

test("all of it can be read and watched, also after a restart, until it is compacted", async () => {
  let etcd = await open();
  const kv = () => createClient(etcd.channel(), proto.KV);
  for (let write = 0; write < writes; write++) {
    await kv().put({ key: keyOf(write), value: contentOf(write) });
  }
  expect(coldFiles()).toBe(1);
  await checkReads(etcd);
  await checkWatch(etcd);
  await etcd.close();
  etcd = await open();
  try {
    await checkReads(etcd);
    await checkWatch(etcd);
    await kv().compact({ revision: writes, physical: true });
    const { kvs } = await kv().range({ key: keyOf(writes - 1) });
    expect(Buffer.from(kvs[0]!.value).equals(contentOf(writes - 1))).toBe(true);
    expect(etcd.member.state.store.sizeBytes).toBeLessThan((keys + 3) * (valueBytes + 200));
  } finally {
    await etcd.close();
  }
});
