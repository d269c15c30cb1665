/**
 * A new pod. (Its metadata is checked by the generic strategy.)
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodCreate
 */
import type { Pod } from "@nanokube/api/core/v1";
import { type FieldError, field, forbidden } from "../../field.ts";
import { validatePodAnnotations } from "./annotations.ts";
import { validateImageSpaces } from "./container.ts";
import { validatePodSpec } from "./spec.ts";

/** What holds for a pod at any time. */
export function validatePodAtRest(pod: Pod): FieldError[] {
  const spec = pod.spec ?? {};
  const path = field("spec");
  const errors = [
    ...validatePodAnnotations(pod.metadata?.annotations, spec, field("metadata", "annotations")),
    ...validatePodSpec(spec, pod.metadata ?? {}, path),
  ];
  if (!spec.serviceAccountName) {
    for (const [i, volume] of (spec.volumes ?? []).entries()) {
      for (const [n, source] of (volume.projected?.sources ?? []).entries()) {
        if (source.serviceAccountToken === undefined) continue;
        const at = path.child("volumes").index(i).child("projected", "sources").index(n);
        const why = "must not be specified when serviceAccountName is not set";
        errors.push(forbidden(at.child("serviceAccountToken"), why));
      }
    }
  }
  for (const list of ["containers", "initContainers"] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      errors.push(...validateImageSpaces(container, path.child(list).index(i)));
    }
  }
  return errors;
}

export function validatePod(pod: Pod): FieldError[] {
  const spec = pod.spec ?? {};
  const errors = validatePodAtRest(pod);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(field("spec", "ephemeralContainers"), "cannot be set on create"));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const why = "cannot be set until all schedulingGates have been cleared";
    errors.push(forbidden(field("spec", "nodeName"), why));
  }
  return errors;
}
