/** What a process uses, as /proc tells it; 0 when it has gone. */
import { readFileSync } from "node:fs";

/** Resident memory, in bytes. */
export function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Linux tells processor time in hundredths of a second, on every architecture. */
const millisecondsPerTick = 10;

/** Processor time so far, its ended children's with it, in milliseconds. */
export function processorMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields 14 to 17: utime, stime, cutime, cstime; the name in field 2 may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return ticks * millisecondsPerTick;
  } catch {
    return 0;
  }
}
