/**
 * Where upstream's etcd is: in the cache that `npm run upstream` fills, then on PATH.
 *
 * Shapes  $NANOKUBE_UPSTREAM, or ~/.cache/nanokube/upstream/bin; the same rule as in conformance
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export interface Surroundings {
  readonly [name: string]: string | undefined;
}

export function findUpstream(name: string, env: Surroundings): string[] {
  const cache =
    env["NANOKUBE_UPSTREAM"] ?? join(homedir(), ".cache", "nanokube", "upstream", "bin");
  const folders = [cache, ...(env["PATH"] ?? "").split(delimiter)].filter((path) => path !== "");
  const found = folders.map((folder) => join(folder, name)).filter(isExecutable);
  return [...new Set(found.map((path) => realpathSync(path)))];
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** "3.6.8" of an etcd binary. */
export function etcdVersion(binary: string): string {
  const text = execFileSync(binary, ["--version"], { encoding: "utf8" });
  return /etcd Version: (\S+)/.exec(text)?.[1] ?? "unknown";
}
