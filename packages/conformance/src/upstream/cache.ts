/**
 * Where upstream's programs are found: in the cache that `npm run upstream` fills, then on PATH.
 *
 * Shapes  $NANOKUBE_UPSTREAM, or ~/.cache/nanokube/upstream/bin
 */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export function cacheDirectory(): string {
  return (
    process.env["NANOKUBE_UPSTREAM"] ?? join(homedir(), ".cache", "nanokube", "upstream", "bin")
  );
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program's path; undefined when it is nowhere. */
export function findUpstream(name: string): string | undefined {
  const directories = [cacheDirectory(), ...(process.env["PATH"] ?? "").split(delimiter)];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/** Why a test that needs the program is skipped; CI makes the programs first and forbids that. */
export function missingReason(...names: string[]): string | undefined {
  const missing = names.filter((name) => findUpstream(name) === undefined);
  if (missing.length === 0) return undefined;
  const reason = `upstream's ${missing.join(", ")} not found: run "npm run upstream"`;
  if (process.env["CI"] === "true") throw new Error(reason);
  return reason;
}
