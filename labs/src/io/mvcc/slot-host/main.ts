/**
 * The process that a student's store lives in: it takes one operation, gives one answer, and has
 * nothing else to reach for.
 *
 * Started with the file to load as its only argument, fd 3 to read operations from and fd 4 for the
 * answers, one JSON line each. Before the file is loaded, everything that could tell two runs apart
 * or act on the machine is made to throw: Date, Math.random, timers, the network, process, Node's
 * modules. What the file prints goes to stdout and stderr, which nobody takes for an answer.
 */
import { readSync, writeSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Operation } from "../../../core/mvcc/operation.ts";
import { lockRealm, SlotForbidden } from "./realm.ts";
import { createDriver, describeThrown, type Slot } from "./store-driver.ts";

const input = 3;
const output = 4;
const file = process.argv[2]!;
// Taken before the realm is locked.
const { exit, memoryUsage } = process;
const collectGarbage = (globalThis as { gc?: () => void }).gc;
const parse = JSON.parse;
const stringify = JSON.stringify;

let buffered = Buffer.alloc(0);

function readLine(): string | undefined {
  for (;;) {
    const end = buffered.indexOf(10);
    if (end >= 0) {
      const line = buffered.toString("utf8", 0, end);
      buffered = buffered.subarray(end + 1);
      return line;
    }
    const chunk = Buffer.allocUnsafe(1 << 18);
    const size = readSync(input, chunk, 0, chunk.length, null);
    if (size === 0) return undefined;
    buffered = Buffer.concat([buffered, chunk.subarray(0, size)]);
  }
}

function answer(reply: unknown): void {
  const line = Buffer.from(`${stringify(reply)}\n`);
  for (let sent = 0; sent < line.length; ) sent += writeSync(output, line, sent);
}

/** Only files beside the student's own, and nothing of Node's or of the packages. */
function onlyOwnFiles(): void {
  const own = pathToFileURL(dirname(file) + sep).href;
  registerHooks({
    resolve(specifier, context, next) {
      const isRelative = specifier.startsWith("./") || specifier.startsWith("../");
      const isEntry = specifier === pathToFileURL(file).href;
      if (!isRelative && !isEntry) throw new SlotForbidden(`imports ${specifier}`);
      const resolved = next(specifier, context);
      if (!resolved.url.startsWith(own)) throw new SlotForbidden(`imports ${specifier}`);
      return resolved;
    },
  });
}

function heapBytes(): number {
  collectGarbage?.();
  collectGarbage?.();
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}

async function main(): Promise<void> {
  onlyOwnFiles();
  lockRealm();
  let slot: Slot;
  try {
    slot = (await import(pathToFileURL(file).href)) as Slot;
    if (typeof slot.create !== "function") throw new SlotForbidden("does not export create(deps)");
  } catch (error) {
    answer({ failed: describeThrown(error) });
    return;
  }
  answer({ ready: true });
  let driver = createDriver(slot, heapBytes);
  for (let line = readLine(); line !== undefined; line = readLine()) {
    const message = parse(line) as { open: true } | Operation;
    if ("open" in message) driver = createDriver(slot, heapBytes);
    else answer(driver.run(message));
  }
}

await main();
exit(0);
