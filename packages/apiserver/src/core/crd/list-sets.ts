/**
 * Lists of type set hold no value twice, lists of type map no keys twice.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go
 */
import { duplicate, type FieldError, FieldPath, invalidValue } from "@nanokube/machinery";
import { isTree, type Schema } from "./structural-schema.ts";

type Path = FieldPath | undefined;

export function validateListSets(schema: Schema, value: unknown, path?: FieldPath): FieldError[] {
  if (Array.isArray(value)) return validateList(schema, value, path);
  if (!isTree(value)) return [];
  const { properties, additionalProperties } = schema;
  return Object.entries(value).flatMap(([name, member]) => {
    if (properties !== undefined && Object.hasOwn(properties, name)) {
      const at = path === undefined ? FieldPath.root(name) : path.child(name);
      return validateListSets(properties[name]!, member, at);
    }
    if (!isTree(additionalProperties)) return [];
    const at = path === undefined ? FieldPath.root(`[${name}]`) : path.key(name);
    return validateListSets(additionalProperties as Schema, member, at);
  });
}

const indexed = (path: Path, i: number): FieldPath => (path ?? FieldPath.root("")).index(i);

function validateList(schema: Schema, value: unknown[], path: Path): FieldError[] {
  const errors: FieldError[] = [];
  if (schema["x-kubernetes-list-type"] === "set") {
    for (const i of repeated(value)) errors.push(duplicate(indexed(path, i), value[i]));
  } else if (schema["x-kubernetes-list-type"] === "map") {
    errors.push(...validateKeys(schema, value, path));
  }
  const { items } = schema;
  if (items === undefined) return errors;
  for (const [i, item] of value.entries()) {
    errors.push(...validateListSets(items, item, indexed(path, i)));
  }
  return errors;
}

/** Where a value comes for the second time; a third time is not told. */
function repeated(values: readonly unknown[]): number[] {
  const seen = new Map<string, number>();
  const found: number[] = [];
  for (const [i, value] of values.entries()) {
    const text = `${typeof value}:${JSON.stringify(value)}`;
    const times = seen.get(text) ?? 0;
    if (times === 1) found.push(i);
    seen.set(text, times + 1);
  }
  return found;
}

function validateKeys(schema: Schema, value: unknown[], path: Path): FieldError[] {
  const bad = value.findIndex((item) => item !== null && !isTree(item));
  if (bad >= 0) {
    const why = "must be an object for an array of list-type map";
    return [invalidValue(indexed(path, bad), value[bad], why)];
  }
  const keys = value.map((item) => {
    const own = (item ?? {}) as Record<string, unknown>;
    const names = schema["x-kubernetes-list-map-keys"] ?? [];
    const present = names.filter((name) => Object.hasOwn(own, name)).sort();
    return Object.fromEntries(present.map((name) => [name, own[name]]));
  });
  return repeated(keys).map((i) => duplicate(indexed(path, i), keys[i]));
}
