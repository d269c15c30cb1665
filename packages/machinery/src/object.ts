/**
 * What every API object looks like to code that does not know its kind.
 *
 * Shapes  an object is its wire JSON as plain data: times RFC 3339 strings, bytes base64, int64
 *         numbers,
 *         quantities strings, IntOrString number or string.
 */

import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "@nanokube/api/meta/v1";

export type { ManagedFieldsEntry, ObjectMeta, OwnerReference };

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  [field: string]: unknown;
}

export interface GroupVersion {
  group: string;
  version: string;
}

export interface GroupKind {
  group: string;
  kind: string;
}

export interface GroupVersionKind extends GroupVersion {
  kind: string;
}

export interface GroupResource {
  group: string;
  resource: string;
}

/**
 * "apps/v1" → apps, v1; "v1" is the core group. More than one slash is refused as upstream does.
 */
export function parseGroupVersion(apiVersion: string): GroupVersion {
  if (apiVersion === "" || apiVersion === "/") return { group: "", version: "" };
  const parts = apiVersion.split("/");
  if (parts.length === 1) return { group: "", version: apiVersion };
  if (parts.length === 2) return { group: parts[0]!, version: parts[1]! };
  throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
}

export function formatGroupVersion(gv: GroupVersion): string {
  return gv.group === "" ? gv.version : `${gv.group}/${gv.version}`;
}

/** "deployments.apps", "pods". */
export function formatGroupResource(gr: GroupResource): string {
  return gr.group === "" ? gr.resource : `${gr.resource}.${gr.group}`;
}

/** "Deployment.apps", "Pod". */
export function formatGroupKind(gk: GroupKind): string {
  return gk.group === "" ? gk.kind : `${gk.kind}.${gk.group}`;
}
