/** Put, delete and transactions, on etcd-lite and on etcd itself: one table, every subject. */
import type { Init, etcd as proto } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcome } from "../src/etcd/plain.ts";
import { bytes, keyLine, play } from "../src/etcd/words.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

type Op = Init<proto.RequestOp>;
type Compare = Init<proto.Compare>;

const put = (key: string, value: string, more = {}): Op => ({
  requestPut: { key: bytes(key), value: bytes(value), ...more },
});
const get = (key: string, more = {}): Op => ({ requestRange: { key: bytes(key), ...more } });
const del = (key: string, end = ""): Op => ({
  requestDeleteRange: { key: bytes(key), rangeEnd: bytes(end) },
});
const nested = (success: Op[], compare: Compare[] = [], failure: Op[] = []): Op => ({
  requestTxn: { compare, success, failure },
});
const [EQUAL, GREATER, LESS, NOT_EQUAL] = [0, 1, 2, 3];
const is = (
  key: string,
  target: number,
  result: number | undefined,
  operand: Compare,
): Compare => ({
  key: bytes(key),
  target,
  result,
  ...operand,
});
const version = (key: string, result: number | undefined, n: number) =>
  is(key, 0, result, { version: n });
const created = (key: string, result: number | undefined, n: number) =>
  is(key, 1, result, { createRevision: n });
const changed = (key: string, result: number | undefined, n: number) =>
  is(key, 2, result, { modRevision: n });
const value = (key: string, result: number | undefined, v: string) =>
  is(key, 3, result, { value: bytes(v) });
const leased = (key: string, result: number | undefined, id: bigint) =>
  is(key, 4, result, { lease: id });

// Revision        2           3         4         5
const history = ["lease 7 600", "put a 1", "put b 1 7", "put a 2", "put x 9"];

// biome-ignore format: a table
const compares: readonly (readonly [string, Compare, boolean])[] = [
  ["version equal",                      version("a", EQUAL, 2),            true],
  ["version less",                       version("a", LESS, 2),             false],
  ["version of an absent key is 0",      version("none", EQUAL, 0),         true],
  ["creation greater",                   created("a", GREATER, 1),          true],
  ["creation of an absent key is 0",     created("none", EQUAL, 0),         true],
  ["change not equal",                   changed("a", NOT_EQUAL, 4),        false],
  ["value equal",                        value("a", EQUAL, "2"),            true],
  ["value greater, by bytes",            value("a", GREATER, "10"),         true],
  ["an absent key has no value",         value("none", NOT_EQUAL, "x"),     false],
  ["not even an empty one",              value("none", EQUAL, ""),          false],
  ["lease equal",                        leased("b", EQUAL, 7n),            true],
  ["no lease is 0",                      leased("a", EQUAL, 0n),            true],
  ["a range: all must hold",             { ...version("a", GREATER, 0), rangeEnd: bytes("c") }, true],
  ["a range: one that does not",         { ...version("a", GREATER, 1), rangeEnd: bytes("c") }, false],
  ["a range that is empty is one absent key", { ...version("p", EQUAL, 0), rangeEnd: bytes("q") }, true],
];

const refused = (code: number, why: string) => ({ code, message: `etcdserver: ${why}` });
const duplicate = refused(3, "duplicate key given in txn request");

// biome-ignore format: a table
const refusals: readonly (readonly [string, Init<proto.TxnRequest>, unknown])[] = [
  ["two puts of a key",              { success: [put("k", "1"), put("k", "2")] },              duplicate],
  ["a put under a delete",           { success: [put("k", "1"), del("a", "z")] },              duplicate],
  ["in a nested transaction too",    { success: [put("k", "1"), nested([put("k", "2")])] },    duplicate],
  ["in the arm not taken, too",      { failure: [put("k", "1"), put("k", "2")] },              duplicate],
  ["an empty operation",             { success: [{}] },                          refused(3, "key not found")],
  ["a compare without a key",        { compare: [{}] },                     refused(3, "key is not provided")],
  ["a put without a key",            { success: [put("", "1")] },           refused(3, "key is not provided")],
  ["more than 128 operations",       { success: Array.from({ length: 129 }, (_, i) => put(`k${i}`, "")) },
    refused(3, "too many operations in txn request")],
  ["an unknown lease",               { success: [put("k", "1", { lease: 99n })] },
    refused(5, "requested lease not found")],
  ["ignoreValue of an absent key",   { success: [put("none", "", { ignoreValue: true })] },
    refused(3, "key not found")],
  ["a read of the future",           { success: [get("a", { revision: 1000 })] },
    refused(11, "mvcc: required revision is a future revision")],
];

for (const { name, skip, open } of etcdSubjects()) {
  describe.skipIf(skip !== undefined)(skip === undefined ? name : `${name}: ${skip}`, () => {
    let etcd: EtcdInstance;
    beforeAll(async () => {
      etcd = await open();
      await play(etcd, history);
    });
    afterAll(() => etcd?.close());

    test.for(compares)("compare: %s", async ([, compare, want]) => {
      const { succeeded, header } = await etcd.kv.txn({ compare: [compare] });
      expect({ succeeded, revision: header!.revision }).toEqual({ succeeded: want, revision: 5 });
    });

    test.for(refusals)("refused whole: %s", async ([, request, want]) => {
      expect(await outcome(etcd.kv.txn(request))).toEqual(want);
      const { header } = await etcd.kv.range({ key: bytes("a") });
      expect(header!.revision).toBe(5);
    });

    test("one transaction is one revision, seen by its own reads, in order", async () => {
      const answer = await etcd.kv.txn({
        compare: [version("t", EQUAL, 0)],
        success: [
          put("t", "1", { prevKv: true }),
          get("t"),
          del("x"),
          nested([put("u", "1"), get("u")], [version("t", EQUAL, 0)]),
          get("t", { rangeEnd: bytes("v") }),
        ],
      });
      expect(answer.succeeded).toBe(true);
      expect(answer.header!.revision).toBe(6);
      const [first, seen, gone, inner, both] = answer.responses;
      expect(first!.responsePut!.prevKv).toBeUndefined();
      expect(seen!.responseRange!.kvs.map(keyLine)).toEqual([
        "t=1 create 6 mod 6 version 1 lease 0",
      ]);
      expect(gone!.responseDeleteRange!.deleted).toBe(1);
      // Nested compares look at the store as it was before the transaction.
      expect(inner!.responseTxn!.succeeded).toBe(true);
      expect(both!.responseRange!.kvs.map(keyLine)).toEqual([
        "t=1 create 6 mod 6 version 1 lease 0",
        "u=1 create 6 mod 6 version 1 lease 0",
      ]);
    });

    test("puts: previous value, version, lease kept or dropped", async () => {
      await play(etcd, ["put l 1 7"]);
      const kept = await etcd.kv.put({
        key: bytes("l"),
        value: bytes("2"),
        ignoreLease: true,
        prevKv: true,
      });
      expect(keyLine(kept.prevKv!)).toBe("l=1 create 7 mod 7 version 1 lease 7");
      const same = await etcd.kv.put({ key: bytes("l"), ignoreValue: true, prevKv: true });
      expect(keyLine(same.prevKv!)).toBe("l=2 create 7 mod 8 version 2 lease 7");
      const { kvs } = await etcd.kv.range({ key: bytes("l") });
      expect(kvs.map(keyLine)).toEqual(["l=2 create 7 mod 9 version 3 lease 0"]);
    });

    test.for([
      [
        "a value to ignore",
        { value: bytes("1"), ignoreValue: true },
        refused(3, "value is provided"),
      ],
      ["a lease to ignore", { lease: 7n, ignoreLease: true }, refused(3, "lease is provided")],
      ["an unknown lease", { lease: 12345n }, refused(5, "requested lease not found")],
    ] as const)("put refused: %s", async ([, request, want]) => {
      expect(await outcome(etcd.kv.put({ ...request, key: bytes("a") }))).toEqual(want);
    });

    test("a request above the limit is refused", async () => {
      const value = Buffer.alloc(1.6 * 1024 * 1024);
      const want = refused(3, "request is too large");
      expect(await outcome(etcd.kv.put({ key: bytes("big"), value }))).toEqual(want);
    });
  });
}
