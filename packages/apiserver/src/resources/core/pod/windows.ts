/**
 * What a pod for Windows may not say, because only Linux knows it.
 *
 * Source  pkg/apis/core/validation/validation.go validateWindows
 */
import type { Container, PodSpec } from "@nanokube/api/core/v1";
import { type FieldError, type FieldPath, forbidden } from "../../field.ts";

const podFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;

const containerFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

const no = (path: FieldPath) => forbidden(path, "cannot be set for a windows pod");

export function validateWindows(spec: PodSpec, path: FieldPath): FieldError[] {
  if (spec.os?.name !== "windows") return [];
  const errors: FieldError[] = [];
  for (const field of ["hostUsers", "shareProcessNamespace"] as const) {
    if (spec[field] !== undefined) errors.push(no(path.child(field)));
  }
  for (const field of ["hostPID", "hostIPC"] as const) {
    if (spec[field]) errors.push(no(path.child(field)));
  }
  const at = path.child("securityContext");
  for (const field of podFields) {
    if (spec.securityContext?.[field] !== undefined) errors.push(no(at.child(field)));
  }
  if (spec.securityContext?.sysctls?.length) errors.push(no(at.child("sysctls")));
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
    const containers: readonly Container[] = spec[list] ?? [];
    for (const [i, { securityContext }] of containers.entries()) {
      const own = path.child(list).index(i).child("securityContext");
      for (const field of containerFields) {
        if (securityContext?.[field] !== undefined) errors.push(no(own.child(field)));
      }
    }
  }
  return errors;
}
