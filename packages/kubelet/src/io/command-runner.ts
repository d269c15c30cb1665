/** Runs mount(8) and the like: argument lists only, never a shell line. */
import type { Exec } from "@nanokube/machinery";
import { execa } from "execa";

export const runCommand: Exec = async (argv, options = {}) => {
  const [command = "", ...args] = argv;
  const result = await execa(command, args, {
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const failed = result.exitCode === undefined ? String(result.message ?? "") : "";
  return { stdout: result.stdout, stderr: result.stderr + failed, code: result.exitCode ?? -1 };
};
