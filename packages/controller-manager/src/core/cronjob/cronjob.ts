/**
 * CronJob: a Job whenever the schedule says; one for the last time missed, not one for each.
 *
 * Source  pkg/controller/cronjob/cronjob_controllerv2.go, utils.go
 */
import type { CronJob, CronJobStatus, Job } from "@nanokube/api/batch/v1";
import type { ObjectReference } from "@nanokube/api/core/v1";
import { cronJobs, isAlreadyExists, jobs, splitKey } from "@nanokube/client";
import { deepClone, deepEqual } from "@nanokube/machinery";
import { findCondition } from "../conditions.ts";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { isFinished } from "../job/sync.ts";
import { controlled, controllerIndex, controllerOf, controllerReference } from "../ownership.ts";
import { isEnding } from "../serviceaccount/serviceaccount.ts";
import { attempt, note, remove, type Steps, updateStatus } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";
import { isZone, nextTime, parseSchedule, type Schedule } from "./schedule.ts";

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** A little late, so that a clock a little behind doesn't make us look just before the time. */
const slackMs = 100;
const missedMax = 100;

export function createCronJobController(): Controller {
  return {
    name: "cronjob-controller",
    watches: [
      watchOwn(cronJobs),
      watch(
        jobs,
        (job) => {
          const owner = controllerOf(job);
          return owner?.kind === "CronJob" ? [`${job.metadata?.namespace}/${owner.name}`] : [];
        },
        controllerIndex,
      ),
    ],
    reconcile: reconcileCronJob,
  };
}

export function* reconcileCronJob(key: string, context: Context): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const cron = caches.of(cronJobs).get(namespace, name);
  if (cron === undefined) return undefined;
  const own = controlled(caches.of(jobs), cron);
  const status: CronJobStatus = deepClone(cron.status ?? {});
  yield* cleanHistory(cron, own);
  yield* noteFinished(cron, status, own);
  const againMs =
    cron.metadata?.deletionTimestamp === undefined
      ? yield* schedule(cron, status, own, nowMs)
      : undefined;
  if (status.active?.length === 0) delete status.active;
  if (!deepEqual(status, cron.status ?? {})) yield* updateStatus(cronJobs, { ...cron, status });
  return againMs;
}

function isComplete(job: Job): boolean {
  return findCondition(job.status?.conditions, "Complete")?.status === "True";
}

function* cleanHistory(cron: CronJob, own: readonly Job[]): Steps {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec ?? {};
  const ended = own.filter(isFinished);
  const groups = [
    [ended.filter(isComplete), successfulJobsHistoryLimit],
    [ended.filter((job) => !isComplete(job)), failedJobsHistoryLimit],
  ] as const;
  for (const [group, limit] of groups) {
    const oldest = group.toSorted((a, b) => startOf(a) - startOf(b));
    for (const job of oldest.slice(0, Math.max(0, oldest.length - limit))) {
      yield* deleteJob(cron, job);
    }
  }
}

function startOf(job: Job): number {
  return parseTime(job.status?.startTime ?? job.metadata?.creationTimestamp);
}

function* deleteJob(cron: CronJob, job: Job): Steps {
  yield* remove(jobs, job, { propagationPolicy: "Background" });
  yield* note(cron, "Normal", "SuccessfulDelete", `Deleted job ${job.metadata?.name}`);
}

/**
 * status.active as it is: what ended leaves it, what is gone too, what runs unlisted is taken in.
 */
function* noteFinished(cron: CronJob, status: CronJobStatus, own: readonly Job[]): Steps {
  const byUID = new Map(own.map((job) => [job.metadata?.uid, job]));
  const active: ObjectReference[] = [];
  for (const reference of status.active ?? []) {
    const job = byUID.get(reference.uid);
    if (job === undefined) {
      yield* note(cron, "Normal", "MissingJob", `Active job went missing: ${reference.name}`);
    } else if (isFinished(job)) {
      const how = isComplete(job) ? "Complete" : "Failed";
      const message = `Saw completed job: ${job.metadata?.name}, condition: ${how}`;
      yield* note(cron, "Normal", "SawCompletedJob", message);
      const { completionTime } = job.status ?? {};
      const newer = parseTime(completionTime) > (parseTime(status.lastSuccessfulTime) || 0);
      if (isComplete(job) && newer) status.lastSuccessfulTime = completionTime;
    } else active.push(reference);
  }
  status.active = active;
}

function* schedule(
  cron: CronJob,
  status: CronJobStatus,
  own: readonly Job[],
  nowMs: number,
): Steps<number | undefined> {
  const { suspend, timeZone, schedule: text = "" } = cron.spec ?? {};
  if (suspend) return undefined;
  if (timeZone !== undefined && !isZone(timeZone)) {
    const message = `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`;
    yield* note(cron, "Warning", "UnknownTimeZone", message);
    return undefined;
  }
  let parsed: Schedule;
  try {
    parsed = parseSchedule(text);
  } catch (error) {
    yield* note(
      cron,
      "Warning",
      "UnparseableSchedule",
      `unparseable schedule: "${text}" : ${(error as Error).message}`,
    );
    return undefined;
  }
  const next = nextTime(parsed, nowMs, timeZone);
  const againMs = next === undefined ? undefined : next - nowMs + slackMs;
  const missed = lastMissed(cron, status, parsed, nowMs);
  if (missed.tooMany) {
    const message = `too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew`;
    yield* note(cron, "Warning", "TooManyMissedTimes", message);
  }
  if (missed.atMs !== undefined) yield* start(cron, status, { own, atMs: missed.atMs, nowMs });
  return againMs;
}

interface Missed {
  atMs: number | undefined;
  tooMany: boolean;
}

/** The last time that was due, and for which nothing was started. */
export function lastMissed(
  cron: CronJob,
  status: CronJobStatus,
  parsed: Schedule,
  nowMs: number,
): Missed {
  const { startingDeadlineSeconds, timeZone } = cron.spec ?? {};
  let fromMs = parseTime(status.lastScheduleTime ?? cron.metadata?.creationTimestamp);
  if (startingDeadlineSeconds !== undefined) {
    fromMs = Math.max(fromMs, nowMs - startingDeadlineSeconds * 1000);
  }
  let atMs: number | undefined;
  let count = 0;
  for (let next = nextTime(parsed, fromMs, timeZone); next !== undefined && next <= nowMs; ) {
    atMs = next;
    count++;
    // Far behind: near the present is where the last one is.
    const jump = count === missedMax ? Math.max(next, nowMs - 86_400_000) : next;
    next = nextTime(parsed, jump, timeZone);
  }
  return { atMs, tooMany: count > missedMax };
}

interface Start {
  own: readonly Job[];
  atMs: number;
  nowMs: number;
}

/**
 * @hop cronjob.start: the CronJob controller makes the Job of a scheduled time, named for its
 * minute.
 */
function* start(cron: CronJob, status: CronJobStatus, { own, atMs }: Start): Steps {
  const { concurrencyPolicy = "Allow" } = cron.spec ?? {};
  const active = status.active ?? [];
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const message =
      "Not starting job because prior execution is running and concurrency policy is Forbid";
    yield* note(cron, "Normal", "JobAlreadyActive", message);
    return;
  }
  if (concurrencyPolicy === "Replace") {
    for (const { uid } of active) {
      const job = own.find(({ metadata }) => metadata?.uid === uid);
      if (job !== undefined) yield* deleteJob(cron, job);
    }
    status.active = [];
  }
  const object = newJob(cron, atMs);
  const { object: made, error } = yield* attempt({
    do: "create",
    resource: jobs,
    object,
    hop: "cronjob.start",
  });
  if (error !== undefined && isEnding(error)) return;
  if (error !== undefined && !isAlreadyExists(error)) {
    yield* note(cron, "Warning", "FailedCreate", `Error creating job: ${error.message}`);
    throw error;
  }
  status.lastScheduleTime = formatTime(atMs);
  // Of this minute there is one already: an earlier look was interrupted.
  if (made === undefined) return;
  yield* note(cron, "Normal", "SuccessfulCreate", `Created job ${made.metadata?.name}`);
  const { namespace, name, uid, resourceVersion } = made.metadata ?? {};
  const reference = { apiVersion: "batch/v1", kind: "Job", namespace, name, uid, resourceVersion };
  status.active = [...(status.active ?? []), reference];
}

function newJob(cron: CronJob, atMs: number): Job {
  const { jobTemplate = {}, timeZone } = cron.spec ?? {};
  const { labels, annotations } = jobTemplate.metadata ?? {};
  const scheduled = timeZone === undefined ? formatTime(atMs) : zonedTime(atMs, timeZone);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${cron.metadata?.name}-${Math.floor(atMs / 60_000)}`,
      namespace: cron.metadata?.namespace,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      annotations: { ...annotations, [scheduledAnnotation]: scheduled },
      ownerReferences: [controllerReference(cron, cronJobs)],
    },
    spec: deepClone(jobTemplate.spec ?? {}),
  };
}

/** "2026-01-01T02:00:00+01:00". */
function zonedTime(ms: number, timeZone: string): string {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(ms);
  const wall = Date.parse(`${text.replace(" ", "T")}Z`);
  const minutes = Math.round((wall - ms) / 60_000);
  const sign = minutes < 0 ? "-" : "+";
  const two = (n: number) => String(n).padStart(2, "0");
  const offset = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return text.replace(" ", "T") + (minutes === 0 ? "Z" : offset);
}
