/**
 * An OpenAPI schema → the CEL type of what it describes, with the sizes that it allows.
 *
 * Fields of unknown shape are not visible to expressions.
 *
 * Source  apiserver pkg/cel/common/schemas.go, pkg/cel/{types,limits}.go
 */

import type { Range } from "./cost-range.ts";
import { escapeField } from "./field-names.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  struct,
  timestampType,
} from "./types.ts";

export const requestSizeMax = 3 * 1024 * 1024;

/** The parts of a JSON schema that matter here. */
export interface TypeSchema {
  type?: string;
  format?: string;
  items?: TypeSchema;
  properties?: Record<string, TypeSchema>;
  additionalProperties?: TypeSchema | boolean;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
}

/** A type with the sizes of what can be of it. Bytes, elements or entries. */
export interface SizedType {
  type: CelType;
  maxElements: number;
  minSerializedSize: number;
  element?: SizedType;
  key?: SizedType;
  fields?: ReadonlyMap<string, SizedType>;
}

const sized = (type: CelType, minSerializedSize: number, maxElements = 0): SizedType => ({
  type,
  maxElements,
  minSerializedSize,
});

const textMax = requestSizeMax - 2;
const positive = (value: number): number => Math.max(0, value);

function withMeta(schema: TypeSchema): TypeSchema {
  const text: TypeSchema = { type: "string" };
  const known = schema.properties ?? {};
  const meta = known["metadata"]?.properties;
  const isWhole =
    known["kind"]?.type === "string" &&
    known["apiVersion"]?.type === "string" &&
    meta?.["name"]?.type === "string" &&
    meta["generateName"]?.type === "string";
  if (isWhole) return schema;
  const metadata = { type: "object", properties: { name: text, generateName: text } };
  return { ...schema, properties: { ...known, kind: text, apiVersion: text, metadata } };
}

function enumMax(values: readonly unknown[]): number {
  const sizes = values.map((value) =>
    typeof value === "string" ? new TextEncoder().encode(value).length : 0,
  );
  return Math.max(0, ...sizes);
}

function textType(schema: TypeSchema): SizedType {
  const { format, maxLength } = schema;
  if (format === "byte")
    return sized(bytesType, 2, maxLength === undefined ? textMax : positive(maxLength));
  if (format === "duration") return sized(durationType, 3, 32);
  if (format === "date") return sized(timestampType, 12, 12);
  if (format === "date-time") return sized(timestampType, 21, 32);
  if (maxLength !== undefined) return sized(stringType, 2, positive(maxLength) * 4);
  return sized(stringType, 2, schema.enum?.length ? enumMax(schema.enum) : textMax);
}

/** `name` is that of the objects at this place; those below get theirs by path. */
export function sizedTypeOf(
  schema: TypeSchema,
  name: string,
  isRoot = false,
): SizedType | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    const max = schema.maxLength === undefined ? textMax : positive(schema.maxLength) * 4;
    return sized(dynType, 1, max);
  }
  const whole = isRoot ? withMeta(schema) : schema;
  switch (whole.type) {
    case "array":
      return listType(whole, name);
    case "object":
      return objectType(whole, name);
    case "string":
      return textType(whole);
    case "boolean":
      return sized(boolType, 4);
    case "number":
      return sized(doubleType, 1);
    case "integer":
      return sized(intType, 1);
    default:
      return undefined;
  }
}

const isEmbedded = (schema: TypeSchema): boolean =>
  schema["x-kubernetes-embedded-resource"] === true;

function listType(schema: TypeSchema, name: string): SizedType | undefined {
  if (schema.items === undefined) return undefined;
  const element = sizedTypeOf(schema.items, `${name}.@idx`, isEmbedded(schema.items));
  if (element === undefined) return undefined;
  const maxElements =
    schema.maxItems === undefined
      ? Math.floor(textMax / (element.minSerializedSize + 1))
      : positive(schema.maxItems);
  return { type: listOf(element.type), maxElements, minSerializedSize: 2, element };
}

function objectType(schema: TypeSchema, name: string): SizedType | undefined {
  const values = schema.additionalProperties;
  if (typeof values === "object") {
    const element = sizedTypeOf(values, `${name}.@elem`, isEmbedded(values));
    if (element === undefined) return undefined;
    const maxElements =
      schema.maxProperties === undefined
        ? Math.floor(textMax / (element.minSerializedSize + 6))
        : positive(schema.maxProperties);
    const key = sized(stringType, 2);
    const type = mapOf(stringType, element.type);
    return { type, maxElements, minSerializedSize: 2, element, key };
  }
  const fields = new Map<string, SizedType>();
  const required = new Set(schema.required);
  let minSerializedSize = 2;
  for (const [property, own] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeField(property);
    const field = sizedTypeOf(own, `${name}.${escaped ?? property}`, isEmbedded(own));
    if (field === undefined) continue;
    if (escaped !== undefined) fields.set(escaped, field);
    if (required.has(property) && own.default === undefined) {
      minSerializedSize += new TextEncoder().encode(property).length + field.minSerializedSize + 4;
    }
  }
  const types = new Map([...fields].map(([key, field]) => [key, field.type]));
  return { type: struct(name, types), maxElements: 0, minSerializedSize, fields };
}

/** How large what stands at a path may be; the path's first part is the variable of this type. */
export function sizeAlong(root: SizedType, path: readonly string[]): Range | undefined {
  let at: SizedType | undefined = root;
  for (const step of path.slice(1)) {
    if (step === "@items" || step === "@values") at = at.element;
    else if (step === "@keys") at = at.key;
    else at = at.fields?.get(step);
    if (at === undefined) return undefined;
  }
  return { min: 0, max: at.maxElements };
}
