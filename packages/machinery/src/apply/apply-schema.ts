/**
 * What server-side apply must know of a type: which maps and lists are owned as a whole, and
 * what tells items apart.
 *
 * Built-in types get theirs from the api table; a custom resource's can be made from its OpenAPI
 * schema.
 *
 * Source  k8s.io/kube-openapi/pkg/schemaconv, sigs.k8s.io/structured-merge-diff/v6
 *         schema/elements.go
 */

import { typeInfo } from "@nanokube/api";
import { type Member, type Shape, structOf } from "../codec/shape.ts";

export interface ScalarSchema {
  readonly kind: "scalar";
}

/** A struct has fields, a map an element; an object that keeps unknown fields has both. */
export interface MapSchema {
  readonly kind: "map";
  readonly atomic: boolean;
  field(name: string): ApplySchema | undefined;
  /** What a field is when an item does not say; only keys of lists need it. */
  defaultOf(name: string): unknown;
  readonly element: ApplySchema | undefined;
}

export interface ListSchema {
  readonly kind: "list";
  readonly relation: "atomic" | "set" | "map";
  readonly keys: readonly string[];
  readonly item: ApplySchema;
}

/** No type is known: maps merge, lists are owned as a whole. */
export interface UntypedSchema {
  readonly kind: "untyped";
  /** Maps are owned as a whole, too. */
  readonly atomic?: true;
}

export type ApplySchema = ScalarSchema | MapSchema | ListSchema | UntypedSchema;

export const scalarSchema: ScalarSchema = { kind: "scalar" };
export const untypedSchema: UntypedSchema = { kind: "untyped" };
const rawSchema: UntypedSchema = { kind: "untyped", atomic: true };

const structs = new Map<string, MapSchema>();

/** The schema of a built-in type. */
export function applySchemaOf(typeName: string): MapSchema {
  return structSchema(typeName, typeInfo(typeName)?.mapType === "atomic");
}

function structSchema(typeName: string, atomic: boolean): MapSchema {
  const key = `${atomic} ${typeName}`;
  let schema = structs.get(key);
  if (schema === undefined) {
    schema = buildStruct(typeName, atomic);
    structs.set(key, schema);
  }
  return schema;
}

function buildStruct(typeName: string, atomic: boolean): MapSchema {
  const { members, ordinals } = structOf(typeName);
  const fields: (ApplySchema | undefined)[] = [];
  return {
    kind: "map",
    atomic,
    element: undefined,
    defaultOf(name) {
      const ordinal = ordinals.get(name);
      return ordinal === undefined ? undefined : members[ordinal]!.field.default;
    },
    field(name) {
      const ordinal = ordinals.get(name);
      if (ordinal === undefined) return undefined;
      fields[ordinal] ??= memberSchema(members[ordinal]!);
      return fields[ordinal];
    },
  };
}

function memberSchema({ shape, field }: Member): ApplySchema {
  if (shape.kind === "list") {
    return {
      kind: "list",
      relation: field.listType ?? "atomic",
      keys: field.listMapKeys ?? [],
      item: shapeSchema(shape.item),
    };
  }
  if (shape.kind === "map") return mapSchema(shape.value, field.mapType === "atomic");
  if (shape.kind === "struct" && field.mapType !== undefined) {
    return structSchema(shape.name, field.mapType === "atomic");
  }
  return shapeSchema(shape);
}

function mapSchema(value: Shape, atomic: boolean): MapSchema {
  return {
    kind: "map",
    atomic,
    element: shapeSchema(value),
    field: () => undefined,
    defaultOf: () => undefined,
  };
}

function shapeSchema(shape: Shape): ApplySchema {
  switch (shape.kind) {
    case "struct":
      return applySchemaOf(shape.name);
    case "list":
      return { kind: "list", relation: "atomic", keys: [], item: shapeSchema(shape.item) };
    case "map":
      return mapSchema(shape.value, false);
    case "fieldsV1":
    case "json":
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      return untypedSchema;
    case "raw":
      return rawSchema;
    default:
      return scalarSchema;
  }
}

/** What a value is under a schema: an untyped one is what it looks like. */
export function resolveSchema(schema: ApplySchema, value: unknown): ApplySchema {
  if (schema.kind !== "untyped") return schema;
  if (Array.isArray(value)) {
    return { kind: "list", relation: "atomic", keys: [], item: untypedSchema };
  }
  if (typeof value !== "object" || value === null) return scalarSchema;
  return schema.atomic ? rawMap : untypedMap;
}

const untypedMap: MapSchema = {
  kind: "map",
  atomic: false,
  element: untypedSchema,
  field: () => undefined,
  defaultOf: () => undefined,
};
const rawMap: MapSchema = { ...untypedMap, atomic: true };
