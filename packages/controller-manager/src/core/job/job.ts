/**
 * Job: pods that run until enough of them have succeeded, or too many failed.
 *
 * Source  pkg/controller/job/job_controller.go syncJob
 */
import { jobs, pods, splitKey } from "@nanokube/client";
import { findCondition } from "../conditions.ts";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { candidates, claim, controllerOf, selectorFor, watchDependents } from "../ownership.ts";
import { note, type Steps } from "../steps.ts";
import { formatTime } from "../time.ts";
import { type BackoffRecord, withEnded } from "./backoff.ts";
import { deleteActive, type Managed, manage, removeFinalizer } from "./manage.ts";
import {
  beginSync,
  deadlineMs,
  isFinished,
  isSuspended,
  isTracked,
  type JobSync,
  jobCondition,
} from "./sync.ts";
import { track } from "./track.ts";

const orphanPrefix = "orphan:";

/** Its own state is what back-off it is in: lost with the process, as upstream's. */
export function createJobController(): Controller {
  const backoffs = new Map<string, BackoffRecord>();
  return {
    name: "job-controller",
    watches: [
      watchOwn(jobs),
      watchDependents(pods, jobs, (owner) => owner.spec?.selector),
      // A pod whose Job is gone or done must not be kept by the Job's finalizer.
      watch(pods, (pod) =>
        isTracked(pod) ? [`${orphanPrefix}${pod.metadata?.namespace}/${pod.metadata?.name}`] : [],
      ),
    ],
    reconcile: (key, context) =>
      key.startsWith(orphanPrefix)
        ? releaseOrphan(key.slice(orphanPrefix.length), context)
        : reconcileJob(key, context, backoffs),
  };
}

function* releaseOrphan(key: string, { caches }: Context): Steps<number | undefined> {
  const pod = caches.of(pods).getByKey(key);
  if (pod === undefined || !isTracked(pod)) return undefined;
  const reference = controllerOf(pod);
  if (reference !== undefined && reference.kind !== "Job") return undefined;
  const job =
    reference === undefined
      ? undefined
      : caches.of(jobs).get(pod.metadata?.namespace ?? "", reference.name ?? "");
  const alive = job !== undefined && job.metadata?.uid === reference?.uid && !isFinished(job);
  if (!alive) yield* removeFinalizer(pod);
  return undefined;
}

export function* reconcileJob(
  key: string,
  context: Context,
  backoffs: Map<string, BackoffRecord>,
): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const job = caches.of(jobs).get(namespace, name);
  if (job === undefined || isFinished(job)) {
    backoffs.delete(key);
    return undefined;
  }
  const { managedBy } = job.spec ?? {};
  if (managedBy !== undefined && managedBy !== "kubernetes.io/job-controller") return undefined;

  const own = yield* claim({
    owner: job,
    ownerResource: jobs,
    resource: pods,
    selector: selectorFor(job.spec?.selector),
    objects: candidates(caches.of(pods), job),
  });
  const sync = beginSync(job, own, nowMs);
  const backoff = withEnded(backoffs.get(key), sync.newSucceeded, sync.newFailed);
  const managed = yield* runPods(sync, backoff);
  sync.status.active = managed.active;
  sync.status.ready = sync.ready;
  sync.status.terminating = sync.terminating;
  yield* track(sync);
  backoffs.set(key, backoff);
  if (managed.failure !== undefined) throw managed.failure;
  const afterMs = Math.min(deadlineMs(sync), managed.waitMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(afterMs) && afterMs > 0 ? afterMs : undefined;
}

function* runPods(sync: JobSync, backoff: BackoffRecord): Steps<Managed> {
  const { job, nowMs } = sync;
  if (sync.finished !== undefined) {
    const managed = yield* deleteActive(sync);
    // As long as one is left that could not be deleted, nothing is decided.
    if (managed.active > 0) sync.finished = undefined;
    return managed;
  }
  const deleting = job.metadata?.deletionTimestamp !== undefined;
  const managed = deleting ? { active: sync.active.length } : yield* manage(sync, backoff);
  const { completions } = job.spec ?? {};
  const enough = completions === undefined ? sync.succeeded > 0 : sync.succeeded >= completions;
  if (enough && managed.active === 0) {
    const message = "Reached expected number of succeeded pods";
    sync.finished = jobCondition("SuccessCriteriaMet", "CompletionsReached", message, nowMs);
  } else if (!deleting) yield* noteSuspension(sync);
  return managed;
}

function* noteSuspension({ job, status, nowMs }: JobSync): Steps {
  const told = findCondition(status.conditions, "Suspended");
  if (isSuspended(job)) {
    if (told?.status === "True") return;
    const condition = jobCondition("Suspended", "JobSuspended", "Job suspended", nowMs);
    status.conditions = [...(status.conditions ?? []).filter((c) => c !== told), condition];
    delete status.startTime;
    yield* note(job, "Normal", "Suspended", "Job suspended");
    return;
  }
  if (told?.status !== "True") return;
  const condition = {
    ...jobCondition("Suspended", "JobResumed", "Job resumed", nowMs),
    status: "False",
  };
  status.conditions = (status.conditions ?? []).map((c) => (c === told ? condition : c));
  status.startTime = formatTime(nowMs);
  yield* note(job, "Normal", "Resumed", "Job resumed");
}
