/**
 * An etcd that a benchmark can start, stop, look at and start again: ours or upstream's, one member
 * or three, each with its own directory; fsync is on for both.
 *
 * Units   resident memory in bytes and processor time in microseconds, summed over the members
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Channel, createClient, dial, etcd } from "@nanokube/rpc";
import { residentBytes } from "nanokube";
import { freePorts } from "../subjects/free-ports.ts";
import { findProgram, missing } from "../subjects/programs.ts";
import { bundled } from "./bundled.ts";

export interface Program {
  readonly name: "etcd-lite" | "etcd";
  readonly argv: readonly string[];
}

export async function etcdPrograms(directory: string): Promise<Program[]> {
  const upstream = findProgram("etcd");
  if (upstream === undefined) throw new Error(missing("etcd"));
  return [
    { name: "etcd-lite", argv: await bundled("etcd-lite", directory) },
    { name: "etcd", argv: [upstream] },
  ];
}

/** The kernel counts processor time in hundredths of a second. */
const tickUs = 10_000;
const giveUpMs = 120_000;

export class RunningEtcd {
  readonly program: Program;
  readonly #directory: string;
  readonly #ports: readonly number[];
  #children: ChildProcess[] = [];

  private constructor(program: Program, directory: string, ports: readonly number[]) {
    this.program = program;
    this.#directory = directory;
    this.#ports = ports;
  }

  static async open(program: Program, members = 1): Promise<RunningEtcd> {
    const directory = mkdtempSync(join(tmpdir(), "nanokube-bench-etcd-"));
    const running = new RunningEtcd(program, directory, await freePorts(members * 2));
    await running.start();
    return running;
  }

  get endpoints(): string {
    const clients = this.#ports.slice(0, this.#ports.length / 2);
    return clients.map((port) => `127.0.0.1:${port}`).join(",");
  }

  /** Milliseconds from the first process to the first answer of every member. */
  async start(): Promise<number> {
    const startMs = performance.now();
    const [command, ...args] = this.program.argv as [string, ...string[]];
    const members = this.#ports.length / 2;
    const peer = (i: number) => `http://127.0.0.1:${this.#ports[members + i]}`;
    const cluster = Array.from({ length: members }, (_, i) => `m${i}=${peer(i)}`).join(",");
    this.#children = Array.from({ length: members }, (_, i) => {
      const url = `http://127.0.0.1:${this.#ports[i]}`;
      const flags = ["--name", `m${i}`, "--data-dir", join(this.#directory, `m${i}`)];
      flags.push("--listen-client-urls", url, "--advertise-client-urls", url);
      flags.push("--listen-peer-urls", peer(i), "--initial-advertise-peer-urls", peer(i));
      flags.push("--initial-cluster", cluster, "--log-level", "error");
      flags.push("--quota-backend-bytes", String(8 * 2 ** 30));
      const child = spawn(command, [...args, ...flags], { stdio: ["ignore", "ignore", "inherit"] });
      const killOnExit = () => child.kill("SIGKILL");
      process.once("exit", killOnExit);
      child.once("exit", () => process.off("exit", killOnExit));
      return child;
    });
    for (const port of this.#ports.slice(0, members)) await this.#untilServing(port);
    return performance.now() - startMs;
  }

  /** A connection an attempt: one that failed would wait before it tries again. */
  async #untilServing(port: number): Promise<void> {
    const deadline = performance.now() + giveUpMs;
    for (;;) {
      const channel = dial(`http://127.0.0.1:${port}`);
      try {
        await createClient(channel, etcd.KV).range({ key: Buffer.from("\0") }, { timeoutMs: 1000 });
        return;
      } catch (error) {
        const isDead = this.#children.some(({ exitCode }) => exitCode !== null);
        if (isDead || performance.now() > deadline) throw error;
      } finally {
        channel.close();
      }
      await delay(5);
    }
  }

  async use<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = dial(`http://127.0.0.1:${this.#ports[0]}`);
    try {
      return await work(channel);
    } finally {
      channel.close();
    }
  }

  get residentBytes(): number {
    return this.#children.reduce((sum, { pid }) => sum + residentBytes(pid!), 0);
  }

  get processorUs(): number {
    return this.#children.reduce((sum, { pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      return sum + (Number(fields[11]) + Number(fields[12])) * tickUs;
    }, 0);
  }

  /** As a machine that loses power would: what was acknowledged must be there at the next start. */
  async kill(): Promise<void> {
    const exits = this.#children.map(
      (child) =>
        child.exitCode !== null ||
        child.signalCode !== null ||
        new Promise((resolve) => child.once("exit", resolve)),
    );
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(exits);
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
