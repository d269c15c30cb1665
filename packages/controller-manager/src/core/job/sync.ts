/**
 * One look at a Job: what its pods say, and whether it has ended.
 *
 * A pod counts once: when it ends its uid goes into status.uncountedTerminatedPods, then its
 * finalizer is taken off, then it is counted; whatever is interrupted goes on from there.
 */
import type { Job, JobCondition, JobStatus } from "@nanokube/api/batch/v1";
import type { Pod } from "@nanokube/api/core/v1";
import { findCondition } from "../conditions.ts";
import { isPodActive, isPodReady, isPodTerminating } from "../pod.ts";
import { formatTime, parseTime } from "../time.ts";
import { isPodFailed, judge } from "./failure-policy.ts";
import { indexOf, parseIndexes } from "./indexes.ts";
import {
  failedIndexes,
  limitsIndexes,
  matchSuccessPolicy,
  waitingForReplacement,
} from "./per-index.ts";

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";

export interface JobSync {
  job: Job;
  /** Private: changed on the way, written by `track`. */
  status: JobStatus;
  pods: readonly Pod[];
  active: readonly Pod[];
  newSucceeded: readonly Pod[];
  newFailed: readonly Pod[];
  succeeded: number;
  failed: number;
  ready: number;
  terminating: number;
  /** Counted already. */
  succeededBefore: ReadonlySet<number>;
  succeededIndexes: Set<number>;
  /** undefined: indexes don't fail for themselves. */
  failedIndexes: Set<number> | undefined;
  /** Failed pods that keep their finalizer until they are replaced, by index. */
  replaceable: ReadonlyMap<number, Pod>;
  nowMs: number;
  /** SuccessCriteriaMet, FailureTarget, or the last word. */
  finished: JobCondition | undefined;
}

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === "Indexed";
}

export function isSuspended(job: Job): boolean {
  return job.spec?.suspend === true;
}

export function isTracked(pod: Pod): boolean {
  return pod.metadata?.finalizers?.includes(trackingFinalizer) === true;
}

export function isFinished(job: Job): boolean {
  return ["Complete", "Failed"].some(
    (type) => findCondition(job.status?.conditions, type)?.status === "True",
  );
}

export function jobCondition(
  type: string,
  reason: string,
  message: string,
  nowMs: number,
): JobCondition {
  const now = formatTime(nowMs);
  return { type, status: "True", lastProbeTime: now, lastTransitionTime: now, reason, message };
}

export function beginSync(job: Job, pods: readonly Pod[], nowMs: number): JobSync {
  const status: JobStatus = { ...job.status };
  const uncounted = {
    succeeded: [...(status.uncountedTerminatedPods?.succeeded ?? [])],
    failed: [...(status.uncountedTerminatedPods?.failed ?? [])],
  };
  status.uncountedTerminatedPods = uncounted;
  status.conditions = [...(status.conditions ?? [])];
  const { completions } = job.spec ?? {};
  const counts = (pod: Pod, uids: readonly string[]) => {
    if (!isTracked(pod) || uids.includes(pod.metadata?.uid ?? "")) return false;
    const index = indexOf(pod);
    return !isIndexed(job) || (index !== undefined && index < (completions ?? 0));
  };
  const newSucceeded = pods.filter(
    (pod) => pod.status?.phase === "Succeeded" && counts(pod, uncounted.succeeded),
  );
  const newFailed = pods.filter((pod) => isPodFailed(pod, job) && counts(pod, uncounted.failed));
  const active = pods.filter(isPodActive);
  const blamed = newFailed.filter((pod) => judge(job.spec?.podFailurePolicy, pod).counts);
  const sync: JobSync = {
    job,
    status,
    pods,
    active,
    newSucceeded,
    newFailed,
    succeeded: (status.succeeded ?? 0) + newSucceeded.length + uncounted.succeeded.length,
    failed: (status.failed ?? 0) + blamed.length + uncounted.failed.length,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeededBefore: parseIndexes(status.completedIndexes, completions ?? 0),
    succeededIndexes: new Set(),
    failedIndexes: undefined,
    replaceable: new Map(),
    nowMs,
    finished: undefined,
  };
  if (status.startTime === undefined && !isSuspended(job)) status.startTime = formatTime(nowMs);
  if (isIndexed(job)) {
    sync.succeededIndexes = new Set([
      ...sync.succeededBefore,
      ...newSucceeded.map((pod) => indexOf(pod)!),
    ]);
    sync.succeeded = sync.succeededIndexes.size;
    if (limitsIndexes(job)) sync.failedIndexes = failedIndexes(job, pods.filter(isTracked));
  }
  sync.finished = judgeEnd(sync) ?? judgeIndexes(sync);
  if (sync.failedIndexes !== undefined) {
    const activeIndexes = new Set(active.map(indexOf));
    const settled = (index: number) =>
      sync.succeededIndexes.has(index) ||
      sync.failedIndexes!.has(index) ||
      activeIndexes.has(index);
    sync.replaceable = waitingForReplacement(job, pods.filter(isTracked), settled);
  }
  return sync;
}

/** Has the Job decided to end, or to be decided now? */
function judgeEnd(sync: JobSync): JobCondition | undefined {
  const { job, status, pods, nowMs } = sync;
  const met = findCondition(status.conditions, "SuccessCriteriaMet");
  if (met?.status === "True") return met;
  const target = findCondition(status.conditions, "FailureTarget");
  if (target?.status === "True") {
    return jobCondition("Failed", target.reason ?? "", target.message ?? "", nowMs);
  }
  for (const pod of pods.filter((pod) => isPodFailed(pod, job))) {
    const { failJob } = judge(job.spec?.podFailurePolicy, pod);
    if (failJob !== undefined)
      return jobCondition("FailureTarget", "PodFailurePolicy", failJob, nowMs);
  }
  const limit = job.spec?.backoffLimit ?? (limitsIndexes(job) ? Number.POSITIVE_INFINITY : 6);
  if (sync.failed > limit || restartsPass(job, pods, limit)) {
    const message = "Job has reached the specified backoff limit";
    return jobCondition("FailureTarget", "BackoffLimitExceeded", message, nowMs);
  }
  if (deadlineMs(sync) <= 0) {
    const message = "Job was active longer than specified deadline";
    return jobCondition("FailureTarget", "DeadlineExceeded", message, nowMs);
  }
  return undefined;
}

/** Do too many indexes fail, or are those that succeeded enough? */
function judgeIndexes({ job, failedIndexes, succeededIndexes, nowMs }: JobSync) {
  if (!isIndexed(job)) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec ?? {};
  const failures = failedIndexes?.size ?? 0;
  if (maxFailedIndexes !== undefined && failures > maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return jobCondition("FailureTarget", "MaxFailedIndexesExceeded", message, nowMs);
  }
  if (failures > 0 && failures + succeededIndexes.size >= completions) {
    return jobCondition("FailureTarget", "FailedIndexes", "Job has failed indexes", nowMs);
  }
  const met = matchSuccessPolicy(job, succeededIndexes);
  return met === undefined
    ? undefined
    : jobCondition("SuccessCriteriaMet", "SuccessPolicy", met, nowMs);
}

/** Until activeDeadlineSeconds are over; Infinity without them. */
export function deadlineMs({ job, status, nowMs }: JobSync): number {
  const seconds = job.spec?.activeDeadlineSeconds;
  if (seconds === undefined || status.startTime === undefined || isSuspended(job)) {
    return Number.POSITIVE_INFINITY;
  }
  return parseTime(status.startTime) + seconds * 1000 - nowMs;
}

/** Containers that are restarted in their pod count as failures too. */
function restartsPass(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter((pod) => pod.status?.phase === "Running" || pod.status?.phase === "Pending")
    .flatMap(({ status }) => [
      ...(status?.containerStatuses ?? []),
      ...(status?.initContainerStatuses ?? []),
    ])
    .reduce((total, { restartCount = 0 }) => total + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}
