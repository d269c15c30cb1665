/**
 * A container that runs: a program of this machine, or a script (core/behaviour.ts).
 *
 * Shapes  ended   resolves once with the exit code; 128 + signal when a signal ended it
 */
import type { ChildProcess } from "node:child_process";
import { createServer, type Server } from "node:http";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { type Clock, sleep } from "@nanokube/machinery";
import type { cri } from "@nanokube/rpc";
import type { Behaviour } from "../core/behaviour.ts";
import { type Isolation, type Program, run } from "./isolation.ts";
import type { LogFile } from "./log-file.ts";

export interface ExecHandle {
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  ended: Promise<number>;
  kill(): void;
}

export interface Task {
  /** The program runs in its own view of the files (or has failed to). */
  readonly ready: Promise<void>;
  readonly pid: number | undefined;
  readonly ended: Promise<number>;
  readonly stdin: Writable | undefined;
  /** Called with each piece of output until the returned function is called. */
  tap(listener: (stream: "stdout" | "stderr", data: Buffer) => void): () => void;
  signal(name: NodeJS.Signals): void;
  exec(argv: readonly string[], stdin: boolean): ExecHandle;
}

const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal]);

function whenEnded(child: ChildProcess): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once("error", () => resolve(127));
  child.once("exit", (code, signal) => resolve(exitCodeOf(code, signal)));
  return promise;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** The whole group: a shell's children must not outlive it. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) sendSignal(-pid, signal);
}

export interface ProcessTaskOptions {
  isolation: Isolation;
  directory: string;
  program: Program;
  mounts: readonly cri.Mount[];
  log: LogFile;
  stdin: boolean;
}

export function startProcess(options: ProcessTaskOptions): Task {
  const { isolation, directory, program, mounts, log } = options;
  const wrapped = isolation.wrap(directory, program, mounts);
  const child = run(wrapped, options.stdin ? "pipe" : "ignore");
  child.stdin?.on("error", () => {});
  const copied = Promise.all([
    log.follow(child.stdout, "stdout"),
    log.follow(child.stderr, "stderr"),
  ]);
  const exited = whenEnded(child);
  const setUp = Promise.withResolvers<void>();
  const said = child.stdio[3] as Readable | null;
  said?.once("data", () => setUp.resolve());
  said?.once("close", () => setUp.resolve());
  said?.on("error", () => {});
  if (isolation.name === "plain" || said === null) setUp.resolve();
  // The last lines belong to the log before anybody is told of the end; but a grandchild that keeps
  // the pipe open must not hide it.
  const ended = exited.then(async (code) => {
    killGroup(child.pid, "SIGKILL");
    await copied;
    return code;
  });
  return {
    ready: setUp.promise,
    pid: child.pid,
    ended,
    stdin: child.stdin ?? undefined,
    tap(listener) {
      const out = (data: Buffer) => listener("stdout", data);
      const err = (data: Buffer) => listener("stderr", data);
      child.stdout?.on("data", out);
      child.stderr?.on("data", err);
      return () => {
        child.stdout?.off("data", out);
        child.stderr?.off("data", err);
      };
    },
    signal(name) {
      if (name === "SIGKILL") killGroup(child.pid, name);
      // Only the program itself: what it does with its children is its own business.
      else if (child.pid !== undefined) sendSignal(isolation.processOf(child.pid), name);
    },
    exec(argv, stdin) {
      const inside = isolation.enter(child.pid ?? 0, { ...program, argv }, mounts);
      const other = run(inside, stdin ? "pipe" : "ignore");
      other.stdin?.on("error", () => {});
      return {
        stdin: other.stdin ?? undefined,
        stdout: other.stdout ?? undefined,
        stderr: other.stderr ?? undefined,
        ended: whenEnded(other),
        kill: () => killGroup(other.pid, "SIGKILL"),
      };
    },
  };
}

export interface ScriptTaskOptions {
  behaviour: Behaviour;
  clock: Clock;
  log: LogFile;
  /** Where its ports answer. */
  ip: string;
  ports: readonly number[];
}

/** Answers probes on the declared ports: 503 until ready, then 200. */
function answerPorts(options: ScriptTaskOptions, isReady: () => boolean): Server[] {
  return options.ports.map((port) => {
    const server = createServer((_request, response) => {
      response.statusCode = isReady() ? 200 : 503;
      response.end(isReady() ? "ok\n" : "not ready\n");
    });
    server.on("error", () => {});
    server.listen(port, options.ip === "" ? "127.0.0.1" : options.ip);
    return server;
  });
}

export function startScript(options: ScriptTaskOptions): Task {
  const { behaviour, clock, log } = options;
  const startedMs = clock.monotonic();
  const stop = new AbortController();
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const listeners = new Set<(stream: "stdout" | "stderr", data: Buffer) => void>();
  const isReady = () => clock.monotonic() - startedMs >= behaviour.readyAfterSeconds * 1000;
  const servers = answerPorts(options, isReady);
  const finish = (code: number) => {
    stop.abort();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    resolve(code);
  };
  const say = (line: string) => {
    log.write("stdout", { text: Buffer.from(line), partial: false });
    for (const listener of listeners) listener("stdout", Buffer.from(`${line}\n`));
  };
  const talk = async () => {
    do {
      for (const line of behaviour.log) {
        if (stop.signal.aborted) return;
        say(line);
        await sleep(clock, behaviour.logEverySeconds * 1000, stop.signal);
      }
    } while (behaviour.logEverySeconds > 0 && behaviour.log.length > 0);
  };
  talk().catch(() => {});
  if (behaviour.exitAfterSeconds !== undefined) {
    sleep(clock, behaviour.exitAfterSeconds * 1000, stop.signal).then(
      () => finish(behaviour.exitCode),
      () => {},
    );
  }
  return {
    ready: Promise.resolve(),
    pid: undefined,
    ended,
    stdin: undefined,
    tap(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signal(name) {
      if (name === "SIGKILL" || !behaviour.ignoreTerm) finish(128 + constants.signals[name]);
    },
    // There is no program to ask: a command succeeds when the container is ready.
    exec: () => ({
      stdin: undefined,
      stdout: undefined,
      stderr: undefined,
      ended: Promise.resolve(isReady() ? 0 : 1),
      kill: () => {},
    }),
  };
}
