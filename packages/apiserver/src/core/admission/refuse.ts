/**
 * How a plugin says no: 403, naming the object (or what its name will begin with).
 *
 * Source  staging/src/k8s.io/apiserver/pkg/admission/errors.go NewForbidden
 */
import { forbidden, type StatusError } from "@nanokube/machinery";
import type { AdmissionAttributes } from "./plugin.ts";

export function refuse(attributes: AdmissionAttributes, why: string): StatusError {
  const { resource, name, object } = attributes;
  const meta = object?.metadata;
  const shown = name || meta?.name || meta?.generateName || "Unknown";
  return forbidden({ group: resource.group, resource: resource.plural }, shown, why);
}

/** "pods", "pods/status", "apps deployments": what the request is about. */
export function isFor(
  { resource, subresource }: AdmissionAttributes,
  group: string,
  plural: string,
  wanted = "",
): boolean {
  return resource.group === group && resource.plural === plural && subresource === wanted;
}
