/**
 * Names of resources, typed: what `client.resource(...)` and `createInformer({ resource })` take.
 *
 * Shapes  group  "" is the core group; plural is the REST name ("pods"); kind fills what
 *                lists leave out
 */
import type { ObjectMeta } from "@nanokube/api/meta/v1";

/**
 * What every API object has. Looser than machinery's KubeObject, so that the generated
 * types fit it.
 */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

export interface ResourceRef<T extends ApiObject = ApiObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly kind?: string;
  /** Never there: carries the object's type. */
  readonly object?: T;
}

/** "apps/v1", "v1". */
export function apiVersionOf(ref: { group: string; version: string }): string {
  return ref.group === "" ? ref.version : `${ref.group}/${ref.version}`;
}

/** "pods", "deployments.apps". */
export function groupResourceOf(ref: { group: string; plural: string }): string {
  return ref.group === "" ? ref.plural : `${ref.plural}.${ref.group}`;
}

/** "default/web", or "node-1" for what has no namespace: the key of caches and work queues. */
export function keyOf(object: ApiObject): string {
  const { namespace, name } = object.metadata ?? {};
  return namespace === undefined || namespace === "" ? (name ?? "") : `${namespace}/${name}`;
}

export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  if (slash < 0) return { namespace: "", name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
