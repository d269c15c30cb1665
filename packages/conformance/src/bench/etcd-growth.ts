/**
 * What an etcd costs with more keys, and with history that was compacted.
 *
 * Units   bytes, milliseconds; keys of 20 bytes, values of 256 bytes
 */
import { createClient, etcd } from "@nanokube/rpc";
import { type Row, runRow } from "./etcd-load.ts";
import { type Program, RunningEtcd } from "./etcd-subject.ts";

export interface Size {
  readonly keys: number;
  readonly residentBytes: number;
  /** Of which by keys: what the empty store took is subtracted. */
  readonly bytesPerKey: number;
  /** After a kill, to the first answer; resident then. */
  readonly startMs: number;
  readonly startedBytes: number;
  /** A list of all of them, in pages of 500. */
  readonly listMs: number;
  /** A second, 100 clients: overwriting keys of 256 bytes, and reading one key of them. */
  readonly putRate: number;
  readonly rangeRate: number;
  /** The slowest answer to a small read while one list of all keys is made. */
  readonly worstReadMs: number;
}

const opsPerTxn = 100;
const underWay = 8;

export async function fill(subject: RunningEtcd, from: number, to: number): Promise<void> {
  const value = Buffer.alloc(256, "v");
  await subject.use(async (channel) => {
    const kv = createClient(channel, etcd.KV);
    let next = from;
    const work = async () => {
      while (next < to) {
        const first = next;
        next = Math.min(next + opsPerTxn, to);
        const success = Array.from({ length: next - first }, (_, i) => ({
          requestPut: { key: keyOf(first + i), value },
        }));
        await kv.txn({ success });
      }
    };
    await Promise.all(Array.from({ length: underWay }, work));
  });
}

function keyOf(index: number): Buffer {
  return Buffer.from(`/growth/${String(index).padStart(12, "0")}`);
}

const many = "--clients 100 --conns 10";
const putRow: Row = {
  name: "put among them",
  args: `put ${many} --val-size 256 --key-space-size 100000`,
  total: 20_000,
  by: "rate",
};
const rangeRow: Row = {
  name: "range of one of them",
  args: `range ${keyOf(500)} ${many}`,
  total: 40_000,
  by: "rate",
};

const prefix = { key: Buffer.from("/growth/"), rangeEnd: Buffer.from("/growth0") };

export async function measureSizes(program: Program, sizes: readonly number[]): Promise<Size[]> {
  const subject = await RunningEtcd.open(program);
  const found: Size[] = [];
  try {
    const emptyBytes = subject.residentBytes;
    let filled = 0;
    for (const keys of sizes) {
      await fill(subject, filled, keys);
      filled = keys;
      const { residentBytes } = subject;
      const listMs = await listAll(subject);
      const worstReadMs = await worstRead(subject);
      await subject.kill();
      const startMs = await subject.start();
      const bytesPerKey = (residentBytes - emptyBytes) / keys;
      const startedBytes = subject.residentBytes;
      // Last: what is written here is not among the keys counted.
      const rangeRate = (await runRow(rangeRow, subject, 1)).rate;
      const putRate = (await runRow(putRow, subject, 1)).rate;
      const rates = { putRate, rangeRate };
      const times = { startMs, listMs, worstReadMs };
      found.push({ keys, residentBytes, bytesPerKey, startedBytes, ...rates, ...times });
    }
    return found;
  } finally {
    await subject.close();
  }
}

async function listAll(subject: RunningEtcd): Promise<number> {
  return await subject.use(async (channel) => {
    const kv = createClient(channel, etcd.KV);
    const startMs = performance.now();
    let { key } = prefix;
    for (;;) {
      const { kvs, more } = await kv.range({ ...prefix, key, limit: 500 });
      if (!more) return performance.now() - startMs;
      key = Buffer.concat([kvs.at(-1)!.key, Buffer.alloc(1)]);
    }
  });
}

const listRow: Row = {
  name: "list of all",
  args: "range /growth/ /growth0 --limit 100000 --clients 1 --conns 1",
  total: 1,
  by: "rate",
};

/** The list goes to another process: here, taking it apart would hold up the small reads. */
async function worstRead(subject: RunningEtcd): Promise<number> {
  return await subject.use(async (channel) => {
    const kv = createClient(channel, etcd.KV);
    await kv.range({ key: prefix.key });
    let isListing = true;
    const list = runRow(listRow, subject, 1).finally(() => {
      isListing = false;
    });
    let worst = 0;
    while (isListing) {
      const startMs = performance.now();
      await kv.range({ key: prefix.key });
      worst = Math.max(worst, performance.now() - startMs);
    }
    await list;
    return worst;
  });
}

export interface Compacted {
  readonly rewrites: number;
  readonly residentBytes: number;
  readonly startMs: number;
}

/** 1000 keys written again and again, compacted now and then: what of it stays? */
export async function measureCompacted(program: Program, counts: readonly number[]) {
  const subject = await RunningEtcd.open(program);
  const found: Compacted[] = [];
  try {
    let done = 0;
    for (const rewrites of counts) {
      for (; done < rewrites; done += 100) {
        for (let i = 0; i < 100; i++) await fill(subject, 0, 1000);
        await subject.use(async (channel) => {
          const kv = createClient(channel, etcd.KV);
          const { header } = await kv.range({ key: prefix.key });
          await kv.compact({ revision: header!.revision, physical: true });
        });
      }
      const { residentBytes } = subject;
      await subject.kill();
      found.push({ rewrites, residentBytes, startMs: await subject.start() });
    }
    return found;
  } finally {
    await subject.close();
  }
}
