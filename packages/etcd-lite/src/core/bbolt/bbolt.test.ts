/** What is written is read back: of any size, in any number of pages; damage is refused. */
import { describe, expect, test } from "vitest";
import type { Pair } from "./page.ts";
import { BboltFile } from "./read-file.ts";
import { type BucketSource, planFile } from "./write-file.ts";

const pair = (key: string, value: string | Uint8Array): Pair => ({
  key: Buffer.from(key),
  value: Buffer.from(value as string),
});
const numbered = (i: number) => String(i).padStart(8, "0");

function bucket(name: string, pairs: readonly Pair[]): BucketSource {
  return { name, entries: () => pairs };
}

function write(sources: readonly BucketSource[]): Buffer {
  const file = planFile(sources);
  const bytes = Buffer.concat([...file.pages()]);
  expect(bytes.length).toBe(file.sizeBytes);
  return bytes;
}

const open = (bytes: Buffer) => new BboltFile((at, length) => bytes.subarray(at, at + length));
const lines = (pairs: Iterable<Pair> | undefined) =>
  [...(pairs ?? [])].map(({ key, value }) => `${key}=${Buffer.from(value)}`);

describe("buckets", () => {
  test.each<[string, readonly Pair[]]>([
    ["none", []],
    ["one entry", [pair("a", "1")]],
    ["an empty value", [pair("a", ""), pair("b", "2")]],
    ["as much as stands inline", [pair("a", "x".repeat(990))]],
    ["one byte more", [pair("a", "x".repeat(992))]],
    ["a page and a bit", Array.from({ length: 80 }, (_, i) => pair(numbered(i), "y".repeat(40)))],
    ["a value of many pages", [pair("a", "z".repeat(1_000_000)), pair("b", "2")]],
    [
      "two levels of branches",
      Array.from({ length: 6000 }, (_, i) => pair(numbered(i).repeat(25), "v")),
    ],
    ["keys larger than a page", ["a", "b", "c"].map((c) => pair(c.repeat(9000), c))],
  ])("%s", (_name, pairs) => {
    const file = open(write([bucket("one", pairs), bucket("two", [pair("k", "v")])]));
    expect(lines(file.bucket("one"))).toEqual(lines(pairs));
    expect(lines(file.bucket("two"))).toEqual(["k=v"]);
    expect(file.bucket("three")).toBeUndefined();
  });

  test("more buckets than the root's page holds", () => {
    const sources = Array.from({ length: 500 }, (_, i) => bucket(`b${i}`, [pair("k", `${i}`)]));
    const file = open(write(sources));
    for (const i of [0, 123, 499]) expect(lines(file.bucket(`b${i}`))).toEqual([`k=${i}`]);
  });
});

describe("damage", () => {
  const whole = write([
    bucket(
      "key",
      Array.from({ length: 1000 }, (_, i) => pair(numbered(i), "value")),
    ),
  ]);
  const readAll = (bytes: Buffer) => lines(open(bytes).bucket("key")).length;

  test("a torn first meta leaves the second", () => {
    const torn = Buffer.from(whole);
    torn.fill(0, 0, 4096);
    expect(readAll(torn)).toBe(1000);
    torn.fill(0, 4096, 8192);
    expect(() => readAll(torn)).toThrow("bbolt: invalid database");
  });

  test.each([100, 4096, 8200, 12_288, 20_000])("cut at %i bytes", (length) => {
    expect(() => readAll(whole.subarray(0, length))).toThrow(/bbolt: /);
  });

  test("any byte of a page header, changed, is refused or harmless, and never hangs", () => {
    for (let page = 2; page * 4096 < whole.length; page++) {
      for (let at = 0; at < 48; at++) {
        const damaged = Buffer.from(whole);
        damaged[page * 4096 + at]! ^= 0xff;
        try {
          expect(readAll(damaged)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect((error as Error).message).toMatch(/bbolt: /);
        }
      }
    }
  });
});
