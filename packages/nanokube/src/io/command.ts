/**
 * Runs a program with an argv array, never through a shell.
 *
 * Errors  `run` throws CommandError with the program's last words; `exec` reports the exit code
 */
import type { Exec } from "@nanokube/machinery";
import { execa } from "execa";

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

export const exec: Exec = async (argv, options = {}) => {
  const [command, ...rest] = argv;
  const result = await execa(command!, rest, {
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  const failure = result.exitCode === undefined ? result.shortMessage : "";
  return {
    stdout: result.stdout ?? "",
    stderr: (result.stderr ?? "") + failure,
    code: result.exitCode ?? 127,
  };
};

export async function run(argv: string[], input?: string | Uint8Array): Promise<string> {
  const result = await exec(argv, input === undefined ? {} : { input });
  if (result.code !== 0) throw new CommandError(argv, result.code, result.stderr || result.stdout);
  return result.stdout;
}
