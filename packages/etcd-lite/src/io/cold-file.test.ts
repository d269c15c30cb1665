/** Slabs on disk: what was put is read back, wherever a record lies, and places are used again. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { StoredBytes } from "../core/record-arena.ts";
import { ColdFile } from "./cold-file.ts";

let directory: string;
let file: ColdFile;
const errors: Error[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cold-file-"));
  errors.length = 0;
  file = new ColdFile(directory, (error) => errors.push(error));
});

afterEach(() => {
  file.close();
  rmSync(directory, { recursive: true });
});

const put = (bytes: Buffer, into = file) =>
  new Promise<StoredBytes | undefined>((resolve) => into.put(bytes, resolve));

const pattern = (count: number, seed: number) =>
  Buffer.from(Array.from({ length: count }, (_, i) => (i * 7 + seed + (i >> 8)) & 255));

test("what was put is read back, within blocks and across them", async () => {
  const contents = [100_000, 20_000, 70_001].map(pattern);
  const slabs: StoredBytes[] = [];
  for (const bytes of contents) slabs.push((await put(bytes))!);
  expect(readdirSync(directory)).toEqual([]); // Without a name: gone with the process.
  for (const [i, bytes] of contents.entries()) {
    for (const [at, count] of [
      [0, 16],
      [16_380, 16],
      [10, 40_000],
      [bytes.length - 16, 16],
      [0, bytes.length],
    ] as const) {
      const wanted = bytes.subarray(at, Math.min(at + count, bytes.length));
      expect(slabs[i]!.read(at, wanted.length).equals(wanted)).toBe(true);
    }
  }
});

test("what is read in order, and again from the start", async () => {
  const bytes = pattern(300_000, 3);
  const slab = (await put(bytes))!;
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < bytes.length; at += 100) {
      expect(slab.read(at, 100).equals(bytes.subarray(at, at + 100))).toBe(true);
    }
  }
});

test("a disk that does not take it says why, and the slab stays where it is", async () => {
  const away = new ColdFile(join(directory, "absent"), (error) => errors.push(error));
  expect(await put(pattern(1000, 1), away)).toBeUndefined();
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("ENOENT")]);
});

test("nothing is taken after the end, and what is under way ends first", async () => {
  const pending = vi.fn();
  file.put(pattern(1000, 1), pending);
  file.close();
  expect(await put(pattern(1000, 1))).toBeUndefined();
  expect(pending).not.toHaveBeenCalled();
  expect(errors).toEqual([]);
});
