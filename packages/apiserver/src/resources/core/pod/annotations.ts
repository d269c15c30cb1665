/**
 * Annotations that mean something on a pod.
 *
 * Source  pkg/apis/core/validation/validation.go ValidatePodSpecificAnnotations
 */
import type { PodSpec } from "@nanokube/api/core/v1";
import { quoteGo } from "@nanokube/machinery";
import { type FieldError, type FieldPath, invalid } from "../../field.ts";

export const mirrorPod = "kubernetes.io/config.mirror";
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
const deletionCost = "controller.kubernetes.io/pod-deletion-cost";

function isInt32(text: string): boolean {
  // A plus sign and leading zeros would sort differently elsewhere.
  if (!/^(0|-?[1-9]\d{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -2147483648 && value <= 2147483647;
}

function validateAppArmor(key: string, profile: string, spec: PodSpec, path: FieldPath) {
  const name = key.slice(appArmorPrefix.length);
  const errors: FieldError[] = [];
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  if (!containers.some((container) => container.name === name)) {
    errors.push(invalid(path.key(key), name, "container not found"));
  }
  const fine = ["", "runtime/default", "unconfined"].includes(profile);
  if (!fine && !profile.startsWith("localhost/")) {
    const why = `invalid AppArmor profile name: ${quoteGo(profile)}`;
    errors.push(invalid(path.key(key), profile, why));
  }
  return errors;
}

export function validatePodAnnotations(
  annotations: Record<string, string> | undefined,
  spec: PodSpec,
  path: FieldPath,
): FieldError[] {
  const own = annotations ?? {};
  const errors: FieldError[] = [];
  if (own[mirrorPod] !== undefined && !spec.nodeName) {
    const why = "must set spec.nodeName if mirror pod annotation is set";
    errors.push(invalid(path.key(mirrorPod), own[mirrorPod], why));
  }
  const cost = own[deletionCost];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalid(path.key(deletionCost), cost, "must be a 32bit integer"));
  }
  for (const [key, value] of Object.entries(own)) {
    if (key.startsWith(appArmorPrefix)) errors.push(...validateAppArmor(key, value, spec, path));
  }
  return errors;
}
