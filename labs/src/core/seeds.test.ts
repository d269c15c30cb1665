import { expect, test } from "vitest";
import { effectHash, publicSeeds, seedsOfDigest, streamSeed, termMessage } from "./seeds.ts";

test("public seeds are 1, 2, 3 and nobody's secret", () => {
  expect(publicSeeds(3).map((seed) => seed.value)).toEqual([1, 2, 3]);
  expect(publicSeeds(3).some((seed) => seed.isSecret)).toBe(false);
});

test("a digest gives a secret seed for every four bytes, first byte highest", () => {
  const digest = Uint8Array.from([0, 0, 0, 7, 255, 255, 255, 255, 1]);
  expect(seedsOfDigest(digest)).toEqual([
    { value: 7, isSecret: true },
    { value: 4294967295, isSecret: true },
  ]);
});

test("lab, student, day and block each change what is signed", () => {
  const messages = [
    termMessage("01-mvcc", "ann", "2026-11-21", 0),
    termMessage("02-watch", "ann", "2026-11-21", 0),
    termMessage("01-mvcc", "bob", "2026-11-21", 0),
    termMessage("01-mvcc", "ann", "2026-11-22", 0),
    termMessage("01-mvcc", "ann", "2026-11-21", 1),
  ];
  expect(new Set(messages).size).toBe(messages.length);
});

test("the same seed draws differently for every check, and always the same for one", () => {
  expect(streamSeed("a.put-get", 1)).not.toBe(streamSeed("a.overwrite", 1));
  expect(streamSeed("a.put-get", 1)).not.toBe(streamSeed("a.put-get", 2));
  expect(streamSeed("a.put-get", 1)).toBe(streamSeed("a.put-get", 1));
});

test("one letter changes the hash of the effects", () => {
  expect(effectHash("revision 2")).not.toBe(effectHash("revision 3"));
  expect(effectHash("revision 2")).toBe(effectHash("revision 2"));
});
