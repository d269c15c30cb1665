/**
 * Sets of completion indexes, as a Job's status writes them: "0,2-5,7".
 *
 * Source  pkg/controller/job/indexed_job_utils.go
 */
import type { Pod } from "@nanokube/api/core/v1";

export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

/** undefined for a pod without one. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[indexAnnotation];
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** What is no number, or at or beyond `completions`, is left out. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? "").split(",")) {
    const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(part);
    if (match === null) continue;
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
    for (let index = Number(match[1]); index <= last; index++) indexes.add(index);
  }
  return indexes;
}

/** Two neighbours are written apart, three and more as a range. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    const [first, last] = [sorted[start]!, sorted[end]!];
    if (first === last) parts.push(`${first}`);
    else parts.push(last === first + 1 ? `${first},${last}` : `${first}-${last}`);
    start = end + 1;
  }
  return parts.join(",");
}

/** The lowest `count` indexes that are not taken. */
export function freeIndexes(
  taken: ReadonlySet<number>,
  count: number,
  completions: number,
): number[] {
  const free: number[] = [];
  for (let index = 0; index < completions && free.length < count; index++) {
    if (!taken.has(index)) free.push(index);
  }
  return free;
}
