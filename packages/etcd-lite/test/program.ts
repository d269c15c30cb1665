/** The program as a process of its own; what a test started is ended, and removed, after it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** What is to be done after the test, the last first. */
export const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output: string;
}

export function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, ["--conditions=nanokube-source", main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    // etcd listens on 2380 unless told otherwise: side by side each takes a port of its own.
    env: { ...process.env, ETCD_LISTEN_PEER_URLS: "http://127.0.0.1:0", ...env },
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const running: Running = { child, exited, output: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      running.output += chunk.toString();
    });
  }
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return running;
}

/** A directory that goes with the test. */
export function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "etcd-lite-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const urlFlags = (url: string) => [
  "--listen-client-urls",
  url,
  "--advertise-client-urls",
  url,
];
