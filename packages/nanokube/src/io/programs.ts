/**
 * Where programs are: upstream's in the cache that `npm run upstream` fills, then on PATH; the
 * machine's own on PATH and in the directories for administrators.
 *
 * Imports nothing of the launcher, for tests of every package look for programs here
 * (`nanokube/programs`).
 *
 * Shapes  the cache is $NANOKUBE_UPSTREAM, or ~/.cache/nanokube/upstream/bin
 */
import { accessSync, constants, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, sep } from "node:path";

export interface Surroundings {
  readonly [name: string]: string | undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const onPath = (env: Surroundings) => (env["PATH"] ?? "").split(delimiter).filter(Boolean);

/** A program of the machine; /usr/sbin is looked at too: it is not on every user's PATH. */
export function findProgram(name: string): string | undefined {
  if (name.includes(sep)) return isExecutable(name) ? name : undefined;
  const directories = [...onPath(process.env), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/** Where the reference CNI plugins are: Debian's place, then the one of upstream's documents. */
export function findCNIPlugins(): string | undefined {
  const directories = ["/usr/lib/cni", "/opt/cni/bin"];
  return directories.find((directory) => isExecutable(join(directory, "bridge")));
}

export function cacheDirectory(env: Surroundings = process.env): string {
  return env["NANOKUBE_UPSTREAM"] ?? join(homedir(), ".cache", "nanokube", "upstream", "bin");
}

/** Every release of one of upstream's programs, the cache's first. */
export function findEveryUpstream(name: string, env: Surroundings = process.env): string[] {
  const directories = [cacheDirectory(env), ...onPath(env)];
  const found = directories.map((directory) => join(directory, name)).filter(isExecutable);
  const distinct = new Map(found.map((path) => [realpathSync(path), path] as const).reverse());
  return found.filter((path) => distinct.get(realpathSync(path)) === path);
}

/** The program's path; undefined when it is nowhere. */
export function findUpstream(name: string, env: Surroundings = process.env): string | undefined {
  return findEveryUpstream(name, env)[0];
}
