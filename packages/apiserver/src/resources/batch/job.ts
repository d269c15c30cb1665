/**
 * Job: runs pods until so many have succeeded.
 *
 * The server gives a job its selector: the label batch.kubernetes.io/controller-uid, which it also
 * puts on the template, unless the author said manualSelector.
 *
 * Source  pkg/registry/batch/job/strategy.go, pkg/apis/batch/v1/defaults.go
 */
import type { Job, JobSpec } from "@nanokube/api/batch/v1";
import { FieldPath, quoteGo } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { defaultPodTemplate } from "../core/pod/defaults.ts";
import { jobTemplateWarnings } from "../core/pod/warnings.ts";
import { kind } from "../generic.ts";
import { validateObjectMetaUpdate } from "../object-meta.ts";
import {
  age,
  columns,
  containerCells,
  formatLabelSelector,
  humanDuration,
  nameOf,
} from "../table.ts";
import { validateJobStatus } from "./job-status.ts";
import { validateJob, validateJobUpdate } from "./job-validation.ts";

export function defaultJobSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??=
    spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  defaultPodTemplate(spec.template);
}

function defaultJob(job: Job): void {
  job.spec ??= {};
  const spec = job.spec;
  const labels = spec.template?.metadata?.labels;
  job.metadata ??= {};
  const metadata = job.metadata;
  if (labels !== undefined && Object.keys(metadata.labels ?? {}).length === 0) {
    // The very same map: labels generated for the template are the job's too.
    metadata.labels = labels;
  }
  defaultJobSpec(spec);
}

function generateSelector(job: Job): void {
  job.spec ??= {};
  const spec = job.spec;
  if (spec.manualSelector) return;
  const { name = "", uid = "" } = job.metadata ?? {};
  spec.template ??= {};
  const template = spec.template;
  template.metadata ??= {};
  const generated = {
    "job-name": name,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "batch.kubernetes.io/controller-uid": uid,
  };
  template.metadata.labels ??= {};
  const { labels } = template.metadata;
  for (const [key, value] of Object.entries(generated)) labels[key] ??= value;
  job.metadata ??= {};
  if (Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = labels;
  spec.selector ??= {};
  spec.selector.matchLabels = {
    "batch.kubernetes.io/controller-uid": uid,
    ...spec.selector.matchLabels,
  };
}

function hasCondition(job: Job, type: string): boolean {
  return job.status?.conditions?.find((c) => c.type === type)?.status === "True";
}

function statusText(job: Job): string {
  if (hasCondition(job, "Complete")) return "Complete";
  if (hasCondition(job, "Failed")) return "Failed";
  if (job.metadata?.deletionTimestamp) return "Terminating";
  const rest = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
  return rest.find((type) => hasCondition(job, type)) ?? "Running";
}

function completionsText(job: Job): string {
  const { completions, parallelism = 0 } = job.spec ?? {};
  const succeeded = job.status?.succeeded ?? 0;
  if (completions !== undefined) return `${succeeded}/${completions}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText(job: Job, now: number): string {
  const { startTime, completionTime } = job.status ?? {};
  if (!startTime) return "";
  return humanDuration((completionTime ? Date.parse(completionTime) : now) - Date.parse(startTime));
}

export const jobStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole"], status: true, generation: ["spec"] },
  {
    default: (object) => defaultJob(object as Job),
    prepareForCreate: (object) => generateSelector(object as Job),
    validate: (object) => validateJob(object as Job),
    validateUpdate: (object, old, { subresource }) =>
      subresource === "status"
        ? validateJobStatus(object as Job, old as Job)
        : [
            ...validateJob(object as Job),
            ...validateObjectMetaUpdate(object.metadata ?? {}, old.metadata ?? {}),
            ...validateJobUpdate(object as Job, old as Job),
          ],
    warnings: (object) =>
      jobTemplateWarnings((object as Job).spec?.template, FieldPath.root("spec", "template")),
    defaultPropagation: "Orphan",
    deleteWarning:
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background " +
      "to remove them or set propagationPolicy=Orphan to suppress this warning",
    unknownField: (name) => `field label ${quoteGo(name)} not supported for Job`,
    selectableFields: (object) => ({
      "status.successful": String((object as Job).status?.succeeded ?? 0),
    }),
    columns: columns("Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*"),
    row(object, now) {
      const job = object as Job;
      return [
        nameOf(job),
        statusText(job),
        completionsText(job),
        durationText(job, now),
        age(job, now),
        ...containerCells(job.spec?.template?.spec?.containers),
        formatLabelSelector(job.spec?.selector),
      ];
    },
  },
);
