/**
 * What the job controller may write: a finished job stays finished, counters do not fall.
 *
 * Source  pkg/apis/batch/validation/validation.go ValidateJobStatusUpdate
 */
import type { Job } from "@nanokube/api/batch/v1";
import { omittedValue } from "@nanokube/machinery";
import { type FieldError, field, invalid, nonNegative, required } from "../field.ts";
import { countIndexes } from "./job-policies.ts";

const path = field("status");

function isTrue(job: Job, type: string): boolean {
  return (job.status?.conditions ?? []).some((c) => c.type === type && c.status === "True");
}

function validateFinished(job: Job, old: Job): FieldError[] {
  const {
    active = 0,
    terminating = 0,
    startTime,
    completionTime,
    uncountedTerminatedPods,
  } = job.status ?? {};
  const [complete, failed] = [isTrue(job, "Complete"), isTrue(job, "Failed")];
  const wasFinished = isTrue(old, "Complete") || isTrue(old, "Failed");
  if (!(complete || failed) || wasFinished) return [];
  const errors: FieldError[] = [];
  if (startTime === undefined) {
    errors.push(required(path.child("startTime"), "startTime is required for finished job"));
  }
  if (active > 0) {
    errors.push(invalid(path.child("active"), active, "active>0 is invalid for finished job"));
  }
  if (terminating > 0) {
    const why = "terminating>0 is invalid for finished job";
    errors.push(invalid(path.child("terminating"), terminating, why));
  }
  const uncounted =
    (uncountedTerminatedPods?.failed ?? []).length +
    (uncountedTerminatedPods?.succeeded ?? []).length;
  if (uncounted > 0) {
    const why = "uncountedTerminatedPods needs to be empty for finished job";
    errors.push(invalid(path.child("uncountedTerminatedPods"), uncountedTerminatedPods, why));
  }
  if (complete && completionTime === undefined) {
    const why = "completionTime is required for Complete jobs";
    errors.push(required(path.child("completionTime"), why));
  }
  const conditions = path.child("conditions");
  if (failed && !isTrue(job, "FailureTarget")) {
    const why = "cannot set Failed=True condition without the FailureTarget=true condition";
    errors.push(invalid(conditions, omittedValue, why));
  }
  if (complete && !isTrue(job, "SuccessCriteriaMet")) {
    const why = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
    errors.push(invalid(conditions, omittedValue, why));
  }
  return errors;
}

function validateConditions(job: Job, old: Job): FieldError[] {
  const at = path.child("conditions");
  const errors: FieldError[] = [];
  const both = (one: string, other: string, why: string) => {
    if (isTrue(job, one) && isTrue(job, other)) errors.push(invalid(at, omittedValue, why));
  };
  both("Complete", "Failed", "cannot set Complete=True and Failed=true conditions");
  both("Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions");
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (!isTrue(old, type) || isTrue(job, type)) continue;
    errors.push(invalid(at, omittedValue, `cannot disable the terminal ${type}=True condition`));
  }
  if (isTrue(old, "SuccessCriteriaMet") && !isTrue(job, "SuccessCriteriaMet")) {
    const why = "cannot disable the SuccessCriteriaMet=True condition";
    errors.push(invalid(at, omittedValue, why));
  }
  return errors;
}

export function validateJobStatus(job: Job, old: Job): FieldError[] {
  const [status, before] = [job.status ?? {}, old.status ?? {}];
  const errors: FieldError[] = [];
  for (const name of ["active", "succeeded", "failed", "ready", "terminating"] as const) {
    errors.push(...nonNegative(path.child(name), status[name]));
  }
  if (status.completionTime !== undefined && !isTrue(job, "Complete")) {
    const why = "cannot set completionTime when there is no Complete=True condition";
    errors.push(invalid(path.child("completionTime"), status.completionTime, why));
  }
  const completions = job.spec?.completions ?? 0;
  const indexed = job.spec?.completionMode === "Indexed";
  const same = status.completedIndexes === before.completedIndexes;
  if (status.completedIndexes && indexed && !same) {
    const counted = countIndexes(status.completedIndexes, completions);
    if (typeof counted === "string") {
      const why = `error parsing completedIndexes: ${counted}`;
      errors.push(invalid(path.child("completedIndexes"), status.completedIndexes, why));
    }
  }
  errors.push(...validateConditions(job, old), ...validateFinished(job, old));
  if (before.startTime && before.startTime !== status.startTime && !job.spec?.suspend) {
    const why = "field is immutable for unsuspended job once set";
    errors.push(invalid(path.child("startTime"), status.startTime ?? null, why));
  }
  for (const name of ["failed", "succeeded"] as const) {
    if ((status[name] ?? 0) >= (before[name] ?? 0)) continue;
    const why = `cannot decrease the ${name} counter`;
    errors.push(invalid(path.child(name), status[name] ?? 0, why));
  }
  return errors;
}
