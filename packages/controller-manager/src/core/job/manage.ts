/**
 * Makes and deletes a Job's pods, so that as many run as parallelism and what is left to complete
 * allow.
 *
 * Source  pkg/controller/job/job_controller.go manageJob
 */
import type { Job } from "@nanokube/api/batch/v1";
import type { Container, EnvVar, Pod, PodSpec } from "@nanokube/api/core/v1";
import { isNotFound, jobs, pods } from "@nanokube/client";
import { controllerReference } from "../ownership.ts";
import { compareForDeletion, isPodReady, isPodTerminating, podFromTemplate } from "../pod.ts";
import { isNamespaceEnding } from "../replicaset/replicaset.ts";
import {
  attempt,
  deletion,
  note,
  type Outcome,
  type Steps,
  slowStart,
  together,
} from "../steps.ts";
import { type BackoffRecord, remainingMs } from "./backoff.ts";
import { replacesOnlyFailed } from "./failure-policy.ts";
import { freeIndexes, indexAnnotation, indexOf } from "./indexes.ts";
import { failureAnnotations, indexWaitMs, limitsIndexes } from "./per-index.ts";
import { isIndexed, isSuspended, isTracked, type JobSync, trackingFinalizer } from "./sync.ts";

const perSyncMax = 500;
const indexVariable = "JOB_COMPLETION_INDEX";

export interface Managed {
  active: number;
  failure?: Error | undefined;
  /** The back-off of the last failure is not over. */
  waitMs?: number;
}

/**
 * @hop job.manage: the Job controller makes pods until enough have succeeded, and waits longer
 * after each failure.
 */
export function* manage(sync: JobSync, backoff: BackoffRecord): Steps<Managed> {
  const { job, active, nowMs } = sync;
  const wanted = isSuspended(job) ? 0 : wantedActive(sync);
  const goes = podsToDelete(sync, Math.max(0, active.length - wanted));
  if (goes.length > 0) {
    const failure = yield* deletePods(sync, goes.slice(0, perSyncMax));
    return { active: sync.active.length - goes.length, failure };
  }
  if (isSuspended(job)) return { active: active.length };
  const pending = replacesOnlyFailed(job) ? sync.pods.filter(isPodTerminating).length : 0;
  const missing = wanted - pending - active.length;
  if (missing <= 0) return { active: active.length };
  const waitMs = limitsIndexes(job) ? 0 : remainingMs(backoff, nowMs);
  if (waitMs > 0) return { active: active.length, waitMs };
  return yield* createPods(sync, Math.min(missing, perSyncMax));
}

function wantedActive({ job, active, succeeded }: JobSync): number {
  const { parallelism = 1, completions } = job.spec ?? {};
  // A work queue: once one has succeeded, the others end by themselves.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

/** At least so many; of one index all but one, and indexes out of range. */
function podsToDelete({ job, active, nowMs }: JobSync, atLeast: number): Pod[] {
  const order = (list: readonly Pod[]) =>
    list.toSorted((a, b) => compareForDeletion(a, b, new Map(), nowMs));
  const goes: Pod[] = [];
  let left = [...active];
  if (isIndexed(job)) {
    const byIndex = Map.groupBy(active, (pod) => {
      const index = indexOf(pod);
      return index !== undefined && index < (job.spec?.completions ?? 0) ? index : -1;
    });
    left = [];
    for (const [index, same] of byIndex) {
      const sorted = order(same);
      if (index >= 0) left.push(sorted.pop()!);
      goes.push(...sorted);
    }
  }
  return [...goes, ...order(left).slice(0, Math.max(0, atLeast - goes.length))];
}

/** One that is not needed must not count as failed: its finalizer goes first. */
export function* deletePods(sync: JobSync, goes: readonly Pod[]): Steps<Error | undefined> {
  const { job } = sync;
  for (const pod of goes.filter(isTracked)) yield* removeFinalizer(pod);
  const outcomes = yield* together(
    goes.map((pod) => ({ ...deletion(pods, pod), hop: "job.manage" })),
  );
  sync.ready -= goes.filter(isPodReady).length;
  sync.terminating += goes.length;
  return yield* tellDeleted(job, goes, outcomes);
}

export function* deleteActive(sync: JobSync): Steps<Managed> {
  const { job, active } = sync;
  const outcomes = yield* together(
    active.map((pod) => ({ ...deletion(pods, pod), hop: "job.manage" })),
  );
  const failure = yield* tellDeleted(job, active, outcomes);
  const done = outcomes.filter(({ error }) => error === undefined || isNotFound(error)).length;
  sync.terminating += done;
  sync.ready -= active.filter(isPodReady).length;
  return { active: active.length - done, failure };
}

function* tellDeleted(
  job: Job,
  goes: readonly Pod[],
  outcomes: readonly Outcome[],
): Steps<Error | undefined> {
  let failure: Error | undefined;
  for (const [index, { error }] of outcomes.entries()) {
    if (error === undefined) {
      yield* note(job, "Normal", "SuccessfulDelete", `Deleted pod: ${goes[index]?.metadata?.name}`);
    } else if (!isNotFound(error)) {
      failure = error;
      yield* note(job, "Warning", "FailedDelete", `Error deleting: ${error.message}`);
    }
  }
  return failure;
}

export function* removeFinalizer(pod: Pod): Steps<boolean> {
  const { namespace = "", name = "" } = pod.metadata ?? {};
  const { error } = yield* attempt({
    do: "patch",
    resource: pods,
    namespace,
    name,
    type: "strategic",
    patch: { metadata: { "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } },
  });
  if (error !== undefined && !isNotFound(error)) throw error;
  return true;
}

function* createPods(sync: JobSync, count: number): Steps<Managed> {
  const { job, active, replaceable, nowMs } = sync;
  const free = isIndexed(job)
    ? freeIndexes(takenIndexes(sync), count, job.spec?.completions ?? 0)
    : Array.from({ length: count }, () => undefined);
  const waits = free.map((index) => indexWaitMs(replaceable.get(index ?? -1), nowMs));
  const due = free.filter((_, at) => waits[at] === 0);
  if (free.length > 0 && due.length === 0) {
    return { active: active.length, waitMs: Math.min(...waits) };
  }
  const made = due.map((index) => newPod(job, index, replaceable));
  const outcomes = yield* slowStart(
    made.map((object) => ({ do: "create" as const, resource: pods, object, hop: "job.manage" })),
  );
  let failure: Error | undefined;
  for (const { object, error } of outcomes) {
    if (error === undefined) {
      yield* note(job, "Normal", "SuccessfulCreate", `Created pod: ${object?.metadata?.name}`);
    } else if (!isNamespaceEnding(error)) {
      failure = error;
      yield* note(job, "Warning", "FailedCreate", `Error creating: ${error.message}`);
    }
  }
  const done = outcomes.filter(({ error }) => error === undefined).length;
  return { active: active.length + done, failure };
}

function takenIndexes(sync: JobSync): Set<number> {
  const { job, active, pods: all, succeededIndexes, failedIndexes = [] } = sync;
  const holding = replacesOnlyFailed(job) ? all.filter(isPodTerminating) : [];
  const indexes = [...active, ...holding].flatMap((pod) => indexOf(pod) ?? []);
  return new Set([...succeededIndexes, ...failedIndexes, ...indexes]);
}

function newPod(job: Job, index: number | undefined, replaceable: ReadonlyMap<number, Pod>): Pod {
  const owner = controllerReference(job, jobs);
  const pod = podFromTemplate(job.spec?.template ?? {}, job.metadata?.namespace ?? "", owner);
  const finalizers = [...new Set([...(pod.metadata?.finalizers ?? []), trackingFinalizer])];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const name = job.metadata?.name ?? "";
  const suffix = `-${index}-`;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${name.slice(0, 58 - suffix.length)}${suffix}`,
      annotations: {
        ...pod.metadata?.annotations,
        [indexAnnotation]: String(index),
        ...(limitsIndexes(job) ? failureAnnotations(job, replaceable.get(index)) : {}),
      },
      labels: { ...pod.metadata?.labels, [indexAnnotation]: String(index) },
    },
    spec: { ...withIndexVariable(pod.spec ?? {}), hostname: `${name}-${index}` },
  };
}

function withIndexVariable(spec: PodSpec): PodSpec {
  const variable: EnvVar = {
    name: indexVariable,
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
  };
  const add = (container: Container): Container =>
    container.env?.some(({ name }) => name === indexVariable)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] };
  return {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(add) }),
    containers: (spec.containers ?? []).map(add),
  };
}
