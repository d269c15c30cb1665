/**
 * One request to etcd that is on its way: how long it takes, and what its caller is told when it
 * fails.
 */
import type { Clock } from "@nanokube/machinery";
import type { StoreCounts } from "../core/cache/cache-counts.ts";
import { storageError } from "./etcd-errors.ts";

export async function countedRequest<T>(
  counts: StoreCounts,
  clock: Clock,
  sent: Promise<T>,
): Promise<T> {
  const sentMs = clock.monotonic();
  try {
    return await storageError(sent);
  } catch (error) {
    counts.errors++;
    throw error;
  } finally {
    counts.seconds.observe((clock.monotonic() - sentMs) / 1000);
  }
}
