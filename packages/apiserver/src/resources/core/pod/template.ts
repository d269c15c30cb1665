/**
 * A pod template inside a workload.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodTemplateSpec
 */
import type { PodTemplateSpec } from "@nanokube/api/core/v1";
import { type FieldError, type FieldPath, forbidden } from "../../field.ts";
import { validateLabels } from "../../labels.ts";
import { validateAnnotations } from "../../object-meta.ts";
import { validatePodAnnotations } from "./annotations.ts";
import { validatePodSpec } from "./spec.ts";

export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): FieldError[] {
  const { metadata, spec = {} } = template;
  const errors = [
    ...validateLabels(metadata?.labels, path.child("labels")),
    ...validateAnnotations(metadata?.annotations, path.child("annotations")),
    ...validatePodAnnotations(metadata?.annotations, spec, path.child("annotations")),
    ...validatePodSpec(spec, undefined, path.child("spec")),
  ];
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const why = "ephemeral containers not allowed in pod template";
    errors.push(forbidden(path.child("spec", "ephemeralContainers"), why));
  }
  return errors;
}
