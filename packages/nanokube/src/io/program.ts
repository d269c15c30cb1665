/**
 * How this program starts itself again, as another process with another job.
 *
 * From sources Node is told to resolve packages to sources too; installed from npm there is nothing
 * to tell.
 */
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

export type InternalJob = "control-plane" | "agent";

/** Keeps the young generation small: a cluster's processes idle most of the time. */
const memoryFlags = ["--max-semi-space-size=8", "--optimize-for-size"];

export function ownArgv(job: InternalJob, ...args: string[]): string[] {
  const fromSource = main.endsWith(".ts") ? ["--conditions=nanokube-source"] : [];
  return [process.execPath, ...memoryFlags, ...fromSource, main, "internal", job, ...args];
}
