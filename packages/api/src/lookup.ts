/**
 * Questions to the table: what is this kind, this type, this resource?
 *
 * Shapes  type name   upstream's OpenAPI model name, "io.k8s.api.core.v1.Pod"
 *         apiVersion  "v1" or "apps/v1", as in objects
 * Errors  none: an unknown name gives undefined, for a custom resource is not in the table
 */
import {
  type InternalMember,
  listPackages,
  loadGoNames,
  loadPackage,
  loadResources,
} from "./load.ts";
import type { Field, GroupInfo, GroupVersionKind, ResourceInfo, TypeInfo } from "./table.ts";

const table = loadResources();
const byPlural = new Map<string, ResourceInfo>(
  table.resources.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]),
);
const flattened = new Map<string, Readonly<Record<string, Field>>>();

/** The release the table was made from. */
export const kubernetesVersion: string = table.kubernetes;

/** Every built-in resource, groups and versions in upstream's order, names sorted. */
export const resources: readonly ResourceInfo[] = table.resources;

/** Every group with a served version, in the order of /apis; the core group "" stands first. */
export const groups: readonly GroupInfo[] = table.groups;

export function typeInfo(name: string): TypeInfo | undefined {
  const own = loadPackage(name.slice(0, name.lastIndexOf(".")));
  return own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
}

/** Type name of a kind; undefined for a kind that is not built in. */
export function typeOf(apiVersion: string, kind: string): string | undefined {
  const key = `${apiVersion} ${kind}`;
  return Object.hasOwn(table.kinds, key) ? table.kinds[key] : undefined;
}

/** Every kind that is built in, with the name of its type. */
export function kinds(): (GroupVersionKind & { readonly type: string })[] {
  return Object.entries(table.kinds).map(([key, type]) => {
    const [apiVersion = "", kind = ""] = key.split(" ");
    const [version = "", group = ""] = apiVersion.split("/").reverse();
    return { group, version, kind, type };
  });
}

export function resourceOf(
  group: string,
  version: string,
  plural: string,
): ResourceInfo | undefined {
  return byPlural.get(`${group}/${version}/${plural}`);
}

/** The names of all types. It loads the whole table. */
export function typeNames(): string[] {
  return [...listPackages()].flatMap((name) => Object.keys(loadPackage(name)!));
}

/** The members that an object of the type has in JSON, in Go's order: inline fields opened up. */
export function jsonFields(name: string): Readonly<Record<string, Field>> | undefined {
  const known = flattened.get(name);
  if (known !== undefined) return known;
  const info = typeInfo(name);
  if (info === undefined) return undefined;
  const members: Record<string, Field> = {};
  for (const [key, field] of Object.entries(info.fields)) {
    if (field.inline) Object.assign(members, jsonFields(field.type.slice("ref ".length)));
    else members[key] = field;
  }
  flattened.set(name, members);
  return members;
}

const packageOf = (name: string): string => name.slice(0, name.lastIndexOf("."));

/** "v1.PullPolicy": the Go type of a member that is a named scalar, or a list or map of them. */
export function goTypeOfMember(typeName: string, member: string): string | undefined {
  const own = loadGoNames(packageOf(typeName)).types[typeName]?.[member];
  if (own !== undefined) return own;
  for (const field of Object.values(typeInfo(typeName)?.fields ?? {})) {
    if (!field.inline) continue;
    const inner = goTypeOfMember(field.type.slice("ref ".length), member);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/**
 * The members of the struct that upstream validates in place of the versioned one, in Go's order.
 *
 * Their words are the type grammar's, and "*" + word for a pointer, "meta" for what has JSON names,
 * "=…" for the JSON of a member that the versioned type does not have.
 */
export function internalMembers(typeName: string): readonly InternalMember[] | undefined {
  return loadGoNames(packageOf(typeName)).internal[typeName];
}
