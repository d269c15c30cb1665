/**
 * Indexed Jobs whose indexes fail for themselves, or of which some successes are enough.
 *
 * How often an index has failed is written on its newest pod: the failed one keeps its finalizer
 * until the pod that replaces it has been made with the new count.
 * Source  pkg/controller/job/indexed_job_utils.go, backoff_utils.go, success_policy.go
 */
import type { Job } from "@nanokube/api/batch/v1";
import type { Pod } from "@nanokube/api/core/v1";
import { finishedAt, remainingMs } from "./backoff.ts";
import { isPodFailed, judge } from "./failure-policy.ts";
import { indexOf, parseIndexes } from "./indexes.ts";

const failureCount = "batch.kubernetes.io/job-index-failure-count";
const ignoredFailureCount = "batch.kubernetes.io/job-index-ignored-failure-count";

export const limitsIndexes = (job: Job): boolean => job.spec?.backoffLimitPerIndex !== undefined;

const noted = (pod: Pod, annotation: string): number =>
  Number(pod.metadata?.annotations?.[annotation] ?? 0) || 0;

const allFailures = (pod: Pod): number =>
  noted(pod, failureCount) + noted(pod, ignoredFailureCount);

/** What the pod that comes after `replaced` is told. */
export function failureAnnotations(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (replaced === undefined) return { [failureCount]: "0" };
  const { counts } = judge(job.spec?.podFailurePolicy, replaced);
  const ignored = noted(replaced, ignoredFailureCount) + (counts ? 0 : 1);
  return {
    [failureCount]: String(noted(replaced, failureCount) + (counts ? 1 : 0)),
    ...(ignored > 0 ? { [ignoredFailureCount]: String(ignored) } : {}),
  };
}

function failsIndex(job: Job, pod: Pod): boolean {
  if (!isPodFailed(pod, job)) return false;
  const { counts, failIndex } = judge(job.spec?.podFailurePolicy, pod);
  if (failIndex === true) return true;
  return counts && noted(pod, failureCount) >= (job.spec?.backoffLimitPerIndex ?? 0);
}

/** `counted` are pods that still hold their finalizer. */
export function failedIndexes(job: Job, counted: readonly Pod[]): Set<number> {
  const completions = job.spec?.completions ?? 0;
  const failed = parseIndexes(job.status?.failedIndexes, completions);
  for (const pod of counted) {
    const index = indexOf(pod);
    if (index !== undefined && index < completions && failsIndex(job, pod)) failed.add(index);
  }
  return failed;
}

/** Failed pods that wait for their replacement, by index. */
export function waitingForReplacement(
  job: Job,
  pods: readonly Pod[],
  settled: (index: number) => boolean,
): Map<number, Pod> {
  const waiting = new Map<number, Pod>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || index >= (job.spec?.completions ?? 0)) continue;
    if (!isPodFailed(pod, job) || settled(index)) continue;
    const other = waiting.get(index);
    const newer =
      other === undefined ||
      (allFailures(other) <= allFailures(pod) && finishedAt(pod) >= finishedAt(other));
    if (newer) waiting.set(index, pod);
  }
  return waiting;
}

/** Until the index may have its next pod. */
export function indexWaitMs(replaced: Pod | undefined, nowMs: number): number {
  if (replaced === undefined) return 0;
  const record = { failures: allFailures(replaced) + 1, lastFailureMs: finishedAt(replaced) };
  return remainingMs(record, nowMs);
}

/** The words of the first rule of the success policy that is fulfilled. */
export function matchSuccessPolicy(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  if (succeeded.size === 0) return undefined;
  const completions = job.spec?.completions ?? 0;
  const met = (job.spec?.successPolicy?.rules ?? []).findIndex((rule) => {
    if (rule.succeededIndexes === undefined) {
      return rule.succeededCount !== undefined && succeeded.size >= rule.succeededCount;
    }
    const wanted = parseIndexes(rule.succeededIndexes, completions);
    if (wanted.size === 0) return false;
    const have = [...wanted].filter((index) => succeeded.has(index)).length;
    return have === wanted.size || (rule.succeededCount ?? Number.POSITIVE_INFINITY) <= have;
  });
  return met < 0 ? undefined : `Matched rules at index ${met}`;
}
