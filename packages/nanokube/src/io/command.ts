/**
 * Runs a program with an argv array, never through a shell.
 *
 * Errors  `run` throws CommandError with the program's last words; `exec` reports the exit code,
 *         127 for a program that could not be started
 */
import { spawn } from "node:child_process";
import type { Exec } from "@nanokube/machinery";

export class CommandError extends Error {
  readonly argv: readonly string[];
  readonly code: number;

  constructor(argv: readonly string[], code: number, output: string) {
    super(`${argv.join(" ")}: ${output.trim().split("\n").slice(-3).join("; ") || `exit ${code}`}`);
    this.name = "CommandError";
    this.argv = argv;
    this.code = code;
  }
}

export const exec: Exec = (argv, { input, timeoutMs } = {}) =>
  new Promise((resolve) => {
    const [command, ...rest] = argv;
    const stdin = input === undefined ? "ignore" : "pipe";
    const child = spawn(command!, rest, {
      stdio: [stdin, "pipe", "pipe"],
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let failure = "";
    for (const name of ["stdout", "stderr"] as const) {
      child[name]!.on("data", (chunk: Buffer) => output[name].push(chunk));
    }
    child.on("error", (error) => {
      failure = error.message;
    });
    child.on("close", (code, signal) => {
      if (signal !== null) failure = `ended by ${signal}`;
      resolve({
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString() + failure,
        code: failure === "" ? (code ?? 127) : 127,
      });
    });
    // A program may end without reading all it is told.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });

export async function run(argv: string[], input?: string | Uint8Array): Promise<string> {
  const result = await exec(argv, input === undefined ? {} : { input });
  if (result.code !== 0) throw new CommandError(argv, result.code, result.stderr || result.stdout);
  return result.stdout;
}
