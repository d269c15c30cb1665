import { describe, expect, test } from "vitest";
import { ResourceCache } from "../core/cache/resource-cache.ts";
import type { StorageCodec } from "../core/cache/stored-object.ts";
import { encodeStored, parseTree } from "../core/storage/canonical.ts";
import { type OwnWrite, OwnWrites } from "./own-writes.ts";

let parsed = 0;
const codec: StorageCodec = {
  encode: encodeStored,
  decode: parseTree,
  selectableFields() {
    parsed++;
    return {};
  },
};
const cache = new ResourceCache("things/", codec);

function writeOf(name: string): OwnWrite {
  const tree = { kind: "Thing", apiVersion: "v1", metadata: { name } };
  const value = encodeStored(tree);
  return { cache, key: name, tree, value, sealed: value, lease: 0n };
}

const eventOf = (write: OwnWrite, modRevision: number) => ({
  key: new Uint8Array(),
  value: write.sealed.slice(),
  modRevision,
  lease: 0n,
});

describe("this server's writes", () => {
  test("the answer first: the event is known by its revision", () => {
    const own = new OwnWrites();
    const write = writeOf("a");
    own.begin(write);
    const object = own.answered(write, 7, true);
    expect(own.eventOf(cache, "a", eventOf(writeOf("a"), 6))).toBeUndefined();
    expect(own.eventOf(cache, "a", eventOf(write, 7))).toBe(object);
    expect(own.eventOf(cache, "a", eventOf(write, 7))).toBeUndefined();
  });

  test("the event first: it is known by its bytes, and the answer is the same object", () => {
    const own = new OwnWrites();
    const write = writeOf("a");
    own.begin(write);
    expect(own.eventOf(cache, "a", eventOf(writeOf("b"), 6))).toBeUndefined();
    const object = own.eventOf(cache, "a", eventOf(write, 7));
    expect(object?.revision).toBe(7);
    const before = parsed;
    expect(own.answered(write, 7, false)).toBe(object);
    expect(object?.index.fields["metadata.name"]).toBe("a");
    expect(parsed).toBe(before);
    expect(own.eventOf(cache, "a", eventOf(write, 7))).toBeUndefined();
  });

  test("the same bytes of somebody else are not this write's answer", () => {
    const own = new OwnWrites();
    const write = writeOf("a");
    own.begin(write);
    const theirs = own.eventOf(cache, "a", eventOf(write, 7));
    const mine = own.answered(write, 9, true);
    expect(mine).not.toBe(theirs);
    expect(mine.revision).toBe(9);
    expect(own.eventOf(cache, "a", eventOf(write, 9))).toBe(mine);
  });

  test("a refused write is nobody's", () => {
    const own = new OwnWrites();
    const write = writeOf("a");
    own.begin(write);
    own.end(write);
    expect(own.eventOf(cache, "a", eventOf(write, 7))).toBeUndefined();
  });

  test("an event that is later says that this write's own never came", () => {
    const own = new OwnWrites();
    const write = writeOf("a");
    own.begin(write);
    own.answered(write, 7, true);
    expect(own.eventOf(cache, "a", eventOf(writeOf("b"), 8))).toBeUndefined();
    expect(own.eventOf(cache, "a", eventOf(write, 7))).toBeUndefined();
  });

  test("while a watch is silent, writes are not kept without end", () => {
    const own = new OwnWrites();
    const first = writeOf("a");
    own.begin(first);
    own.answered(first, 1, true);
    for (let revision = 2; revision <= 20_000; revision++) {
      const write = writeOf(`n${revision % 10}`);
      own.begin(write);
      own.answered(write, revision, true);
    }
    expect(own.eventOf(cache, "a", eventOf(first, 1))).toBeUndefined();
  });

  test("writes that are over leave room", () => {
    const own = new OwnWrites();
    const waiting = writeOf("a");
    own.begin(waiting);
    for (let revision = 1; revision <= 20_000; revision++) {
      const write = writeOf("b");
      own.begin(write);
      own.answered(write, revision, true);
      own.eventOf(cache, "b", eventOf(write, revision));
    }
    expect(own.eventOf(cache, "a", eventOf(waiting, 20_001))?.revision).toBe(20_001);
  });
});
