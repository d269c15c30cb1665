import { expect, test } from "vitest";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import { type CacheEvent, eventFor, ResourceCache } from "./resource-cache.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { type StorageCodec, StoredObject } from "./stored-object.ts";

const codec: StorageCodec = {
  encode: encodeStored,
  decode: parseTree,
  selectableFields: () => ({}),
};

function stored(key: string, revision: number, labels: Record<string, string> = {}): StoredObject {
  const name = key.split("/")[1]!;
  const tree = { kind: "K", apiVersion: "v1", metadata: { name, labels } };
  return new StoredObject(key, revision, encodeStored(tree), codec);
}

function collector() {
  const events: CacheEvent[] = [];
  let resets = 0;
  return {
    events,
    resets: () => resets,
    onEvent: (event: CacheEvent) => void events.push(event),
    onReset: () => void resets++,
  };
}

test("objects come in key order, by namespace and from a key on", () => {
  const cache = new ResourceCache("ks/", codec);
  for (const key of ["b/2", "a/1", "b/1", "c/1"]) cache.load(stored(key, 1));
  const keys = (prefix?: string, start?: string) =>
    [...cache.scan(prefix, start)].map((o) => o.key);
  expect(keys()).toEqual(["a/1", "b/1", "b/2", "c/1"]);
  expect(keys("b/")).toEqual(["b/1", "b/2"]);
  expect(keys("", "b/1\0")).toEqual(["b/2", "c/1"]);
});

test("a watcher from the past sees what it missed, then what comes; what is forgotten is Expired", () => {
  const cache = new ResourceCache("ks/", codec);
  cache.beginHistory(10);
  cache.put(stored("n/a", 11), 0);
  cache.put(stored("n/a", 12), 0);
  const late = collector();
  cache.watchSince(11, late);
  cache.delete("n/a", 13, 0);
  expect(late.events.map((event) => event.revision)).toEqual([12, 13]);
  expect(() => cache.watchSince(9, collector())).toThrow("too old resource version: 9 (10)");
});

test("old events are dropped once they are stale and many", () => {
  const cache = new ResourceCache("ks/", codec);
  cache.beginHistory(0);
  for (let revision = 1; revision <= 500; revision++)
    cache.put(stored("n/a", revision), revision * 1000);
  expect(() => cache.watchSince(1, collector())).toThrow("too old resource version");
  const recent = collector();
  cache.watchSince(450, recent);
  expect(recent.events).toHaveLength(50);
});

test("an object entering or leaving a selection is added or deleted, under the event's revision", () => {
  const cache = new ResourceCache("ks/", codec);
  cache.beginHistory(0);
  const seen = collector();
  cache.watch(seen);
  cache.put(stored("n/a", 1), 0);
  cache.put(stored("n/a", 2, { in: "1" }), 0);
  cache.put(stored("n/a", 3), 0);
  cache.delete("n/a", 4, 0);
  const selects = (object: StoredObject) => object.index.labels.in === "1";
  const views = seen.events.map((event) => eventFor(event, selects));
  expect(views.map((view) => view?.type)).toEqual([undefined, "ADDED", "DELETED", undefined]);
  expect(views[2]!.object.tree().metadata?.resourceVersion).toBe("3");
});

test("an event that came twice changes nothing", () => {
  const cache = new ResourceCache("ks/", codec);
  const seen = collector();
  cache.watch(seen);
  cache.put(stored("n/a", 5), 0);
  cache.put(stored("n/a", 5), 0);
  cache.put(stored("n/a", 4), 0);
  expect(seen.events).toHaveLength(1);
});

test("sorted keys agree with sorting, through many chunks", () => {
  const keys = new SortedKeys();
  const model = new Set<string>();
  let seed = 7;
  for (let i = 0; i < 5000; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const key = `k${seed % 3000}`;
    if (seed % 3 === 0) {
      keys.delete(key);
      model.delete(key);
    } else {
      keys.add(key);
      model.add(key);
    }
  }
  expect([...keys.from("", "")]).toEqual([...model].sort());
  expect(keys.size).toBe(model.size);
});
