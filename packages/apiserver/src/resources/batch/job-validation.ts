/**
 * Job validation.
 *
 * Source  pkg/apis/batch/validation/validation.go
 */
import type { Job, JobSpec } from "@nanokube/api/batch/v1";
import { isEmptySelector, selects } from "../apps/selector.ts";
import { validatePodTemplate } from "../core/pod/template.ts";
import { validateDomainPrefixedPath } from "../domain-prefixed-path.ts";
import {
  type FieldError,
  type FieldPath,
  field,
  invalid,
  nonNegative,
  notSupported,
  oneOf,
  required,
  tooLong,
} from "../field.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1123Label } from "../names.ts";
import { validateImmutable } from "../object-meta.ts";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";

function validateIndexed(spec: JobSpec, path: FieldPath): FieldError[] {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  if (completions === undefined) {
    errors.push(required(path.child("completions"), "when completion mode is Indexed"));
  }
  const most = (name: "parallelism" | "maxFailedIndexes", limit: number, rest: string) => {
    const value = spec[name];
    if (value === undefined || value <= limit) return;
    errors.push(invalid(path.child(name), value, `must be less than or equal to ${limit}${rest}`));
  };
  most("parallelism", 100000, " when completion mode is Indexed");
  if (
    completions !== undefined &&
    maxFailedIndexes !== undefined &&
    maxFailedIndexes > completions
  ) {
    const why = "must be less than or equal to completions";
    errors.push(invalid(path.child("maxFailedIndexes"), maxFailedIndexes, why));
  }
  most("maxFailedIndexes", 100000, "");
  if (completions === undefined || completions <= 100000 || backoffLimitPerIndex === undefined) {
    return errors;
  }
  if (maxFailedIndexes === undefined) {
    const why = "must be specified when completions is above 100000";
    errors.push(required(path.child("maxFailedIndexes"), why));
  }
  const high = " when completions are above 100000 and used with backoff limit per index";
  if (parallelism !== undefined) most("parallelism", 10000, high);
  most("maxFailedIndexes", 10000, high);
  return errors;
}

function validateManagedBy(value: string | undefined, path: FieldPath): FieldError[] {
  if (value === undefined) return [];
  if (value === "") return [required(path)];
  const errors = validateDomainPrefixedPath(value, path);
  if (value.length > 63) errors.push(tooLong(path, "", 63));
  return errors;
}

function validateRestartPolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  const policy = spec.template?.spec?.restartPolicy;
  if (!policy || policy === "Always") {
    return [required(path, 'valid values: "OnFailure", "Never"')];
  }
  if (policy !== "OnFailure" && policy !== "Never") {
    return [notSupported(path, policy, ["OnFailure", "Never"])];
  }
  if (spec.podFailurePolicy !== undefined && policy !== "Never") {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    return [invalid(path, policy, why)];
  }
  return [];
}

function validateReplacement(spec: JobSpec, path: FieldPath): FieldError[] {
  const policy = spec.podReplacementPolicy;
  if (policy === undefined) return [];
  const allowed =
    spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return oneOf(path, policy, allowed);
}

/** The spec but for its selector: also of a CronJob's template. */
export function validateJobTemplate(spec: JobSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
  ] as const) {
    errors.push(...nonNegative(path.child(name), spec[name]));
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    const why = "when maxFailedIndexes is specified";
    errors.push(required(path.child("backoffLimitPerIndex"), why));
  }
  errors.push(...validateManagedBy(spec.managedBy, path.child("managedBy")));
  const mode = spec.completionMode ?? "NonIndexed";
  errors.push(...oneOf(path.child("completionMode"), mode, ["NonIndexed", "Indexed"]));
  if (mode === "Indexed") errors.push(...validateIndexed(spec, path));
  if (mode === "NonIndexed") {
    for (const name of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) {
      if (spec[name] === undefined) continue;
      errors.push(invalid(path.child(name), spec[name], "requires indexed completion mode"));
    }
  }
  errors.push(...validatePodFailurePolicy(spec, path.child("podFailurePolicy")));
  if (spec.successPolicy !== undefined) {
    const at = path.child("successPolicy");
    if (mode === "Indexed") errors.push(...validateSuccessPolicy(spec, at));
    else errors.push(invalid(at, spec.successPolicy, "requires indexed completion mode"));
  }
  return [
    ...errors,
    ...validateReplacement(spec, path.child("podReplacementPolicy")),
    ...validatePodTemplate(spec.template ?? {}, path.child("template")),
    ...validateRestartPolicy(spec, path.child("template", "spec", "restartPolicy")),
  ];
}

function validateJobSpec(spec: JobSpec, path: FieldPath): FieldError[] {
  const errors = validateJobTemplate(spec, path);
  if (spec.selector === undefined) errors.push(required(path.child("selector")));
  else errors.push(...validateLabelSelector(spec.selector, path.child("selector")));
  const labels = spec.template?.metadata?.labels;
  const matches = spec.selector !== undefined && isEmptySelector(spec.selector);
  if (!matches && selects(spec.selector, labels) === false) {
    const why = "`selector` does not match template `labels`";
    errors.push(invalid(path.child("template", "metadata", "labels"), labels ?? null, why));
  }
  return errors;
}

function validateGenerated(job: Job): FieldError[] {
  const { spec = {}, metadata = {} } = job;
  if (spec.manualSelector || spec.selector === undefined) return [];
  const errors: FieldError[] = [];
  const { uid = "", name = "" } = metadata;
  if (uid === "") errors.push(required(field("metadata", "uid")));
  const expected: [string, string][] = [
    ["controller-uid", uid],
    ["job-name", name],
    ["batch.kubernetes.io/controller-uid", uid],
    ["batch.kubernetes.io/job-name", name],
  ];
  const path = field("spec", "template", "metadata");
  const labels = spec.template?.metadata?.labels ?? {};
  for (const [key, value] of expected) {
    const at = path.child("labels").key(key);
    if (labels[key] === undefined) errors.push(required(at, `must be '${value}'`));
    else if (labels[key] !== value) {
      errors.push(invalid(at, labels, `must be '${value}'`));
    }
  }
  if (selects(spec.selector, Object.fromEntries(expected)) === false) {
    const why = "`selector` not auto-generated";
    errors.push(invalid(field("spec", "selector"), spec.selector, why));
  }
  return errors;
}

export function validateJob(job: Job): FieldError[] {
  const spec = job.spec ?? {};
  const errors = [...validateGenerated(job), ...validateJobSpec(spec, field("spec"))];
  const { name = "" } = job.metadata ?? {};
  if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > 0) {
    const hostname = `${name}-${(spec.completions ?? 0) - 1}`;
    if (dns1123Label(hostname).length > 0) {
      const why = `will not able to create pod with invalid DNS label: ${hostname}`;
      errors.push(invalid(field("metadata", "name"), name, why));
    }
  }
  return errors;
}

/** While a job is suspended, where its pods may run can still be decided. */
function validateTemplateUpdate(spec: JobSpec, old: JobSpec, path: FieldPath): FieldError[] {
  const template = structuredClone(spec.template ?? {});
  const before = structuredClone(old.template ?? {});
  if (old.suspend) {
    for (const key of ["nodeSelector", "tolerations", "schedulingGates"] as const) {
      if (before.spec !== undefined) Object.assign(before.spec, { [key]: template.spec?.[key] });
    }
    // An affinity that says nothing is not the same as none.
    if (before.spec?.affinity !== undefined || template.spec?.affinity !== undefined) {
      const { nodeAffinity } = template.spec?.affinity ?? {};
      Object.assign(before.spec ?? {}, { affinity: { ...before.spec?.affinity, nodeAffinity } });
    }
    before.metadata = { ...before.metadata };
    before.metadata.annotations = template.metadata?.annotations;
    before.metadata.labels = template.metadata?.labels;
  }
  return validateImmutable(template, before, path.child("template"));
}

export function validateJobUpdate(job: Job, old: Job): FieldError[] {
  const [spec, before] = [job.spec ?? {}, old.spec ?? {}];
  const path = field("spec");
  const errors = validateJobSpec(spec, path);
  const completions = path.child("completions");
  if (spec.completionMode !== "Indexed") {
    errors.push(...validateImmutable(spec.completions, before.completions, completions));
  } else if (spec.completions !== before.completions && spec.completions !== spec.parallelism) {
    const why = "can only be modified in tandem with spec.parallelism";
    errors.push(invalid(completions, spec.completions ?? null, why));
  }
  errors.push(...validateImmutable(spec.selector, before.selector, path.child("selector")));
  errors.push(...validateTemplateUpdate(spec, before, path));
  for (const name of [
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
  ] as const) {
    errors.push(...validateImmutable(spec[name], before[name], path.child(name)));
  }
  return errors;
}
