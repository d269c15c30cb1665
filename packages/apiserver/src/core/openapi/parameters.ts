/**
 * Query and path parameters of the REST API's operations, as OpenAPI lists them.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/installer.go (addObjectParams),
 *         k8s.io/apimachinery/pkg/apis/meta/v1/types.go ListOptions, DeleteOptions, PatchOptions
 */
import { jsonFields } from "@nanokube/api";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
}

function query(type: Parameter["type"], names: string): Parameter[] {
  return names.split(" ").map((name) => ({ name, in: "query", type }));
}

const selecting: readonly Parameter[] = [
  ...query("string", "continue fieldSelector labelSelector resourceVersion resourceVersionMatch"),
  ...query("string", "shardSelector"),
  ...query("integer", "limit timeoutSeconds"),
  ...query("boolean", "sendInitialEvents"),
];

export const pretty: readonly Parameter[] = query("string", "pretty");
export const resourceVersion: readonly Parameter[] = query("string", "resourceVersion");
export const listing: readonly Parameter[] = [
  ...selecting,
  ...query("boolean", "allowWatchBookmarks watch"),
];
export const writing: readonly Parameter[] = query("string", "dryRun fieldManager fieldValidation");
export const patching: readonly Parameter[] = [...writing, ...query("boolean", "force")];
export const deleting: readonly Parameter[] = [
  ...query("string", "dryRun propagationPolicy"),
  ...query("integer", "gracePeriodSeconds"),
  ...query("boolean", "ignoreStoreReadErrorWithClusterBreakingPotential orphanDependents"),
];
export const deletingCollection: readonly Parameter[] = [...deleting, ...selecting];

export function pathParameter(name: string): Parameter {
  return { name, in: "path", type: "string" };
}

const queryTypes: Readonly<Record<string, Parameter["type"]>> = {
  string: "string",
  bool: "boolean",
  int32: "integer",
  int64: "integer",
};

/** The members of an options type (PodExecOptions) as query parameters; upstream tells of none
 * whose type is no scalar (sinceTime), though it takes them. */
export function optionParameters(type: string): Parameter[] {
  return Object.entries(jsonFields(type) ?? {}).flatMap(([name, field]): Parameter[] => {
    const scalar = queryTypes[field.type.replace("[]", "")];
    if (scalar === undefined || name === "apiVersion" || name === "kind") return [];
    return [{ name, in: "query", type: scalar }];
  });
}

/** By name, then by place: the order in which upstream lists them. */
export function sortParameters(parameters: readonly Parameter[]): Parameter[] {
  const key = (p: Parameter) => `${p.name} ${p.in}`;
  return [...parameters].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export function sameParameter(a: Parameter, b: Parameter): boolean {
  return a.name === b.name && a.in === b.in && a.type === b.type;
}
