/**
 * TTL after finished: a Job that ended is deleted ttlSecondsAfterFinished later.
 *
 * Source  pkg/controller/ttlafterfinished/ttlafterfinished_controller.go
 */
import type { Job } from "@nanokube/api/batch/v1";
import { jobs, splitKey } from "@nanokube/client";
import type { Context, Controller } from "../controller.ts";
import { watchOwn } from "../controller.ts";
import { isFinished } from "../job/sync.ts";
import { read, remove, type Steps } from "../steps.ts";
import { parseTime } from "../time.ts";

export function createTTLAfterFinishedController(): Controller {
  return {
    name: "ttl-after-finished-controller",
    watches: [watchOwn(jobs)],
    reconcile: reconcileTTL,
  };
}

export function* reconcileTTL(key: string, { caches, nowMs }: Context): Steps<number | undefined> {
  const { namespace, name } = splitKey(key);
  const job = caches.of(jobs).get(namespace, name);
  const leftMs = job === undefined ? undefined : timeLeftMs(job, nowMs);
  if (leftMs === undefined) return undefined;
  if (leftMs > 0) return leftMs;
  // The TTL may just have been raised.
  const fresh = yield* read(jobs, namespace, name);
  const freshMs = fresh === undefined ? undefined : timeLeftMs(fresh, nowMs);
  if (fresh === undefined || freshMs === undefined) return undefined;
  if (freshMs > 0) return freshMs;
  yield* remove(jobs, fresh, {
    propagationPolicy: "Foreground",
    resourceVersion: fresh.metadata?.resourceVersion,
  });
  return undefined;
}

function timeLeftMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined || !isFinished(job)) return undefined;
  if (job.metadata?.deletionTimestamp !== undefined) return undefined;
  const ended = (job.status?.conditions ?? []).find(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );
  return parseTime(ended?.lastTransitionTime) + seconds * 1000 - nowMs;
}
