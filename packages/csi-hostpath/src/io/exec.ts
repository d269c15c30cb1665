/**
 * The command runner that `main` hands in: one program, no shell.
 */
import type { Exec } from "@nanokube/machinery";
import { execa } from "execa";

export const exec: Exec = async (argv, options = {}) => {
  const [program = "", ...rest] = argv;
  const result = await execa(program, rest, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 256 << 20,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const missing = result.code === "ENOENT" ? `${program}: command not found` : "";
  return {
    stdout: String(result.stdout ?? ""),
    stderr: `${String(result.stderr ?? "")}${missing}`,
    code: result.exitCode ?? (missing === "" ? -1 : 127),
  };
};
