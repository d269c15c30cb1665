import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { RotatingFile, readRotation } from "./rotating-file.ts";

const directory = mkdtempSync(join(tmpdir(), "rotating-"));
afterEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
});

const line = `${"x".repeat(99)}\n`;

/** Writes so many lines of 100 bytes, a second apart, into files of so many bytes. */
async function write(lines: number, json: string, maxSizeBytes = 250) {
  let nowMs = Date.UTC(2026, 10, 21, 17, 46, 8, 824);
  const rotation = { ...readRotation(json), maxSizeBytes };
  const file = new RotatingFile(join(directory, "etcd.log"), rotation, () => new Date(nowMs));
  for (let i = 0; i < lines; i++, nowMs += 1000) file.write(line);
  await file.milling;
  return readdirSync(directory).sort();
}

describe("a log that is put aside when it is full", () => {
  test("under the time when it was", async () => {
    const files = [
      "etcd-2026-11-21T17-46-10.824.log",
      "etcd-2026-11-21T17-46-12.824.log",
      "etcd.log",
    ];
    expect(await write(5, "{}")).toEqual(files);
    expect(readFileSync(join(directory, files[0]!), "utf8")).toBe(line + line);
  });

  test("so many are kept", async () => {
    expect(await write(9, '{"maxbackups": 1}')).toHaveLength(2);
  });

  test("compressed", async () => {
    const [first] = await write(3, '{"compress": true}');
    expect(first).toBe("etcd-2026-11-21T17-46-10.824.log.gz");
    expect(gunzipSync(readFileSync(join(directory, first!))).toString()).toBe(line + line);
  });

  test("it goes on where it was", async () => {
    await write(2, "{}");
    expect(await write(1, "{}")).toHaveLength(2);
  });
});

test("what it is told, as etcd reads it", () => {
  const whole = '{"MaxSize": 2, "maxage": 1, "maxbackups": 3, "localtime": true, "compress": true}';
  expect(readRotation(whole)).toEqual({
    maxSizeBytes: 2 * 1024 * 1024,
    maxAgeMs: 24 * 3_600_000,
    maxBackups: 3,
    isLocalTime: true,
    isCompressed: true,
  });
  expect(readRotation("{}").maxSizeBytes).toBe(100 * 1024 * 1024);
});
