/** A kind as its requests see it: where its objects are, and one of them. */
import type { ResourceInfo } from "@nanokube/api";
import { type CorpusCase, merged, type Tree } from "../corpus-case.ts";
import { apiVersionOf, nameOf, objectOf } from "../objects/of-kind.ts";

export interface Kind {
  resource: ResourceInfo;
  namespace: string;
  /** Path of the collection. */
  all: string;
  /** Path of the object. */
  one: string;
  object: Tree;
}

export function kindOf(resource: ResourceInfo, namespace: string): Kind {
  const root = resource.group === "" ? "/api" : "/apis";
  const scope = resource.namespaced ? `/namespaces/${namespace}` : "";
  const all = `${root}/${apiVersionOf(resource)}${scope}/${resource.plural}`;
  return {
    resource,
    namespace,
    all,
    one: `${all}/${nameOf(resource)}`,
    object: objectOf(resource, namespace),
  };
}

export const request = (
  name: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): CorpusCase => ({
  name,
  method,
  path,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
});

/** The kind's object with other metadata. */
export const withMeta = (kind: Kind, metadata: Tree): Tree =>
  merged(kind.object, { metadata }) as Tree;

/** Kinds whose objects the server itself writes to, some time after a request. */
const busy: ReadonlySet<string> = new Set([
  "apiservices",
  "customresourcedefinitions",
  "flowschemas",
  "prioritylevelconfigurations",
]);

export const isBusy = ({ plural }: ResourceInfo): boolean => busy.has(plural);

/** A read that waits until the server is done; nothing for the kinds it leaves alone. */
export function settling(after: string, { resource, one }: Kind): CorpusCase[] {
  if (!isBusy(resource)) return [];
  return [{ ...request(`settled: ${after}`, "GET", one), settles: true }];
}
