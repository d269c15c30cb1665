/**
 * CronJob: a Job at times of a schedule.
 *
 * Source  pkg/registry/batch/cronjob/strategy.go, pkg/apis/batch/validation/validation.go
 */
import type { CronJob } from "@nanokube/api/batch/v1";
import type { ResourceStrategy } from "../../core/strategy.ts";
import {
  type FieldError,
  field,
  invalid,
  nonNegative,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { kind } from "../generic.ts";
import { age, columns, containerCells, formatLabelSelector, nameOf, since } from "../table.ts";
import { scheduleProblem } from "./cron-schedule.ts";
import { defaultJobSpec } from "./job.ts";
import { validateJobTemplate } from "./job-validation.ts";
import { timeZoneProblem } from "./time-zone.ts";

function defaultCronJob(cronJob: CronJob): void {
  cronJob.spec ??= {};
  const spec = cronJob.spec;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  // Upstream gives the job's own defaults only when the job is made; its pod template's now.
  const job = spec.jobTemplate?.spec;
  if (job === undefined) return;
  const { template, podFailurePolicy } = job;
  defaultJobSpec({ template, ...(podFailurePolicy === undefined ? {} : { podFailurePolicy }) });
}

function validateSchedule(cronJob: CronJob, old: CronJob | undefined): FieldError[] {
  const { schedule = "", timeZone } = cronJob.spec ?? {};
  const at = field("spec", "schedule");
  if (schedule === "") return [required(at)];
  const problem = scheduleProblem(schedule);
  const errors = problem === undefined ? [] : [invalid(at, schedule, problem)];
  if (!schedule.includes("TZ")) return errors;
  if (!old?.spec?.schedule?.includes("TZ")) {
    const why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    errors.push(invalid(at, schedule, why));
  } else if (timeZone !== undefined) {
    const why = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
    errors.push(invalid(at, schedule, why));
  }
  return errors;
}

function validateCronJob(cronJob: CronJob, old?: CronJob): FieldError[] {
  const spec = cronJob.spec ?? {};
  const path = field("spec");
  const errors = [
    ...validateSchedule(cronJob, old),
    ...nonNegative(path.child("startingDeadlineSeconds"), spec.startingDeadlineSeconds),
  ];
  const zone = spec.timeZone;
  if (zone !== undefined && zone !== old?.spec?.timeZone) {
    const problem = timeZoneProblem(zone);
    if (problem !== undefined) errors.push(invalid(path.child("timeZone"), zone, problem));
  }
  const policy = path.child("concurrencyPolicy");
  if (!spec.concurrencyPolicy) errors.push(required(policy));
  else errors.push(...oneOf(policy, spec.concurrencyPolicy, ["Allow", "Forbid", "Replace"]));
  const job = spec.jobTemplate?.spec ?? {};
  const at = path.child("jobTemplate", "spec");
  errors.push(...validateJobTemplate(job, at));
  if (job.selector !== undefined) {
    errors.push(invalid(at.child("selector"), job.selector, "`selector` will be auto-generated"));
  }
  if (job.manualSelector) {
    errors.push(notSupported(at.child("manualSelector"), true, ["nil", "false"]));
  }
  for (const name of ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) {
    errors.push(...nonNegative(path.child(name), spec[name]));
  }
  const { name = "" } = cronJob.metadata ?? {};
  if (old === undefined && name.length > 52) {
    errors.push(invalid(field("metadata", "name"), name, "must be no more than 52 characters"));
  }
  return errors;
}

export const cronJobStrategy: ResourceStrategy = kind(
  { status: true, generation: ["spec"] },
  {
    default: (object) => defaultCronJob(object as CronJob),
    validate: (object) => validateCronJob(object as CronJob),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status" ? [] : validateCronJob(object as CronJob, old as CronJob),
    columns: columns(
      "Name, Schedule, Timezone, Suspend:boolean, Active:integer, Last Schedule, Age, " +
        "Containers*, Images*, Selector*",
    ),
    row(object, now) {
      const { spec, status } = object as CronJob;
      const last = status?.lastScheduleTime;
      return [
        nameOf(object),
        spec?.schedule ?? "",
        spec?.timeZone ?? "<none>",
        spec?.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False",
        (status?.active ?? []).length,
        last ? since(last, now) : "<none>",
        age(object, now),
        ...containerCells(spec?.jobTemplate?.spec?.template?.spec?.containers),
        formatLabelSelector(spec?.jobTemplate?.spec?.selector),
      ];
    },
  },
);
