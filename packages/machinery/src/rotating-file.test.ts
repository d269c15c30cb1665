/** Lines, files that fill, and what is left of them. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RotatingFile, type Rotation } from "./rotating-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rotating-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = `${"x".repeat(99)}\n`;
const startMs = Date.UTC(2026, 10, 21, 17, 46, 8, 824);
const dayMs = 24 * 3_600_000;
const pathOf = (name: string) => join(directory, name);
const names = () => readdirSync(directory).toSorted();

/** Files of 250 bytes: two lines; the time goes on by a second after each line. */
function opened(rotation: Partial<Rotation> = {}, name = "a.log") {
  const clock = { nowMs: startMs, now: () => clock.nowMs };
  const usual = { maxAgeMs: 0, maxBackups: 0, isLocalTime: false, isCompressed: false };
  const file = new RotatingFile(pathOf(name), { maxSizeBytes: 250, ...usual, ...rotation }, clock);
  const write = (lines: number) => {
    for (let i = 0; i < lines; i++, clock.nowMs += 1000) file.write(line);
  };
  return { file, write, clock };
}

async function written(lines: number, rotation: Partial<Rotation> = {}): Promise<string[]> {
  const { file, write } = opened(rotation);
  write(lines);
  await file.close();
  return names();
}

describe("a file that is full", () => {
  test("is put aside under the time when it was", async () => {
    expect(await written(5)).toEqual([
      "a-2026-11-21T17-46-10.824.log",
      "a-2026-11-21T17-46-12.824.log",
      "a.log",
    ]);
    expect(readFileSync(pathOf("a-2026-11-21T17-46-10.824.log"), "utf8")).toBe(line + line);
    expect(readFileSync(pathOf("a.log"), "utf8")).toBe(line);
  });

  test("names tell local time when asked for", async () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "Asia/Kolkata";
    try {
      const [aside] = await written(3, { isLocalTime: true });
      expect(aside).toBe("a-2026-11-21T23-16-10.824.log");
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("takes a line that fits to the byte", async () => {
    expect(await written(2, { maxSizeBytes: 200 })).toEqual(["a.log"]);
  });

  test("takes no line that is larger than a whole file", () => {
    const { file } = opened({ maxSizeBytes: 99 });
    expect(() => file.write(line)).toThrow("write length 100 exceeds maximum file size 99");
    expect(names()).toEqual([]);
  });

  test("leaves its mode to the next", async () => {
    writeFileSync(pathOf("a.log"), line);
    chmodSync(pathOf("a.log"), 0o640);
    await written(2);
    expect(statSync(pathOf("a.log")).mode & 0o777).toBe(0o640);
  });
});

describe("a file that is there already", () => {
  test("is gone on with", async () => {
    await written(1);
    expect(await written(1)).toEqual(["a.log"]);
    expect(readFileSync(pathOf("a.log"), "utf8")).toBe(line + line);
  });

  test("is put aside first when the line would fill it", async () => {
    writeFileSync(pathOf("a.log"), "x".repeat(150));
    expect(await written(1)).toEqual(["a-2026-11-21T17-46-08.824.log", "a.log"]);
  });
});

describe("what was put aside", () => {
  test("so many are kept, the youngest", async () => {
    expect(await written(9, { maxBackups: 1 })).toEqual(["a-2026-11-21T17-46-16.824.log", "a.log"]);
  });

  test("so old are kept", async () => {
    writeFileSync(pathOf("a-2026-11-20T17-46-07.000.log"), "");
    writeFileSync(pathOf("a-2026-11-20T17-46-09.000.log.gz"), "");
    const kept = ["a-2026-11-20T17-46-09.000.log.gz", "a.log"];
    expect(await written(1, { maxAgeMs: dayMs })).toEqual(kept);
  });

  test("is compressed, as is what an earlier program left", async () => {
    writeFileSync(pathOf("a-2026-11-20T17-46-07.000.log"), "old");
    writeFileSync(pathOf("a-2026-11-20T17-46-07.000.log.gz"), "begun");
    expect(await written(3, { isCompressed: true })).toEqual([
      "a-2026-11-20T17-46-07.000.log.gz",
      "a-2026-11-21T17-46-10.824.log.gz",
      "a.log",
    ]);
    const text = (name: string) => gunzipSync(readFileSync(pathOf(name))).toString();
    expect(text("a-2026-11-20T17-46-07.000.log.gz")).toBe("old");
    expect(text("a-2026-11-21T17-46-10.824.log.gz")).toBe(line + line);
    expect(statSync(pathOf("a-2026-11-21T17-46-10.824.log.gz")).mode & 0o777).toBe(0o600);
  });

  test("compressing holds up nobody: the plain file is there when write returns", async () => {
    const { file, write } = opened({ isCompressed: true });
    write(3);
    expect(names()).toContain("a-2026-11-21T17-46-10.824.log");
    await file.close();
    expect(names()).toEqual(["a-2026-11-21T17-46-10.824.log.gz", "a.log"]);
  });

  test("other files are nobody's business", async () => {
    const others = ["a-2026-11-20.log", "a-b.log", "b-2026-11-20T17-46-07.000.log", "a.log.gz"];
    for (const name of others) writeFileSync(pathOf(name), "");
    mkdirSync(pathOf("a-2026-11-20T17-46-07.000.log"));
    const kept = [...others, "a-2026-11-20T17-46-07.000.log", "a.log"].toSorted();
    expect(await written(1, { maxAgeMs: 1, isCompressed: true })).toEqual(kept);
  });
});

test("after a failure the next line opens the file anew", async () => {
  const { file, write } = opened();
  write(2);
  rmSync(directory, { recursive: true });
  writeFileSync(directory, "in the way");
  expect(() => file.write(line)).toThrow(/EEXIST|ENOTDIR/);
  rmSync(directory);
  write(1);
  await file.close();
  expect(readFileSync(pathOf("a.log"), "utf8")).toBe(line);
});
