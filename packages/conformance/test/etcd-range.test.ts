/** Range, on etcd-lite and on etcd itself: one table, every subject. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../src/etcd/plain.ts";
import { play, type RangeWords, range } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

// Revision     2         3         4         5       6         (a fresh store is at 1)
const history = ["put a 1", "put b 1", "put a 2", "del b", "put c 1", "compact 3"];

const found = (kvs: string[], count = kvs.length, more = kvs.length < count) => ({
  kvs,
  count,
  more,
});
const refused = (code: number, why: string) => ({ code, message: `etcdserver: ${why}` });
const all = { key: "a", end: "z" };
const [none, ascending, descending] = [0, 1, 2];
const target = { KEY: 0, VERSION: 1, CREATE: 2, MOD: 3, VALUE: 4 };

// biome-ignore format: a table
const cases: readonly (readonly [string, RangeWords, unknown])[] = [
  // what it shows                           request                                   what etcd answers
  ["no end is the key alone",                { key: "a" },                             found(["a=2"])],
  ["a deleted key is absent",                all,                                      found(["a=2", "c=1"])],
  ["one zero byte as end is no end",         { key: "b", end: "\0" },                  found(["c=1"])],
  ["a zero byte as key and end is all",      { key: "\0", end: "\0" },                 found(["a=2", "c=1"])],
  ["an end at the key is nothing",           { key: "a", end: "a" },                   found([])],
  ["an end before the key is nothing",       { key: "c", end: "a" },                   found([])],
  ["limit cuts the keys, not the count",     { ...all, limit: 1 },                     found(["a=2"], 2)],
  ["a negative limit is no limit",           { ...all, limit: -1 },                    found(["a=2", "c=1"])],
  ["the past can be read",                   { ...all, revision: 4 },                  found(["a=2", "b=1"])],
  ["so can the compacted revision",          { ...all, revision: 3 },                  found(["a=1", "b=1"])],
  ["nothing before it can",                  { ...all, revision: 2 },
    refused(11, "mvcc: required revision has been compacted")],
  ["nor anything after the newest",          { ...all, revision: 7 },
    refused(11, "mvcc: required revision is a future revision")],
  ["a negative revision is the newest",      { ...all, revision: -1 },                 found(["a=2", "c=1"])],
  ["count only counts",                      { ...all, countOnly: true },              found([], 2, false)],
  ["keys only leaves values out",            { ...all, keysOnly: true },               found(["a=", "c="])],
  ["descending by key",                      { ...all, sortOrder: descending },        found(["c=1", "a=2"])],
  ["by value, ascending unless said",        { ...all, sortTarget: target.VALUE },     found(["c=1", "a=2"])],
  ["by value, descending",                   { ...all, sortTarget: target.VALUE, sortOrder: descending },
    found(["a=2", "c=1"])],
  ["by version",                             { ...all, sortTarget: target.VERSION, sortOrder: ascending },
    found(["c=1", "a=2"])],
  ["by creation",                            { ...all, sortTarget: target.CREATE, sortOrder: descending },
    found(["c=1", "a=2"])],
  ["by change",                              { ...all, sortTarget: target.MOD, sortOrder: none },
    found(["a=2", "c=1"])],
  ["sort comes before limit",                { ...all, sortOrder: descending, limit: 1 },  found(["c=1"], 2)],
  ["least change revision",                  { ...all, minModRevision: 5 },            found(["c=1"], 2, false)],
  ["greatest change revision",               { ...all, maxModRevision: 5 },            found(["a=2"], 2, false)],
  ["least creation revision",                { ...all, minCreateRevision: 3 },         found(["c=1"], 2, false)],
  ["greatest creation revision",             { ...all, maxCreateRevision: 3 },         found(["a=2"], 2, false)],
  ["serializable answers the same",          { ...all, serializable: true },           found(["a=2", "c=1"])],
  ["no key is refused",                      {},                                       refused(3, "key is not provided")],
  ["an unknown order is refused",            { ...all, sortOrder: 3 },                 refused(3, "invalid sort option")],
  ["an unknown target is refused",           { ...all, sortTarget: 5 },                refused(3, "invalid sort option")],
];

for (const { name, skip, open } of etcdSubjects()) {
  describe.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, () => {
    let etcd: EtcdInstance;
    beforeAll(async () => {
      etcd = await open();
      await play(etcd, history);
    });
    afterAll(() => etcd?.close());

    test.for(cases)("range: %s", async ([, request, want]) => {
      expect(await outcome(range(etcd, request))).toEqual(want);
    });
  });
}
