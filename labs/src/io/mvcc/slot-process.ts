/**
 * A student's store as a subject: a child process driven in lock-step over two pipes.
 *
 * The child may read its own folder and the grader's sources and nothing else of the machine. It is
 * started when a history needs it and again after it crashed or hung; its output is kept for people
 * to read and never taken for an answer.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Operation, Reply } from "../../core/mvcc/operation.ts";
import { type Session, type Subject, SubjectFailed } from "../../core/subject.ts";

export interface SlotOptions {
  /** The file that exports create(deps). */
  readonly file: string;
  /** As it is called in reports. */
  readonly shownAs: string;
  readonly operationMs: number;
  readonly heapMiB: number;
  /** Gets what the program prints. */
  onOutput?(text: string): void;
}

const here = fileURLToPath(import.meta.url);
const hostFile = join(dirname(here), "slot-host", `main${extname(here)}`);
/** Times the limit that a program may wait for its turn. */
const waitsMax = 5;
const shortWaitMs = 50;
const clockTickMs = 10;
const outputCharsMax = 64 * 1024;
const replyCharsMax = 16 * 1024 * 1024;

export function createSlotSubject(options: SlotOptions): Subject<Operation, Reply> {
  const file = realpathSync(options.file);
  let host: Host | undefined;
  const living = async (): Promise<Host> => {
    if (host === undefined || host.isDead) {
      host = new Host(file, options);
      await host.loaded();
    }
    return host;
  };
  return {
    name: `slot ${options.shownAs}`,
    kind: "slot",
    async open(): Promise<Session<Operation, Reply>> {
      const own = await living();
      own.send({ open: true });
      return {
        isPipelined: true,
        run: (op) => own.ask(op) as Promise<Reply>,
        close: async () => {},
      };
    },
    close: async () => {
      await host?.end();
    },
  };
}

/** Processor time of a process so far; 0 where the system does not tell. */
function cpuMs(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * clockTickMs;
  } catch {
    return 0;
  }
}

interface Pending {
  readonly what: string;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

class Host {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #operationMs: number;
  readonly #killWithUs = () => this.#child.kill("SIGKILL");
  readonly #pending: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;
  #partial = "";
  #partialLength = 0;
  #printed = 0;
  #end: SubjectFailed | undefined;

  constructor(file: string, options: SlotOptions) {
    this.#operationMs = options.operationMs;
    const sources = join(dirname(here), "..", "..", "..");
    const reads = [dirname(file), sources].map((path) => `--allow-fs-read=${path}/*`);
    const flags = [
      "--permission",
      ...reads,
      "--expose-gc",
      `--max-old-space-size=${options.heapMiB}`,
      "--conditions=nanokube-source",
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=SecurityWarning",
      "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    ];
    this.#child = spawn(process.execPath, [...flags, hostFile, file], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
      env: {},
      cwd: dirname(file),
    });
    process.once("exit", this.#killWithUs);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        process.off("exit", this.#killWithUs);
        this.#fail(new SubjectFailed("crash", `the program ended (${signal ?? `exit ${code}`})`));
        resolve();
      });
    });
    this.#child.once("error", (error) => this.#fail(new SubjectFailed("crash", error.message)));
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (chunk: Buffer) => {
        this.#printed += chunk.length;
        if (this.#printed <= outputCharsMax) options.onOutput?.(chunk.toString());
      });
    }
    (this.#child.stdio[3] as Writable).on("error", () => {}); // The exit tells more.
    const answers = this.#child.stdio[4] as Readable;
    answers.setEncoding("utf8");
    answers.on("data", (text: string) => this.#receive(text));
  }

  get isDead(): boolean {
    return this.#end !== undefined;
  }

  async loaded(): Promise<void> {
    const reply = (await this.#expect("load the file")) as { failed?: string };
    if (reply.failed === undefined) return;
    const failure = new SubjectFailed("load", reply.failed);
    this.#fail(failure);
    await this.end();
    throw failure;
  }

  send(message: object): void {
    const input = this.#child.stdio[3] as Writable;
    if (input.writableCorked === 0) {
      input.cork();
      process.nextTick(() => input.uncork());
    }
    input.write(`${JSON.stringify(message)}\n`);
  }

  ask(op: Operation): Promise<unknown> {
    const reply = this.#expect("answer");
    if (!this.isDead) this.send(op);
    return reply;
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #expect(what: string): Promise<unknown> {
    const reply = new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      this.#pending.push({ what, resolve, reject });
      if (this.#pending.length === 1) this.#startTimer();
    });
    // Who has heard enough does not listen to the rest.
    reply.catch(() => {});
    return reply;
  }

  /** The time limit is the oldest one's: it is what the program works on. */
  #startTimer(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    const cpuBeforeMs = cpuMs(this.#child.pid);
    let waitedMs = this.#operationMs;
    const onTime = () => {
      // On a busy machine the program may not have had its turn: its own time counts.
      const usedMs = cpuMs(this.#child.pid) - cpuBeforeMs;
      if (usedMs < this.#operationMs && waitedMs < this.#operationMs * waitsMax) {
        const moreMs = Math.max(this.#operationMs - usedMs, shortWaitMs);
        waitedMs += moreMs;
        this.#timer = setTimeout(onTime, moreMs);
        return;
      }
      const text = `hung: it did not ${oldest.what} within ${this.#operationMs} ms`;
      this.#fail(new SubjectFailed("hang", text));
      this.#child.kill("SIGKILL");
    };
    this.#timer = setTimeout(onTime, this.#operationMs);
  }

  #receive(text: string): void {
    this.#partialLength += text.length;
    if (this.#partialLength > replyCharsMax) {
      this.#fail(new SubjectFailed("protocol", "an answer longer than 16 MiB"));
      this.#child.kill("SIGKILL");
      return;
    }
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    this.#partialLength = this.#partial.length;
    for (const line of lines) this.#pending.shift()?.resolve(JSON.parse(line));
    this.#startTimer();
  }

  #fail(error: SubjectFailed): void {
    this.#end ??= error;
    clearTimeout(this.#timer);
    for (const pending of this.#pending.splice(0)) pending.reject(this.#end);
  }
}
