/**
 * How this program starts itself again, as another process with another job.
 *
 * Bundled, the program is the one file this code stands in; from sources it is main.ts, and Node is
 * told to resolve packages to sources too.
 */
import { fileURLToPath } from "node:url";

declare global {
  /** Set to true by bundle.mjs. */
  var nanokubeBundled: boolean | undefined;
}

export type InternalJob = "control-plane" | "agent";

/** Small young generations: a cluster's processes idle most of the time. */
const memoryFlags = ["--max-semi-space-size=8", "--optimize-for-size"];

export function ownArgv(job: InternalJob, ...args: string[]): string[] {
  const start = globalThis.nanokubeBundled
    ? [fileURLToPath(import.meta.url)]
    : ["--conditions=nanokube-source", fileURLToPath(new URL("../main.ts", import.meta.url))];
  return [process.execPath, ...memoryFlags, ...start, "internal", job, ...args];
}
