/**
 * How this program starts itself again, as another process with another job.
 *
 * Bundled, each job is one file beside the one this code stands in; from sources it is a main.ts,
 * and Node is told to resolve packages to sources too.
 */
import { fileURLToPath } from "node:url";

declare global {
  /** Set to true by bundle.mjs. */
  var nanokubeBundled: boolean | undefined;
}

export type Job = "control-plane" | "agent" | "etcd";

/**
 * Young generations of a fixed size, in MiB: one that begins small is copied from one half to the
 * other fifty times while a process starts, and one that may grow keeps what it once needed.
 */
const semiSpaceMiB: Record<Job, number> = { "control-plane": 16, agent: 8, etcd: 8 };

export function ownArgv(job: Job, ...args: string[]): string[] {
  const file = globalThis.nanokubeBundled ? `./${job}.cjs` : `../${job}/main.ts`;
  const conditions = globalThis.nanokubeBundled ? [] : ["--conditions=nanokube-source"];
  const path = fileURLToPath(new URL(file, import.meta.url));
  const size = semiSpaceMiB[job];
  const memory = [`--min-semi-space-size=${size}`, `--max-semi-space-size=${size}`];
  return [process.execPath, ...memory, ...conditions, path, ...args];
}
