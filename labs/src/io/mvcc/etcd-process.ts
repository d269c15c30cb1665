/**
 * An etcd of upstream's for one grading: its own port and folder, both gone at the end.
 *
 * Errors  EnvironmentError when it is not executable or does not serve in time
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@nanokube/conformance/free-ports";
import { createClient, dial, etcd } from "@nanokube/rpc";
import { isExecutable } from "nanokube/programs";
import { EnvironmentError } from "../../core/subject.ts";

export interface EtcdProcess {
  readonly url: string;
  close(): Promise<void>;
}

const startMs = 20_000;
const tryMs = 500;

export async function startEtcd(binary: string): Promise<EtcdProcess> {
  if (!isExecutable(binary)) throw new EnvironmentError(`${binary} is not an executable file`);
  const folder = await mkdtemp(join(tmpdir(), "labs-etcd-"));
  const [client, peer] = await freePorts(2);
  const url = `http://127.0.0.1:${client}`;
  const flags = ["--data-dir", join(folder, "data"), "--log-level", "error"];
  flags.push("--listen-client-urls", url, "--advertise-client-urls", url);
  flags.push("--listen-peer-urls", `http://127.0.0.1:${peer}`);
  const child = spawn(binary, flags, { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (stderr.length < 4096) stderr += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      stderr += error.message;
      resolve();
    });
  });
  const killWithUs = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", killWithUs);
  const close = async () => {
    child.kill("SIGKILL");
    await exited;
    process.off("exit", killWithUs);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilServing(url, child);
  } catch {
    await close();
    const reason = stderr.trim().split("\n")[0] || `did not serve within ${startMs} ms`;
    throw new EnvironmentError(`${binary}: ${reason}`);
  }
  return { url, close };
}

async function untilServing(url: string, child: ChildProcess): Promise<void> {
  const channel = dial(url);
  try {
    const kv = createClient(channel, etcd.KV);
    const end = performance.now() + startMs;
    for (;;) {
      if (child.exitCode !== null) throw new Error("ended while starting");
      try {
        await kv.range({ key: Buffer.from("a") }, { waitForReady: true, timeoutMs: tryMs });
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  } finally {
    channel.close();
  }
}
