/**
 * How a plugin says no: 403, naming the object (or what its name will begin with).
 *
 * Source  staging/src/k8s.io/apiserver/pkg/admission/errors.go NewForbidden
 */
import { forbidden, type KubeObject, type StatusError } from "@nanokube/machinery";
import type { AdmissionAttributes, AdmissionReader } from "./plugin.ts";

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

/** From the cache, and from the store when the cache does not know it yet. */
export async function find(
  reader: AdmissionReader,
  group: string,
  plural: string,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> {
  const cached = await reader.get(group, plural, namespace, name);
  if (cached !== undefined || reader.getLive === undefined) return cached;
  return reader.getLive(group, plural, namespace, name);
}
