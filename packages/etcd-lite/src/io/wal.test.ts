/** The log against crashes and damage: no acknowledged write is lost, no damage is overlooked. */
import { createFakeClock, createSeededRandom, nullLog } from "@nanokube/machinery";
import { codes, createClient, etcd } from "@nanokube/rpc";
import { afterEach, describe, expect, test } from "vitest";
import { createEtcd, type Etcd } from "./etcd.ts";
import { MemoryDisk } from "./memory-disk.ts";

const opened: Etcd[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function start(disk: MemoryDisk, snapshotAfterBytes?: number): Promise<Etcd> {
  const clock = createFakeClock();
  const random = createSeededRandom(1);
  const sizes = { snapshotAfterBytes, segmentBytes: 8192 };
  const server = await createEtcd({ disk, clock, random, log: nullLog, ...sizes });
  opened.push(server);
  return server;
}

const kvOf = (server: Etcd) => createClient(server.channel(), etcd.KV);
const text = (s: string) => Buffer.from(s);

async function contents(server: Etcd): Promise<Record<string, string>> {
  const all = { key: text("\0"), rangeEnd: text("\0") };
  const { kvs } = await kvOf(server).range(all);
  return Object.fromEntries(kvs.map(({ key, value }) => [String(key), String(value)]));
}

const firstSegment = "wal-0000000000000001.log";

/** Six acknowledged writes of some size, one frame each; where the file ended after each of them. */
async function sixWrites(
  sizes: readonly number[] = [150, 300, 450, 600, 750, 900],
): Promise<{ disk: MemoryDisk; ends: number[] }> {
  const disk = new MemoryDisk();
  const server = await start(disk);
  const ends = [usedBytes(disk)];
  for (const [i, size] of sizes.entries()) {
    await kvOf(server).put({ key: text(`k${i + 1}`), value: text("v".repeat(size)) });
    ends.push(usedBytes(disk));
  }
  await server.close();
  return { disk, ends };
}

function usedBytes(disk: MemoryDisk): number {
  const content = disk.files.get(firstSegment)!;
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return end;
}

function withFile(disk: MemoryDisk, change: (content: Buffer) => Buffer): MemoryDisk {
  const copy = disk.copy();
  copy.files.set(firstSegment, change(copy.files.get(firstSegment)!));
  return copy;
}

describe("a log cut anywhere", () => {
  test.each([
    ["the file ends there", (content: Buffer, at: number) => content.subarray(0, at)],
    [
      "zeros from there on",
      (content: Buffer, at: number) =>
        Buffer.concat([content.subarray(0, at), Buffer.alloc(8192 - at)]),
    ],
  ])(
    "%s: what was acknowledged before is there, and writing goes on",
    {
      timeout: 120_000,
    },
    async (_, cut) => {
      // Every offset starts a server: small frames, of which one lies across a sector's end.
      const { disk, ends } = await sixWrites([1, 20, 3, 540, 0, 40]);
      for (let at = 0; at <= ends.at(-1)!; at++) {
        const crashed = withFile(disk, (content) => Buffer.from(cut(content, at)));
        const server = await start(crashed);
        const kept = ends.filter((end, i) => i > 0 && end <= at).length;
        expect(Object.keys(await contents(server)).length, `cut at ${at}`).toBe(kept);
        await kvOf(server).put({ key: text("after"), value: text("crash") });
        await server.close();
        if (at % 8 > 0) continue; // Frames begin at these: what follows is the same for the others.
        const again = await start(crashed);
        expect((await contents(again))["after"], `cut at ${at}`).toBe("crash");
        await again.close();
      }
    },
  );
});

test("a flipped bit anywhere is refused by file and offset, never skipped", async () => {
  const { disk, ends } = await sixWrites();
  for (let at = 0; at < ends.at(-1)!; at++) {
    const damaged = withFile(disk, (content) => {
      content[at]! ^= 1 << (at % 8);
      return content;
    });
    const where = new RegExp(`^wal: ${firstSegment}: `);
    await expect(start(damaged), `bit flipped at ${at}`).rejects.toThrow(where);
  }
});

test("a sector of zeros with good records after it is a hole: refused", async () => {
  const { disk, ends } = await sixWrites();
  for (let at = 512; at + 512 < ends[5]!; at += 512) {
    const damaged = withFile(disk, (content) => content.fill(0, at, at + 512));
    await expect(start(damaged)).rejects.toThrow(/damaged at offset \d+: .* good record follows/);
  }
});

test("a write torn in its middle, its end already there, is cut: nobody was told it was done", async () => {
  const disk = new MemoryDisk();
  const server = await start(disk);
  await kvOf(server).put({ key: text("kept"), value: text("1") });
  const before = usedBytes(disk);
  await kvOf(server).put({ key: text("torn"), value: text("x".repeat(4000)) });
  await server.close();
  const from = Math.ceil(before / 512) * 512 + 1024;
  const torn = withFile(disk, (content) => content.fill(0, from, from + 512));
  expect(await contents(await start(torn))).toEqual({ kept: "1" });
});

test("a file made ahead of its use is no sign that the one before it is whole", async () => {
  const disk = new MemoryDisk();
  const server = await start(disk);
  const value = Buffer.alloc(1000, "v");
  for (let i = 0; i < 6; i++) await kvOf(server).put({ key: text(`k${i}`), value });
  const spare = "wal-0000000000000002.log";
  expect(disk.files.get(spare)!.every((byte) => byte === 0)).toBe(true);
  const torn = usedBytes(disk) - 300;
  await server.close();
  const crashed = withFile(disk, (content) => content.fill(0, torn));
  const again = await start(crashed);
  expect(Object.keys(await contents(again))).toEqual(["k0", "k1", "k2", "k3", "k4"]);
});

describe("snapshots", () => {
  const many = async (server: Etcd, from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      const key = text(`k${i % 20}`);
      await kvOf(server).put({ key, value: text(`${i}`.padStart(500, "0")) });
    }
  };

  test("the log stays small, and nothing is lost over restarts", async () => {
    const disk = new MemoryDisk();
    let server = await start(disk, 10_000);
    const lease = createClient(server.channel(), etcd.Lease);
    await lease.leaseGrant({ ID: 7n, TTL: 600 });
    await kvOf(server).put({ key: text("leased"), lease: 7n });
    for (let round = 0; round < 5; round++) {
      await many(server, round * 100, 100);
      await kvOf(server).compact({ revision: 50 + round * 100 });
      const want = await contents(server);
      const revision = server.member.state.store.revision;
      await server.close();
      server = await start(disk, 10_000);
      expect(await contents(server)).toEqual(want);
      expect(server.member.state.store.revision).toBe(revision);
    }
    expect([...disk.files.keys()].filter((name) => name.startsWith("snap-"))).toHaveLength(1);
    expect(server.member.state.lessor.find(7n)?.keys).toEqual(new Set(["leased"]));
    const past = kvOf(server).range({ key: text("k1"), revision: 480 });
    await expect(past).resolves.toMatchObject({ count: 1 });
  });

  test("a damaged snapshot is refused by name", async () => {
    const disk = new MemoryDisk();
    const server = await start(disk, 5000);
    await many(server, 0, 50);
    await server.close();
    const name = [...disk.files.keys()].find((file) => file.startsWith("snap-"))!;
    const content = disk.files.get(name)!;
    content[content.length >> 1]! ^= 1;
    await expect(start(disk)).rejects.toThrow(new RegExp(`^snapshot: ${name}: damaged`));
  });

  test("a missing segment is refused", async () => {
    const { disk } = await sixWrites();
    const other = new MemoryDisk();
    const content = disk.files.get(firstSegment)!;
    const server = await start(other, 1e9);
    await kvOf(server).put({ key: text("small") });
    await kvOf(server).put({ key: text("big"), value: Buffer.alloc(10_000) });
    await server.close();
    expect([...other.files.keys()]).toContain("wal-0000000000000002.log");
    other.files.set(firstSegment, content);
    await expect(start(other)).rejects.toThrow(/wal-0000000000000002.log: begins at index/);
    other.files.delete(firstSegment);
    await expect(start(other)).rejects.toThrow(
      /wal-0000000000000002.log: begins at index 4, but 1 is needed/,
    );
  });
});

test("many writes share one sync", async () => {
  const disk = new MemoryDisk();
  const server = await start(disk);
  const before = disk.writeCount;
  const gate = Promise.withResolvers<void>();
  disk.beforeWrite = () => gate.promise;
  const puts = Array.from({ length: 500 }, (_, i) => kvOf(server).put({ key: text(`k${i}`) }));
  gate.resolve();
  await Promise.all(puts);
  expect(disk.writeCount - before).toBeLessThanOrEqual(2);
});

test("nothing is answered before it is on the disk", async () => {
  const disk = new MemoryDisk();
  const server = await start(disk);
  const gate = Promise.withResolvers<void>();
  disk.beforeWrite = () => gate.promise;
  let isAnswered = false;
  const put = kvOf(server).put({ key: text("k") });
  put.then(() => {
    isAnswered = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAnswered).toBe(false);
  expect(await contents(server)).toEqual({});
  gate.resolve();
  await put;
  expect(Object.keys(await contents(server))).toEqual(["k"]);
});

test("a disk that fails ends acknowledgements; reads go on", async () => {
  const disk = new MemoryDisk();
  const server = await start(disk);
  await kvOf(server).put({ key: text("k"), value: text("1") });
  disk.failure = new Error("ENOSPC: no space left on device, write");
  const failed = { code: codes.UNAVAILABLE, details: "etcdserver: request timed out" };
  await expect(kvOf(server).put({ key: text("k"), value: text("2") })).rejects.toMatchObject(
    failed,
  );
  disk.failure = undefined;
  const stopped = { code: codes.UNAVAILABLE, details: "etcdserver: server stopped" };
  await expect(kvOf(server).put({ key: text("k"), value: text("3") })).rejects.toMatchObject(
    stopped,
  );
  expect(await contents(server)).toEqual({ k: "1" });
});

test("whose log it is counts, not what the flags say about its beginning", async () => {
  const { disk } = await sixWrites();
  const deps = { clock: createFakeClock(), random: createSeededRandom(1), log: nullLog };
  const mine = await start(disk.copy());
  const other = await createEtcd({ disk, ...deps, clusterToken: "another" });
  opened.push(other);
  expect(other.member.identity).toEqual(mine.member.identity);
  expect(Object.keys(await contents(other))).toHaveLength(6);
});
