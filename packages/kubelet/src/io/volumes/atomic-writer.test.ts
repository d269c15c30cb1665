/** A reader sees all of the old files or all of the new. */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { VolumeFiles } from "../../core/volume-files.ts";
import { writeAtomically } from "./atomic-writer.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "nk-writer-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const files = (map: Record<string, string>, mode = 0o644): VolumeFiles =>
  new Map(Object.entries(map).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));
const write = (map: Record<string, string>, nowMs = 0, mode?: number) =>
  writeAtomically(dir, files(map, mode), { nowMs, fsGroup: undefined });
const visible = () =>
  readdirSync(dir)
    .filter((name) => !name.startsWith(".."))
    .sort();

test("files are links through ..data into a dated directory", async () => {
  expect(await write({ a: "1", "sub/b": "2" }, Date.UTC(2026, 10, 21))).toBe(true);
  expect(visible()).toEqual(["a", "sub"]);
  expect(readlinkSync(join(dir, "a"))).toBe("..data/a");
  expect(readlinkSync(join(dir, "..data"))).toMatch(/^\.\.2026_11_21_00_00_00\.\d{9}$/);
  expect(readFileSync(join(dir, "sub/b"), "utf8")).toBe("2");
});

test("nothing is written when nothing changed", async () => {
  await write({ a: "1" });
  const before = readlinkSync(join(dir, "..data"));
  expect(await write({ a: "1" }, 5000)).toBe(false);
  expect(readlinkSync(join(dir, "..data"))).toBe(before);
});

test("a change swaps all at once, and what is gone goes", async () => {
  await write({ a: "1", old: "x" });
  await write({ a: "2", new: "y" }, 1000);
  expect(visible()).toEqual(["a", "new"]);
  expect(readFileSync(join(dir, "a"), "utf8")).toBe("2");
  expect(
    readdirSync(dir).filter((name) => name.startsWith("..2") || name.startsWith("..1")),
  ).toHaveLength(1);
});

test("modes are as asked, whatever the umask", async () => {
  await write({ secret: "s" }, 0, 0o400);
  expect(statSync(join(dir, "secret")).mode & 0o777).toBe(0o400);
});

test("a path out of the volume is refused before anything is written", async () => {
  await expect(write({ "../evil": "x" })).rejects.toThrow("invalid path");
  expect(readdirSync(dir)).toEqual([]);
});
