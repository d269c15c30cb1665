/**
 * The command runner that a `main` hands in: one program with its arguments, never a shell line.
 *
 * A path of its own, `@nanokube/machinery/run-command`, so that what only needs the nouns does not
 * load processes and streams.
 * Shapes  code  127 when there is no such program; -1 when it was killed (time limit, abort)
 * Errors  none are thrown: what went wrong stands in `stderr` and `code`
 */
import { spawn } from "node:child_process";
import type { Exec, ExecOptions, ExecResult } from "./exec.ts";

type Child = ReturnType<typeof spawn>;

function collect(child: Child): { stdout: Buffer[]; stderr: Buffer[] } {
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout?.on("data", (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => output.stderr.push(chunk));
  return output;
}

/** Ends the child when its time is over or nobody waits for it any more. */
function limit(child: Child, { timeoutMs, signal }: ExecOptions): () => void {
  const kill = () => void child.kill("SIGKILL");
  const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted === true) kill();
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  };
}

export const runCommand: Exec = (argv, options = {}) => {
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
  });
  const output = collect(child);
  const release = limit(child, options);
  const { promise, resolve } = Promise.withResolvers<ExecResult>();
  const finish = (code: number, more = "") => {
    release();
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
    resolve({ stdout: text(output.stdout), stderr: text(output.stderr) + more, code });
  };
  child.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") finish(127, `${program}: command not found`);
    else finish(-1, error.message);
  });
  child.once("close", (code) => finish(code ?? -1));
  // A program that ends without reading its input is no failure of ours.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  return promise;
};
