/**
 * Lists in pages: the token is the position of the next entry.
 *
 * Errors  INVALID_ARGUMENT a negative size; ABORTED a token that is none of ours
 * Source  CSI v1.9 spec.md ListVolumes, ListSnapshots
 */
import { refuse } from "./errors.ts";

export interface Page<T> {
  entries: T[];
  nextToken: string;
}

export function page<T>(
  all: readonly T[],
  request: { maxEntries: number; startingToken: string },
): Page<T> {
  const { maxEntries, startingToken } = request;
  if (maxEntries < 0) refuse("INVALID_ARGUMENT", "max_entries must not be negative");
  if (!/^\d{0,9}$/.test(startingToken)) {
    refuse("ABORTED", `The starting token ${startingToken} is not valid`);
  }
  const start = Number(startingToken);
  if (start > all.length) refuse("ABORTED", `The starting token ${startingToken} is not valid`);
  const end = maxEntries === 0 ? all.length : Math.min(all.length, start + maxEntries);
  return { entries: all.slice(start, end), nextToken: end < all.length ? String(end) : "" };
}
