/**
 * The command runner of the plugin: one program at a time, waited for.
 *
 * spawnSync, for an asynchronous spawn loads streams and sockets first: 15 ms of a pod's start, for
 * nothing.
 *
 * Errors  127 as a shell would say when the program is missing
 */
import { spawnSync } from "node:child_process";
import type { Exec } from "@nanokube/machinery";

export const execSync: Exec = async (argv, options = {}) => {
  const [program, ...rest] = argv;
  const child = spawnSync(program!, rest, {
    input: options.input ?? "",
    timeout: options.timeoutMs ?? 30_000,
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  if (child.error !== undefined && child.status === null) {
    const code = (child.error as NodeJS.ErrnoException).code === "ENOENT" ? 127 : 124;
    return { stdout: "", stderr: `${program}: ${child.error.message}`, code };
  }
  return { stdout: child.stdout, stderr: child.stderr, code: child.status ?? 128 };
};
