/**
 * Structural schemas: what custom resources are pruned, defaulted and validated by.
 *
 * Shapes  Schema   spec.versions[].schema.openAPIV3Schema as it stands in the definition
 * Source  apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}
 */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  default?: unknown;
  nullable?: boolean;
  required?: string[];
  enum?: unknown[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: "atomic" | "granular";
  "x-kubernetes-validations"?: { rule?: string; message?: string }[];
  [extension: string]: unknown;
}

type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const rootMembers = new Set(["apiVersion", "kind", "metadata"]);

/** Drops what the schema does not know; returns the paths of what was dropped. */
export function prune(schema: Schema, object: Tree): string[] {
  const dropped: string[] = [];
  pruneTree(schema, object, "", dropped, true);
  return dropped;
}

function pruneTree(
  schema: Schema,
  value: Tree,
  path: string,
  dropped: string[],
  root: boolean,
): void {
  const keeps = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  const { properties, additionalProperties } = schema;
  for (const [name, member] of Object.entries(value)) {
    if (embedded && rootMembers.has(name)) continue;
    const at = path === "" ? name : `${path}.${name}`;
    const known =
      properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined) pruneValue(known, member, at, dropped);
    else if (isTree(additionalProperties))
      pruneValue(additionalProperties as Schema, member, at, dropped);
    else if (additionalProperties !== true && !keeps) {
      delete value[name];
      dropped.push(at);
    }
  }
}

export function pruneValue(schema: Schema, value: unknown, path: string, dropped: string[]): void {
  if (Array.isArray(value)) {
    if (schema.items === undefined) return;
    for (const [i, item] of value.entries())
      pruneValue(schema.items, item, `${path}[${i}]`, dropped);
  } else if (isTree(value)) {
    pruneTree(schema, value, path, dropped, false);
  }
}

/** Null where the schema does not allow it counts as absent; whether there was any. */
function dropNulls(schema: Schema, value: Tree): boolean {
  const { properties = {}, additionalProperties } = schema;
  let changed = false;
  for (const [name, member] of Object.entries(value)) {
    if (member !== null) continue;
    const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (!isTree(own) || own["nullable"]) continue;
    delete value[name];
    changed = true;
  }
  return changed;
}

/** Fills in what is absent; whether anything was. */
export function applyDefaults(schema: Schema, value: unknown): boolean {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return false;
    return value.reduce<boolean>((any, item) => applyDefaults(items, item) || any, false);
  }
  if (!isTree(value)) return false;
  let changed = dropNulls(schema, value);
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(value, name) && member.default !== undefined) {
      value[name] = structuredClone(member.default);
      changed = true;
    }
    if (Object.hasOwn(value, name)) changed = applyDefaults(member, value[name]) || changed;
  }
  const { additionalProperties } = schema;
  if (!isTree(additionalProperties)) return changed;
  for (const [name, member] of Object.entries(value)) {
    if (schema.properties?.[name] !== undefined) continue;
    changed = applyDefaults(additionalProperties as Schema, member) || changed;
  }
  return changed;
}
