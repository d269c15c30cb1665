/**
 * A schema of a definition, field by field: what Kubernetes does not support, what contradicts.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 *         ValidateCustomResourceDefinitionOpenAPISchema
 */
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@nanokube/machinery";
import { isTree, type Schema } from "../structural-schema.ts";
import { childContext, type SchemaContext } from "./schema-context.ts";
import { compileRules, type RuleOptions, validateRuleForms } from "./schema-rules.ts";

interface Place extends RuleOptions {
  isRoot: boolean;
  inMeta: boolean;
  /** Why a default may not stand here; undefined where it may. */
  forbidsDefaults: string | undefined;
}

/** Errors of the schema, and of its rules: those are looked at only when the schema is right. */
interface Found {
  schema: FieldError[];
  rules: FieldError[];
}

export function validateSchemaFields(
  schema: Schema,
  path: FieldPath,
  context: SchemaContext | undefined,
  ignoresCost: boolean,
): FieldError[] {
  const place: Place = {
    isRoot: true,
    inMeta: false,
    forbidsDefaults: undefined,
    uncorrelated: undefined,
    ignoresCost,
  };
  const found = visit(schema, path, place, context);
  return [...found.schema, ...found.rules];
}

function visit(
  schema: Schema,
  path: FieldPath,
  place: Place,
  context: SchemaContext | undefined,
): Found {
  const found: Found = { schema: ownErrors(schema, path, place), rules: [] };
  const add = (child: Schema, at: FieldPath, own: Place, below: SchemaContext | undefined) => {
    const inner = visit(child, at, { ...own, isRoot: false }, below);
    found.schema.push(...inner.schema);
    found.rules.push(...inner.rules);
  };
  const below = (child: Schema) => context && childContext(context, schema, child);
  const { additionalProperties, properties = {}, items } = schema;
  if (isTree(additionalProperties)) {
    const own = additionalProperties as Schema;
    const inside = "inside additionalProperties applying to object metadata";
    const at = path.child("additionalProperties");
    add(own, at, place.inMeta ? { ...place, forbidsDefaults: inside } : place, below(own));
  }
  for (const [name, own] of Object.entries(properties)) {
    const at = path.child("properties").key(name);
    add(own, at, propertyPlace(schema, name, place, path), below(own));
  }
  for (const name of ["not", "allOf", "oneOf", "anyOf"] as const) {
    const alternatives = schema[name];
    if (Array.isArray(alternatives)) {
      for (const [i, one] of alternatives.entries()) {
        add(one, path.child(name).index(i), place, undefined);
      }
    } else if (alternatives !== undefined) add(alternatives, path.child(name), place, undefined);
  }
  if (isTree(items)) {
    const isMap = schema["x-kubernetes-list-type"] === "map";
    const own = isMap ? place : { ...place, uncorrelated: place.uncorrelated ?? path };
    add(items, path.child("items"), own, below(items));
  }
  found.schema.push(...listTypeErrors(schema, path), ...validateRuleForms(schema, path));
  if (found.schema.length === 0 && context !== undefined) {
    found.rules.push(...compileRules(schema, path, context, place));
  }
  return found;
}

const metaNames = new Set(["metadata", "kind", "apiVersion"]);

function propertyPlace(schema: Schema, name: string, place: Place, path: FieldPath): Place {
  const own = { ...place };
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined && mapType !== "granular" && mapType !== "atomic") {
    own.uncorrelated ??= path;
  }
  const isResource = place.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  if (isResource && metaNames.has(name)) {
    own.inMeta = true;
    if (place.isRoot) own.forbidsDefaults = `in top-level ${name}`;
  }
  return own;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];
const unsupported = [
  "id",
  "additionalItems",
  "patternProperties",
  "definitions",
  "dependencies",
  "$ref",
] as const;

function ownErrors(schema: Schema, path: FieldPath, place: Place): FieldError[] {
  const errors: FieldError[] = [];
  const { type = "" } = schema;
  if (type !== "" && !types.includes(type)) {
    errors.push(notSupported(path.child("type"), type, types));
  }
  if (schema.default !== undefined && place.forbidsDefaults !== undefined) {
    errors.push(forbiddenField(path.child("default"), `must not be set ${place.forbidsDefaults}`));
  }
  for (const name of unsupported) {
    const own = schema[name];
    const isAbsent =
      own === undefined ||
      own === "" ||
      (isTree(own) && name !== "additionalItems" && Object.keys(own).length === 0);
    if (!isAbsent) errors.push(forbiddenField(path.child(name), `${name} is not supported`));
  }
  if (type === "null") {
    const why = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbiddenField(path.child("type"), why));
  }
  if (Array.isArray(schema.items)) {
    const why = "items must be a schema object and not an array";
    errors.push(forbiddenField(path.child("items"), why));
  }
  if (place.inMeta && schema["x-kubernetes-embedded-resource"]) {
    const at = path.child("x-kubernetes-embedded-resource");
    errors.push(forbiddenField(at, "must not be used inside of resource meta"));
  }
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbiddenField(path.child("uniqueItems"), why));
  }
  const { additionalProperties, properties = {} } = schema;
  const isOpen = additionalProperties === undefined || additionalProperties === true;
  if (!isOpen && Object.keys(properties).length > 0) {
    const why = "additionalProperties and properties are mutual exclusive";
    errors.push(forbiddenField(path.child("additionalProperties"), why));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const at = path.child("x-kubernetes-preserve-unknown-fields");
    errors.push(invalidValue(at, false, "must be true or undefined"));
  }
  return errors;
}

function typeMustBe(schema: Schema, path: FieldPath, wanted: string, extension: string) {
  const at = path.child("type");
  const why = `must be ${wanted} if ${extension} is specified`;
  return schema.type ? invalidValue(at, schema.type, why) : required(at, why);
}

function listTypeErrors(schema: Schema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined) {
    const name = "x-kubernetes-map-type";
    if (schema.type !== "object") errors.push(typeMustBe(schema, path, "object", name));
    const known = ["atomic", "granular"];
    if (!known.includes(mapType)) errors.push(notSupported(path.child(name), mapType, known));
  }
  const name = "x-kubernetes-list-type";
  const listType = schema[name];
  if (listType !== undefined) {
    if (schema.type !== "array") errors.push(typeMustBe(schema, path, "array", name));
    else if (listType === "set") errors.push(...setErrors(schema, path));
    const known = ["atomic", "set", "map"];
    if (!known.includes(listType)) errors.push(notSupported(path.child(name), listType, known));
  }
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const at = path.child(name);
    errors.push(listType === undefined ? required(at, why) : invalidValue(at, listType, why));
  }
  if (listType === "map") errors.push(...mapErrors(schema, path, keys));
  return [...errors, ...nullableErrors(schema, path, keys)];
}

function setErrors({ items }: Schema, path: FieldPath): FieldError[] {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const own = items?.["x-kubernetes-list-type"];
  if (items?.type === "array" && own !== undefined && own !== "atomic") {
    return [invalidValue(path.child("items", "x-kubernetes-list-type"), own, why)];
  }
  if (items?.type === "object" && items["x-kubernetes-map-type"] !== "atomic") {
    return [invalidValue(path.child("items", "x-kubernetes-map-type"), own ?? null, why)];
  }
  return [];
}

function mapErrors(schema: Schema, path: FieldPath, keys: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const { items } = schema;
  const at = path.child("x-kubernetes-list-map-keys");
  if (keys.length === 0) {
    errors.push(required(at, "must not be empty if x-kubernetes-list-type is map"));
  }
  if (items === undefined) {
    const why = "must have a schema if x-kubernetes-list-type is map";
    return [...errors, required(path.child("items"), why)];
  }
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalidValue(path.child("items", "type"), items.type ?? "", why)];
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = items.properties?.[key];
    if (property === undefined) {
      errors.push(invalidValue(at, keys, "entries must all be names of item properties"));
    } else if (property.type === "array" || property.type === "object") {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      const place = path.child("items", "properties").key(key).child("type");
      errors.push(invalidValue(place, items.type, why));
    }
    if (seen.has(key)) errors.push(invalidValue(at, keys, "must not contain duplicate entries"));
    seen.add(key);
  }
  return errors;
}

function nullableErrors(schema: Schema, path: FieldPath, keys: readonly string[]): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const { items } = schema;
  if (!isTree(items) || (listType !== "set" && listType !== "map")) return [];
  const errors: FieldError[] = [];
  if (items.nullable) {
    const why = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
    errors.push(forbiddenField(path.child("items", "nullable"), why));
  }
  if (listType === "set") return errors;
  for (const key of keys) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = path.child("items", "properties").key(key);
    const lead = "this property is in x-kubernetes-list-map-keys, so it";
    if (!items.required?.includes(key) && property.default === undefined) {
      const why = `${lead} must have a default or be a required property`;
      errors.push(required(at.child("default"), why));
    }
    if (property.nullable) {
      errors.push(forbiddenField(at.child("nullable"), `${lead} cannot be nullable`));
    }
  }
  return errors;
}
