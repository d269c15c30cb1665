/**
 * The packed store does what the plain one does: one random script on both, with forks that live on,
 * compactions cleared away a bit at a time, and copies made of what was written down.
 */
import { expect, test } from "vitest";
import type { KeyValue } from "./key-value.ts";
import { createMvccStore, type MvccStore } from "./mvcc-store.ts";
import { createPackedStore } from "./packed-store.ts";
import type { ColdStorage, StoredBytes } from "./record-arena.ts";

/** Small and seeded, so that a failure can be had again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const plain = (kv: KeyValue) => ({
  key: kv.key,
  value: Buffer.from(kv.value).toString("latin1"),
  createRevision: kv.createRevision,
  modRevision: kv.modRevision,
  sub: kv.sub,
  version: kv.version,
  lease: kv.lease,
});

interface Pair {
  model: MvccStore;
  packed: MvccStore;
}

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
}

type Random = (below: number) => number;

const keyOf = (random: Random) => `k${random(12)}${"x".repeat(random(3) * 70)}`;

/** A transaction writes a key once, as etcd's do. */
function write({ model, packed }: Pair, random: Random): void {
  const transactions = [model.begin(), packed.begin()];
  const written = new Set<string>();
  if (random(4) === 0) {
    const span = { key: keyOf(random), end: random(2) === 0 ? undefined : `k${random(12)}` };
    const did = transactions.map((txn) => txn.deleteRange(span));
    expect(did[1]).toBe(did[0]);
  } else {
    for (let i = random(4); i >= 0; i--) written.add(keyOf(random));
  }
  for (const key of written) {
    const size = random(20) === 0 ? 70_000 : random(200);
    const value = Buffer.alloc(size, random(256));
    const lease = random(3) === 0 ? BigInt(random(1000)) * 10_000_000_000n : 0n;
    const did = transactions.map((txn) => plain(txn.put(key, value, lease)));
    expect(did[1]).toEqual(did[0]);
  }
  for (const txn of transactions) txn.commit();
}

function read({ model, packed }: Pair, random: Random): void {
  const query = {
    key: keyOf(random),
    end: [undefined, "", `k${random(12)}`][random(3)],
    revision: random(2) === 0 ? 0 : random(model.revision + 2),
    limit: random(4),
    countOnly: random(5) === 0,
  };
  const results = [model, packed].map((store) =>
    outcome(() => {
      const { kvs, count, revision } = store.range(query);
      return { kvs: kvs.map(plain), count, revision };
    }),
  );
  expect(results[1], JSON.stringify(query)).toEqual(results[0]);
}

function compare({ model, packed }: Pair): void {
  expect([...packed.versions()].map(plain)).toEqual([...model.versions()].map(plain));
  for (let at = Math.max(model.compactedRevision + 1, 2); at <= model.revision; at++) {
    expect(packed.changesAt(at).map(plain)).toEqual(model.changesAt(at).map(plain));
  }
  const from = Math.max(model.compactedRevision + 1, 2);
  const all = Array.from({ length: Math.max(model.revision + 1 - from, 0) }, (_, i) =>
    packed.changesAt(from + i),
  ).flat();
  for (const key of ["k1", `k7${"x".repeat(70)}`]) {
    const wanted = all.filter((kv) => kv.key === key).map(plain);
    expect(packed.changesOf!(key, from).map(plain)).toEqual(wanted);
  }
  expect(packed.keyCount).toBe(model.keyCount);
}

/** Says no now and then, as a full disk does. */
class MemoryStorage implements ColdStorage {
  readonly warmBytes = 0;
  readonly #random: Random;
  /** Slabs that are being written. */
  readonly #later: (() => void)[] = [];
  taken = 0;
  reads = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  put(bytes: Buffer, done: (stored: StoredBytes | undefined) => void): void {
    const kind = this.#random(10);
    if (kind === 0) done(undefined);
    else if (kind < 5) done(this.#take(bytes));
    else this.#later.push(() => done(this.#take(bytes)));
  }

  settle(): void {
    for (const take of this.#later.splice(0)) take();
  }

  #take(bytes: Buffer): StoredBytes {
    this.taken++;
    const own = Buffer.from(bytes);
    return {
      read: (at, count) => {
        this.reads++;
        expect(at + count).toBeLessThanOrEqual(own.length);
        return Buffer.from(own.subarray(at, at + count));
      },
    };
  }
}

function copyOf(store: MvccStore, storage: ColdStorage | undefined): MvccStore {
  const { revision, compactedRevision } = store;
  return createPackedStore({ revision, compactedRevision, versions: store.versions() }, storage);
}

test.for([1, 2, 3, 4, 5, 6, 7, 8])("a random script, seed %i", (seed) => {
  runScript(randomOf(seed), undefined);
});

test.for([1, 2, 3, 4])("with old versions out of memory, seed %i", (seed) => {
  const random = randomOf(seed + 100);
  const storage = new MemoryStorage(random);
  runScript(random, storage);
  expect(storage.taken).toBeGreaterThan(5);
  expect(storage.reads).toBeGreaterThan(100);
});

function runScript(random: Random, storage: MemoryStorage | undefined): void {
  const packed = createPackedStore(undefined, storage);
  const pairs: Pair[] = [{ model: createMvccStore(), packed }];
  for (let step = 0; step < 1500; step++) {
    const pair = pairs[random(pairs.length)]!;
    const { model, packed } = pair;
    if (random(8) === 0) storage?.settle();
    const kind = random(100);
    if (kind < 55) write(pair, random);
    else if (kind < 85) read(pair, random);
    else if (kind < 90) packed.tidy!(1 + random(5));
    else if (kind < 93) {
      const revision = random(model.revision + 2);
      const did = [model, packed].map((store) => outcome(() => store.compact(revision)));
      expect(did[1]).toBe(did[0]);
    } else if (kind < 95 && pairs.length < 4) {
      pairs.push({ model: model.fork(), packed: packed.fork() });
    } else if (kind < 96 && pairs.length > 1) pairs.splice(random(pairs.length), 1);
    else if (kind < 98) pair.packed = copyOf(packed, storage);
    else if (kind < 99) compare(pair);
  }
  for (const pair of pairs) compare(pair);
}

test("what was compacted takes no room", () => {
  const store = createPackedStore();
  const value = Buffer.alloc(1000, "v");
  const rewrite = () => {
    for (let i = 0; i < 2000; i++) {
      const txn = store.begin();
      txn.put(`key${i % 100}`, value, 0n);
      txn.commit();
    }
    store.compact(store.revision);
    while (store.tidy!(100)) {}
  };
  rewrite();
  const before = store.sizeBytes;
  for (let i = 0; i < 10; i++) rewrite();
  // Revisions have more digits now.
  expect(store.sizeBytes).toBeLessThan(before * 1.01);
  expect(store.range({ key: "", end: "" }).count).toBe(100);
});

test("a count of the newest looks at the edges only", () => {
  const store = createPackedStore();
  const txn = store.begin();
  for (let i = 0; i < 5000; i++) txn.put(`k${String(i).padStart(5, "0")}`, Buffer.from("v"), 0n);
  txn.commit();
  const gone = store.begin();
  expect(gone.deleteRange({ key: "k01000", end: "k02000" })).toBe(1000);
  gone.commit();
  for (const [key, end, count] of [
    ["k", "l", 4000],
    ["k00999", "k02001", 2],
    ["k01000", "k02000", 0],
    ["k04999", "", 1],
    ["l", "k", 0],
  ] as const) {
    expect(store.range({ key, end, countOnly: true }).count).toBe(count);
    expect(store.range({ key, end, limit: 1 }).count).toBe(count);
    expect(store.range({ key, end }).count).toBe(count);
  }
});

test.each([
  ["plain", createMvccStore],
  ["packed", createPackedStore],
])("the %s store takes back a transaction that was dropped", (_name, create) => {
  const store = create();
  const commit = (key: string, value: string) => {
    const txn = store.begin();
    txn.put(key, Buffer.from(value), 0n);
    txn.commit();
  };
  commit("a", "1");
  commit("gone", "1");
  const sizeBytes = store.sizeBytes;
  const dropped = store.begin();
  dropped.put("a", Buffer.from("2"), 7n);
  dropped.put("new", Buffer.from("2"), 0n);
  dropped.deleteRange({ key: "gone", end: undefined });
  expect(dropped.changes).toHaveLength(3);
  const next = store.begin();
  expect(store.sizeBytes).toBe(sizeBytes);
  next.put("b", Buffer.from("3"), 0n);
  next.commit();
  const { kvs, count } = store.range({ key: "\0", end: "" });
  expect(count).toBe(3);
  expect(kvs.map((kv) => [kv.key, Buffer.from(kv.value).toString(), kv.version])).toEqual([
    ["a", "1", 1],
    ["b", "3", 1],
    ["gone", "1", 1],
  ]);
  expect([...store.versions()].map(({ key }) => key).sort()).toEqual(["a", "b", "gone"]);
  commit("new", "4");
  expect(store.range({ key: "new", end: undefined }).kvs[0]).toMatchObject({
    version: 1,
    createRevision: 5,
  });
});
