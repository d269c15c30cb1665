import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock, type KubeObject } from "@nanokube/machinery";
import type { Rotation } from "@nanokube/machinery/rotating-file";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAuditLog } from "./audit-log.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "audit-log-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const folder = () => join(directory, "logs");
const event = (auditID: string): KubeObject => ({ kind: "Event", auditID }) as KubeObject;
const files: Rotation = {
  maxSizeBytes: 40,
  maxAgeMs: 0,
  maxBackups: 0,
  isLocalTime: false,
  isCompressed: false,
};

function opened(rotation: Rotation | undefined) {
  const lost: string[] = [];
  const log = createAuditLog({
    path: join(folder(), "audit.log"),
    rotation,
    lineOf: (event) => String((event as { auditID?: unknown }).auditID),
    clock: createFakeClock(Date.UTC(2026, 10, 21, 10)),
    failed: (plugin, error, events) => lost.push(`${plugin}: ${error}: ${events.length}`),
  });
  return { log, lost };
}

test("the file is its server's alone, and is there before the first event", async () => {
  const { log } = opened(files);
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder(), "audit.log")).mode & 0o777).toBe(0o600);
  await log.close();
});

test("a full file is put aside", async () => {
  const { log } = opened(files);
  expect(log.process([event("a".repeat(30)), event("b".repeat(30))])).toBe(true);
  await log.close();
  expect(readdirSync(folder()).toSorted()).toEqual([
    "audit-2026-11-21T10-00-00.000.log",
    "audit.log",
  ]);
});

test("an event larger than a file is told of, the others are written", async () => {
  const { log, lost } = opened(files);
  expect(log.process([event("a"), event("b".repeat(60)), event("c")])).toBe(false);
  await log.close();
  expect(lost).toEqual(["log: write length 61 exceeds maximum file size 40: 1"]);
  expect(readFileSync(join(folder(), "audit.log"), "utf8")).toBe("a\nc\n");
});

test("without a size it grows for ever", async () => {
  const { log } = opened(undefined);
  log.process([event("a".repeat(60)), event("b".repeat(60))]);
  await log.close();
  expect(readdirSync(folder())).toEqual(["audit.log"]);
});
