/**
 * A cluster for one test file: started by the command a user would type, taken down whatever happens.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { noContainersReason } from "../src/io/machine.ts";
import { findEveryUpstream } from "../src/io/programs.ts";

const bin = fileURLToPath(new URL("../bin/nanokube.mjs", import.meta.url));
export const cliArgv = [process.execPath, bin];

export interface CommandResult {
  stdout: string;
  stderr: string;
  code: number;
}

export async function runCommand(
  argv: readonly string[],
  options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<CommandResult> {
  const [command, ...args] = argv;
  const result = await execa(command!, args, {
    reject: false,
    stripFinalNewline: false,
    timeout: options.timeoutMs ?? 60_000,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  return { stdout: result.stdout, stderr: result.stderr, code: result.exitCode ?? 127 };
}

export const cli = (...args: string[]) => runCommand([...cliArgv, ...args], { timeoutMs: 180_000 });

export const containersReason = noContainersReason();

/** kubectl of the pinned release; an older one on PATH is tried as well where a test says so. */
export function kubectls(): string[] {
  const versions = new Map<string, string>();
  for (const path of findEveryUpstream("kubectl")) {
    const answer = spawnSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" });
    if (answer.status !== 0) continue;
    const version = (JSON.parse(answer.stdout) as { clientVersion: { gitVersion: string } })
      .clientVersion.gitVersion;
    if (!versions.has(version)) versions.set(version, path);
  }
  return [...versions.values()];
}

export class TestCluster {
  readonly dataDir: string;
  readonly kubectlPath: string;

  constructor(kubectlPath = kubectls()[0] ?? "kubectl") {
    this.dataDir = mkdtempSync(join(tmpdir(), "nanokube-cluster-"));
    this.kubectlPath = kubectlPath;
  }

  get env(): Record<string, string> {
    return { KUBECONFIG: join(this.dataDir, "kubeconfig"), HOME: this.dataDir };
  }

  async up(...flags: string[]): Promise<void> {
    const result = await cli("up", "--detach", "--data-dir", this.dataDir, ...flags);
    if (result.code !== 0) throw new Error(`up: ${result.stderr}${this.lastLogs()}`);
  }

  async down(): Promise<void> {
    const result = await cli("down", "--data-dir", this.dataDir);
    if (result.code !== 0 && !result.stderr.includes("holds no cluster")) {
      throw new Error(`down: ${result.stderr}`);
    }
  }

  /** Of one of its processes, by the name that `nanokube status` has for it. */
  pid(name: string): number {
    const record = readFileSync(join(this.dataDir, "run", `${name}.json`), "utf8");
    return (JSON.parse(record) as { pid: number }).pid;
  }

  /** Down, and nothing left on disk. */
  async destroy(): Promise<void> {
    await this.down();
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  async try(args: readonly string[], input?: string): Promise<CommandResult> {
    const options = { env: this.env, ...(input === undefined ? {} : { input }) };
    return runCommand([this.kubectlPath, ...args], options);
  }

  /** kubectl's output; a failure throws with what it said. */
  async kubectl(...args: string[]): Promise<string> {
    const result = await this.try(args);
    if (result.code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  }

  async apply(manifest: string): Promise<string> {
    const result = await this.try(["apply", "-f", "-"], manifest);
    if (result.code !== 0) throw new Error(`kubectl apply: ${result.stderr}`);
    return result.stdout;
  }

  /** A kubectl that runs beside the test, and is ended with it. */
  start(args: readonly string[]) {
    return spawn(this.kubectlPath, args, { env: { ...process.env, ...this.env } });
  }

  lastLogs(): string {
    const log = (name: string) => {
      try {
        const text = readFileSync(join(this.dataDir, "logs", `${name}.log`), "utf8");
        return text.trim().split("\n").slice(-5).join("\n");
      } catch {
        return "";
      }
    };
    return ["control-plane", "n1-agent"].map((n) => `\n--- ${n}\n${log(n)}`).join("");
  }
}

/** Asks until the answer is right; says what the last one was. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let answer: T | undefined;
    let failure: unknown;
    try {
      answer = await ask();
      if (isRight(answer)) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`still wrong after ${timeoutMs} ms: ${failure ?? JSON.stringify(answer)}`);
    }
    await delay(100);
  }
}
