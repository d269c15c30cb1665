/**
 * Daemons: processes that outlive the command that started them, found again by a record.
 *
 * Shapes  run/<name>.json holds {pid, startTicks, argv}; a pid alone may have been reused by
 *         another process, pid plus start time cannot.
 * Units   startTicks is field 22 of /proc/<pid>/stat; timeouts in milliseconds
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { sayGo } from "./start-signal.ts";
import { writeWhole } from "./write-whole.ts";

export interface DaemonRecord {
  name: string;
  pid: number;
  startTicks: string;
  argv: readonly string[];
}

export interface SpawnOptions {
  name: string;
  argv: readonly string[];
  logFile: string;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/** Start time of a process in clock ticks since boot; undefined when it is gone or a zombie. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A leader that has ended waits as a zombie for its threads, which hold its files open.
    const hasEnded = fields[0] === "X" || (fields[0] === "Z" && Number(fields[17]) <= 1);
    return hasEnded ? undefined : fields[19];
  } catch {
    // Without /proc (not Linux) the pid itself is all there is to go by.
    try {
      process.kill(pid, 0);
      return process.platform === "linux" ? undefined : "unknown";
    } catch {
      return undefined;
    }
  }
}

export function isRunning(record: DaemonRecord): boolean {
  return startTicks(record.pid) === record.startTicks;
}

export class Daemons {
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = join(dataDir, "run");
  }

  /** Starts a process of its own session and writes its record; resolves once it runs. */
  async spawn(options: SpawnOptions): Promise<DaemonRecord> {
    return (await this.#start(options, "ignore")).record;
  }

  /** The same for a process that waits for a word on its standard input; see start-signal.ts. */
  async spawnWaiting(options: SpawnOptions): Promise<{ record: DaemonRecord; go(): void }> {
    const { record, child } = await this.#start(options, "pipe");
    return { record, go: () => sayGo(child.stdin) };
  }

  async #start(
    options: SpawnOptions,
    stdin: "ignore" | "pipe",
  ): Promise<{ record: DaemonRecord; child: ChildProcess }> {
    mkdirSync(dirname(options.logFile), { recursive: true });
    const log = openSync(options.logFile, "a");
    try {
      const [command, ...rest] = options.argv;
      const child = spawn(command!, rest, {
        detached: true,
        stdio: [stdin, log, log],
        env: { ...process.env, ...options.env },
        cwd: options.cwd ?? "/",
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      child.unref();
      const pid = child.pid!;
      const record = await this.record(options.name, pid, options.argv).catch((error) => {
        // What nobody finds again nobody can stop.
        child.kill("SIGKILL");
        throw error;
      });
      return { record, child };
    } finally {
      closeSync(log);
    }
  }

  async record(name: string, pid: number, argv: readonly string[]): Promise<DaemonRecord> {
    const record: DaemonRecord = { name, pid, startTicks: startTicks(pid) ?? "gone", argv };
    await mkdir(this.#directory, { recursive: true });
    await writeWhole(this.#path(name), JSON.stringify(record));
    return record;
  }

  /** Small files, read at once: a thread for each takes longer. */
  async find(name: string): Promise<DaemonRecord | undefined> {
    try {
      return JSON.parse(readFileSync(this.#path(name), "utf8")) as DaemonRecord;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async list(): Promise<DaemonRecord[]> {
    const names = existsSync(this.#directory) ? readdirSync(this.#directory) : [];
    const records = await Promise.all(
      names.filter((n) => n.endsWith(".json")).map((n) => this.find(n.slice(0, -5))),
    );
    return records.filter((r) => r !== undefined);
  }

  async anyRunning(): Promise<boolean> {
    return (await this.list()).some(isRunning);
  }

  /** Asks with SIGTERM, insists with SIGKILL, forgets the record. */
  async stop(name: string, timeoutMs = 5000): Promise<void> {
    const record = await this.find(name);
    if (record === undefined) return;
    await stopProcess(record, timeoutMs);
    await rm(this.#path(name), { force: true });
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}

export async function stopProcess(record: DaemonRecord, timeoutMs: number): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!isRunning(record)) return;
    try {
      process.kill(record.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw error;
    }
    const deadline = performance.now() + (signal === "SIGTERM" ? timeoutMs : 2000);
    while (isRunning(record) && performance.now() < deadline) await delay(10);
  }
}
