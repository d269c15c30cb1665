/**
 * Where a resource lives: /api/v1/namespaces/default/pods/web/log?container=c
 *
 * Source  client-go rest/request.go URL()
 */
import type { ResourceRef } from "./resource-ref.ts";

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Location {
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

export function resourcePath(ref: ResourceRef, at: Location, query: Query = {}): string {
  let path = ref.group === "" ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  if (ref.namespaced && at.namespace !== undefined && at.namespace !== "") {
    path += `/namespaces/${encodeURIComponent(at.namespace)}`;
  }
  path += `/${ref.plural}`;
  if (at.name !== undefined) path += `/${encodeURIComponent(at.name)}`;
  if (at.subresource !== undefined) path += `/${at.subresource}`;
  return path + queryString(query);
}

/** "?a=1&b=2", or nothing. Absent values are left out; an empty string is sent. */
export function queryString(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else search.append(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}
