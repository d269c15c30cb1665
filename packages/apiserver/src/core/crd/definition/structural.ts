/**
 * Structural schemas: types are told once, outside of anyOf, oneOf, allOf and not.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go
 */
import {
  deepEqual,
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalidValue,
  required,
} from "@nanokube/machinery";
import { compileRegex } from "@nanokube/machinery/cel";
import { isTree, type Schema } from "../structural-schema.ts";

type Level = "root" | "item" | "field";

export function validateStructural(schema: Schema, path: FieldPath): FieldError[] {
  const errors = [...invariants(schema, "root", path), ...completeness(schema, path)];
  return errors
    .map((error) => [String(error), error] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, error]) => error);
}

const missingType: Record<Level, string> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function invariants(schema: Schema, level: Level, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { items, properties = {}, additionalProperties, type = "" } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const keeps = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const isEither = schema["x-kubernetes-int-or-string"] === true;
  if (type === "array" && items === undefined) {
    errors.push(required(path.child("items"), "must be specified"));
  }
  if (items !== undefined) errors.push(...invariants(items, "item", path.child("items")));
  for (const [name, own] of Object.entries(properties)) {
    errors.push(...invariants(own, "field", path.child("properties").key(name)));
  }
  const more = path.child("additionalProperties");
  if (additionalProperties !== undefined) {
    if (level === "root") errors.push(forbiddenField(more, "must not be used at the root"));
    if (isTree(additionalProperties)) {
      errors.push(...invariants(additionalProperties as Schema, "field", more));
    }
  }
  errors.push(...extensions(schema, path), ...values(schema, level, path));
  const at = path.child("type");
  if (isEmbedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    errors.push(type === "" ? required(at, why) : invalidValue(at, type, why));
  } else if (type === "" && !isEither && !keeps) errors.push(required(at, missingType[level]));
  if (isEmbedded && additionalProperties !== undefined) {
    const why = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbiddenField(more, why));
  }
  if (level === "root" && type !== "" && type !== "object") {
    errors.push(invalidValue(at, type, "must be object at the root"));
  }
  errors.push(...metaInvariants(schema, level, path));
  if (isEmbedded && !keeps && Object.keys(properties).length === 0) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(path.child("properties"), why));
  }
  return errors;
}

function metaInvariants(schema: Schema, level: Level, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { properties = {} } = schema;
  const isChecked = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
  const at = path.child("properties");
  for (const name of ["kind", "apiVersion"]) {
    const own = properties[name];
    if (own === undefined || !isChecked || own.type === "string") continue;
    errors.push(invalidValue(at.key(name).child("type"), own.type ?? "", "must be string"));
  }
  const { metadata } = properties;
  if (metadata === undefined) return errors;
  const place = at.key("metadata");
  if (isChecked && metadata.type !== "object") {
    errors.push(invalidValue(place.child("type"), metadata.type ?? "", "must be object"));
  }
  if (level !== "root") return errors;
  const { type: _type, default: _default, properties: own, ...rest } = metadata;
  const names = Object.keys(own ?? {});
  const isPlain = names.every((name) => name === "name" || name === "generateName");
  if (!isPlain || Object.values(rest).some(isSaid)) {
    const why =
      "must not specify anything other than name and generateName, but metadata is implicitly specified";
    errors.push(forbiddenField(place, why));
  }
  return errors;
}

function extensions(schema: Schema, path: FieldPath): FieldError[] {
  if (schema["x-kubernetes-int-or-string"] !== true) return [];
  const clashing = [
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
  ] as const;
  const why = "must be false if x-kubernetes-int-or-string is true";
  return clashing
    .filter((name) => schema[name] === true)
    .map((name) => invalidValue(path.child(name), true, why));
}

const eitherPattern = [{ type: "integer" }, { type: "string" }];

function values(
  schema: Schema,
  level: Level,
  path: FieldPath,
  skips: { anyOf: boolean; first: boolean } = {
    anyOf: deepEqual(schema.anyOf, eitherPattern),
    first: deepEqual(schema.allOf?.[0]?.anyOf, eitherPattern),
  },
): FieldError[] {
  const errors: FieldError[] = [];
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = schema;
  const each = (name: string, list: readonly Schema[], mayHaveRules: boolean) => {
    for (const [i, one] of list.entries()) {
      const skip = name === "allOf" && i === 0 && skips.first;
      errors.push(...nested(one, { level, path: path.child(name).index(i), skip, mayHaveRules }));
    }
  };
  if (!skips.anyOf) each("anyOf", anyOf, false);
  each("allOf", allOf, false);
  each("oneOf", oneOf, false);
  if (not !== undefined) {
    errors.push(
      ...nested(not, { level, path: path.child("not"), skip: false, mayHaveRules: false }),
    );
  }
  if (pattern) {
    const regex = compileRegex(pattern);
    if ("message" in regex) {
      const why = `must be a valid regular expression, but isn't: ${regex.message}`;
      errors.push(invalidValue(path.child("pattern"), pattern, why));
    }
  }
  return errors;
}

interface Nested {
  level: Level;
  path: FieldPath;
  skip: boolean;
  mayHaveRules: boolean;
}

const emptyInside: readonly [string, string][] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

function isSaid(value: unknown): boolean {
  if (value === undefined || value === false || value === "") return false;
  return !Array.isArray(value) || value.length > 0;
}

function nested(schema: Schema, place: Nested): FieldError[] {
  const { path, level, skip, mayHaveRules } = place;
  const errors = values(schema, level, path, { anyOf: skip, first: false });
  const { items, properties = {} } = schema;
  if (items !== undefined) {
    errors.push(...nested(items, { ...place, path: path.child("items"), skip: false }));
  }
  for (const [name, own] of Object.entries(properties)) {
    const at = path.child("properties").key(name);
    errors.push(...nested(own, { level: "field", path: at, skip: false, mayHaveRules }));
  }
  for (const [name, why] of emptyInside) {
    if (isSaid(schema[name])) errors.push(forbiddenField(path.child(name), why));
  }
  if (Object.hasOwn(properties, "metadata")) {
    const why = "must not be specified in a nested context";
    errors.push(forbiddenField(path.child("properties").key("metadata"), why));
  }
  return errors;
}

/** What is told inside of anyOf and its like at the root must be specified outside. */
function completeness(schema: Schema, path: FieldPath): FieldError[] {
  return completeAlternatives(schema, schema, path, path);
}

function completeAlternatives(
  alternatives: Schema,
  whole: Schema,
  path: FieldPath,
  place: FieldPath,
): FieldError[] {
  const { anyOf = [], allOf = [], oneOf = [], not } = alternatives;
  const lists = { allOf, anyOf, oneOf };
  const errors = Object.entries(lists).flatMap(([name, list]) =>
    list.flatMap((one, i) => complete(one, whole, path.child(name).index(i), place)),
  );
  return not === undefined
    ? errors
    : [...errors, ...complete(not, whole, path.child("not"), place)];
}

function complete(
  inner: Schema,
  whole: Schema | undefined,
  path: FieldPath,
  place: FieldPath,
): FieldError[] {
  if (whole === undefined) {
    return [required(place, `because it is defined in ${path}`)];
  }
  const errors = completeAlternatives(inner, whole, path, place);
  if (inner.items !== undefined) {
    errors.push(...complete(inner.items, whole.items, path.child("items"), place.child("items")));
  }
  for (const [name, own] of Object.entries(inner.properties ?? {})) {
    const [at, spot] = [path, place].map((each) => each.child("properties").key(name));
    errors.push(...complete(own, whole.properties?.[name], at!, spot!));
  }
  return errors;
}
