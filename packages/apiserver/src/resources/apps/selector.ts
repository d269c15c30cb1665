/**
 * What every workload's selector and template must agree on.
 *
 * Source  pkg/apis/apps/validation/validation.go
 */
import type { PodTemplateSpec } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import { labelSelectorToSelector } from "@nanokube/machinery";
import { validatePodTemplate } from "../core/pod/template.ts";
import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalid,
  notSupported,
  required,
} from "../field.ts";
import { validateLabelSelector } from "../labels.ts";

export function isEmptySelector(selector: LabelSelector | null | undefined): boolean {
  const labels = Object.keys(selector?.matchLabels ?? {}).length;
  return labels + (selector?.matchExpressions ?? []).length === 0;
}

/** Whether the selector picks pods with these labels; undefined when it makes no sense. */
export function selects(
  selector: LabelSelector | undefined,
  labels: Record<string, string> | undefined,
): boolean | undefined {
  if (!selector) return false;
  try {
    return labelSelectorToSelector(selector).matches(labels);
  } catch {
    return undefined;
  }
}

/** A selector that is there, is well formed and is not empty. */
export function validateSelector(
  selector: LabelSelector | undefined,
  path: FieldPath,
  noun: string,
): FieldError[] {
  if (!selector) return [required(path)];
  const errors = validateLabelSelector(selector, path);
  if (isEmptySelector(selector)) {
    errors.push(invalid(path, selector, `empty selector is invalid for ${noun}`));
  }
  return errors;
}

export function validateTemplateMatches(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  path: FieldPath,
): FieldError[] {
  // No selector picks nothing, an empty one everything.
  if (selector && isEmptySelector(selector)) return [];
  const labels = template.metadata?.labels;
  if (selects(selector, labels) !== false) return [];
  const why = "`selector` does not match template `labels`";
  return [invalid(path.child("metadata", "labels"), labels ?? null, why)];
}

/** Long-running workloads restart always and have no deadline. */
export function validateAlwaysRestarts(
  template: PodTemplateSpec,
  path: FieldPath,
  kind: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const spec = template.spec ?? {};
  if (spec.restartPolicy !== "Always") {
    const at = path.child("spec", "restartPolicy");
    errors.push(notSupported(at, spec.restartPolicy ?? "", ["Always"]));
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(path.child("spec", "activeDeadlineSeconds"), why));
  }
  return errors;
}

export function validateReplicaSetTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  path: FieldPath,
): FieldError[] {
  const own = template ?? {};
  return [
    ...validateTemplateMatches(selector, own, path),
    ...validatePodTemplate(own, path),
    ...validateAlwaysRestarts(own, path, "ReplicaSet"),
  ];
}
