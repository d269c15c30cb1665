/**
 * How long a Job waits before it replaces a failed pod: 10 s, doubling with each failure since the
 * last success, 10 min at most.
 *
 * Source  pkg/controller/job/backoff_utils.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { podCondition } from "../pod.ts";
import { parseTime } from "../time.ts";

const firstMs = 10_000;
const maxMs = 600_000;

export interface BackoffRecord {
  failures: number;
  lastFailureMs: number;
}

/** With the pods that ended since the record was made. */
export function withEnded(
  record: BackoffRecord | undefined,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): BackoffRecord {
  const base = succeeded.length > 0 ? undefined : record;
  const since = Math.max(...succeeded.map(finishedAt));
  const later = failed.map(finishedAt).filter((ms) => succeeded.length === 0 || ms > since);
  if (later.length === 0) return base ?? { failures: 0, lastFailureMs: 0 };
  return {
    failures: (base?.failures ?? 0) + later.length,
    lastFailureMs: Math.max(...later),
  };
}

export function remainingMs(record: BackoffRecord, nowMs: number): number {
  if (record.failures === 0) return 0;
  const waitMs = Math.min(firstMs * 2 ** (record.failures - 1), maxMs);
  return Math.max(0, record.lastFailureMs + waitMs - nowMs);
}

export function finishedAt(pod: Pod): number {
  const { containerStatuses = [] } = pod.status ?? {};
  const ends = containerStatuses.map((status) => parseTime(status.state?.terminated?.finishedAt));
  if (ends.length > 0 && ends.every((ms) => !Number.isNaN(ms))) return Math.max(...ends);
  const ready = podCondition(pod, "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime !== undefined) {
    return parseTime(ready.lastTransitionTime);
  }
  const {
    deletionTimestamp,
    deletionGracePeriodSeconds = 0,
    creationTimestamp,
  } = pod.metadata ?? {};
  return deletionTimestamp === undefined
    ? parseTime(creationTimestamp)
    : parseTime(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}
