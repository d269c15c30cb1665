/**
 * Counts pods that ended, each exactly once, and writes the Job's status; says the last word when
 * nothing is left to wait for.
 *
 * Source  pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers
 */
import type { Job, JobCondition, JobStatus } from "@nanokube/api/batch/v1";
import type { Pod } from "@nanokube/api/core/v1";
import { jobs } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { findCondition } from "../conditions.ts";
import { note, type Steps, updateStatus } from "../steps.ts";
import { isPodFailed, judge } from "./failure-policy.ts";
import { formatIndexes, indexOf } from "./indexes.ts";
import { removeFinalizer } from "./manage.ts";
import { isIndexed, isTracked, type JobSync, jobCondition } from "./sync.ts";

const uncountedMax = 500;

export function* track(sync: JobSync): Steps {
  const { status } = sync;
  let current = sync.job;
  let last: JobCondition | undefined;
  const tracked = new Set(sync.pods.filter(isTracked).map((pod) => pod.metadata?.uid ?? ""));
  settle(status, tracked);
  const { ended, all } = endedPods(sync);
  for (const pod of ended) count(sync, pod);
  if (isIndexed(sync.job)) {
    status.succeeded = sync.succeededIndexes.size;
    status.completedIndexes = formatIndexes(sync.succeededIndexes);
    if (sync.failedIndexes !== undefined) {
      status.failedIndexes = formatIndexes(sync.failedIndexes);
    }
  }
  if (sync.finished !== undefined) last = decide(sync, sync.finished);
  current = yield* flush(current, status);
  for (const pod of ended) {
    yield* removeFinalizer(pod);
    tracked.delete(pod.metadata?.uid ?? "");
  }
  settle(status, tracked);
  const finishes = all && last !== undefined && canFinish(sync);
  if (finishes && last !== undefined) setLast(status, last);
  yield* flush(current, status);
  if (finishes && last !== undefined) yield* tellFinished(sync, last);
}

/** Whose finalizer is gone is no more in danger of being counted twice. */
function settle(status: JobStatus, tracked: ReadonlySet<string>): void {
  const uncounted = status.uncountedTerminatedPods ?? {};
  for (const outcome of ["succeeded", "failed"] as const) {
    const before = uncounted[outcome] ?? [];
    const left = before.filter((uid) => tracked.has(uid));
    status[outcome] = (status[outcome] ?? 0) + before.length - left.length;
    uncounted[outcome] = left;
  }
}

function endedPods(sync: JobSync): { ended: Pod[]; all: boolean } {
  const { job, pods, finished } = sync;
  const ends = pods.filter((pod) => {
    if (!isTracked(pod)) return false;
    const decided = job.metadata?.deletionTimestamp !== undefined || finished !== undefined;
    if (decided || pod.status?.phase === "Succeeded") return true;
    return isPodFailed(pod, job) && sync.replaceable.get(indexOf(pod) ?? -1) !== pod;
  });
  return { ended: ends.slice(0, uncountedMax), all: ends.length <= uncountedMax };
}

function count(sync: JobSync, pod: Pod): void {
  const { job, status, finished } = sync;
  const uid = pod.metadata?.uid ?? "";
  const uncounted = status.uncountedTerminatedPods!;
  const index = indexOf(pod);
  const inRange = index !== undefined && index < (job.spec?.completions ?? 0);
  if (pod.status?.phase === "Succeeded" && !uncounted.failed?.includes(uid)) {
    if (!isIndexed(job) && !uncounted.succeeded?.includes(uid)) uncounted.succeeded?.push(uid);
    return;
  }
  const failed = isPodFailed(pod, job) || (finished !== undefined && !isSuccess(finished));
  const known = uncounted.failed?.includes(uid) || uncounted.succeeded?.includes(uid);
  if (!failed || known || (isIndexed(job) && !inRange)) return;
  if (judge(job.spec?.podFailurePolicy, pod).counts) uncounted.failed?.push(uid);
}

function isSuccess({ type }: JobCondition): boolean {
  return type === "SuccessCriteriaMet" || type === "Complete";
}

/**
 * SuccessCriteriaMet and FailureTarget come first; Complete and Failed when the last pod is gone.
 */
function decide(sync: JobSync, finished: JobCondition): JobCondition {
  const { status, nowMs } = sync;
  const interim = finished.type === "FailureTarget" || finished.type === "SuccessCriteriaMet";
  if (!interim) return finished;
  if (findCondition(status.conditions, finished.type ?? "") === undefined) {
    status.conditions = [...(status.conditions ?? []), finished];
  }
  const type = finished.type === "FailureTarget" ? "Failed" : "Complete";
  return jobCondition(type, finished.reason ?? "", finished.message ?? "", nowMs);
}

function canFinish({ status, terminating }: JobSync): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  return succeeded.length + failed.length === 0 && terminating === 0;
}

function setLast(status: JobStatus, last: JobCondition): void {
  const others = (status.conditions ?? []).filter(({ type }) => type !== last.type);
  status.conditions = [...others, last];
  if (last.type === "Complete") status.completionTime = last.lastTransitionTime;
}

function* tellFinished({ job, status }: JobSync, last: JobCondition): Steps {
  if (last.type !== "Complete") {
    yield* note(job, "Warning", last.reason ?? "", last.message ?? "");
    return;
  }
  const { completions } = job.spec ?? {};
  if (completions !== undefined && (status.succeeded ?? 0) > completions) {
    const message = "Too many succeeded pods running after completion count reached";
    yield* note(job, "Warning", "TooManySucceededPods", message);
  }
  yield* note(job, "Normal", "Completed", "Job completed");
}

function* flush(job: Job, status: JobStatus): Steps<Job> {
  const next = trimmed(status);
  if (deepEqual(trimmed(job.status ?? {}), next)) return job;
  return yield* updateStatus(jobs, { ...job, status: next });
}

/**
 * As the server keeps it: zero counts and empty lists are left out, `ready` and `terminating` are
 * not.
 */
function trimmed(status: JobStatus): JobStatus {
  const { uncountedTerminatedPods: uncounted = {}, ...rest } = status;
  const lists = Object.entries(uncounted).filter(([, uids]) => uids.length > 0);
  const fields = Object.entries(rest).filter(([name, value]) => {
    if (["ready", "terminating", "failedIndexes"].includes(name)) return true;
    return value !== 0 && value !== "" && !(Array.isArray(value) && value.length === 0);
  });
  return {
    ...Object.fromEntries(fields),
    uncountedTerminatedPods: Object.fromEntries(lists.map(([name, uids]) => [name, [...uids]])),
  };
}
