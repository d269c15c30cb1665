/**
 * JSON data, read by its schema (or without one) → CEL values.
 *
 * Shapes  integers are int, numbers double; strings with format byte, date, date-time, duration
 *         are what they say; without a schema, whole numbers are int
 * Source  apiserver pkg/cel/common/valuesunstructured.go
 */
import { escapeField } from "./field-names.ts";
import { parseGoDuration, parseRFC3339 } from "./library/go-time.ts";
import type { TypeSchema } from "./schema-types.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  type ListKind,
  type Value,
} from "./values.ts";

/** Data that nothing describes. */
export function plainValue(data: unknown): Value {
  if (data === null || data === undefined) return null;
  switch (typeof data) {
    case "string":
    case "boolean":
      return data;
    case "number":
      return Number.isInteger(data) ? BigInt(data) : data;
    case "object": {
      if (Array.isArray(data)) return new CelList(data.map(plainValue));
      return new LazyMap(Object.entries(data), plainValue);
    }
    default:
      return new CelError("invalid data");
  }
}

/** Converts an entry when it is looked at: rules touch little of what they are given. */
export class LazyMap extends CelMap {
  constructor(entries: readonly (readonly [string, unknown])[], convert: (data: unknown) => Value) {
    const map = new Map<string, readonly [Value, Value]>();
    for (const [key, data] of entries) {
      let value: Value | undefined;
      const pair = [key, null] as [Value, Value];
      Object.defineProperty(pair, 1, {
        enumerable: true,
        get() {
          value ??= convert(data);
          return value;
        },
      });
      map.set(`s${key}`, pair);
    }
    super(map);
  }
}

function bytesOf(text: string): Value {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new CelError("Invalid base64 encoding");
  }
}

function textValue(text: string, format: string | undefined): Value {
  if (format === "byte") return bytesOf(text);
  if (format === "duration") {
    const nanos = parseGoDuration(text);
    return nanos === undefined ? new CelError(`Invalid duration ${text}`) : new CelDuration(nanos);
  }
  if (format === "date" || format === "date-time") {
    const nanos = parseRFC3339(format === "date" ? `${text}T00:00:00Z` : text);
    return nanos === undefined
      ? new CelError(`Invalid date formatted string ${text}`)
      : new CelTimestamp(nanos);
  }
  return text;
}

function invalid(data: unknown, wanted: string): CelError {
  return new CelError(`invalid data, expected ${wanted}, got ${typeof data}`);
}

export function schemaValue(data: unknown, schema: TypeSchema, isRoot = false): Value {
  if (data === null || data === undefined) return null;
  if (schema["x-kubernetes-int-or-string"]) {
    if (typeof data === "string") return data;
    return typeof data === "number"
      ? BigInt(Math.trunc(data))
      : invalid(data, "XIntOrString value to be either a string or integer");
  }
  switch (schema.type) {
    case "object":
      return objectValue(data, schema, isRoot);
    case "array":
      return listValue(data, schema);
    case "string":
      return typeof data === "string" ? textValue(data, schema.format) : invalid(data, "string");
    case "number":
      return typeof data === "number" ? data : invalid(data, "double");
    case "integer":
      return typeof data === "number" ? BigInt(Math.trunc(data)) : invalid(data, "int");
    case "boolean":
      return typeof data === "boolean" ? data : invalid(data, "bool");
  }
  if (schema["x-kubernetes-preserve-unknown-fields"]) return plainValue(data);
  return new CelError(
    `invalid object type, expected bool, number, string, array or object but got ${typeof data}`,
  );
}

const text: TypeSchema = { type: "string" };

function objectValue(data: unknown, schema: TypeSchema, isRoot: boolean): Value {
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    return invalid(data, "map[string]interface{} to match the provided schema with type=object");
  }
  const known = schema.properties ?? {};
  const isResource = isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const values =
    typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const meta: TypeSchema = { type: "object", properties: { name: text, generateName: text } };
  const map = new Map<string, readonly [Value, Value]>();
  for (const [name, item] of Object.entries(data)) {
    let own: TypeSchema | undefined = known[name];
    if (isResource) {
      if (name === "metadata")
        own = { ...meta, properties: { ...meta.properties, ...own?.properties } };
      else if (name === "apiVersion" || name === "kind") own ??= text;
    }
    const key =
      own === undefined && values !== undefined ? name : own && (escapeField(name) ?? undefined);
    const by = own ?? values;
    if (by === undefined || key === undefined) continue;
    let value: Value | undefined;
    const pair = [key, null] as [Value, Value];
    Object.defineProperty(pair, 1, {
      enumerable: true,
      get() {
        if (value === undefined) value = schemaValue(item, by);
        return value;
      },
    });
    map.set(`s${key}`, pair);
  }
  return new ObjectMap(map);
}

/** An object with fields: `self.namespace` is `self.__namespace__`. */
class ObjectMap extends CelMap {
  protected override reserved(key: Value): readonly [Value, Value] | undefined {
    return typeof key === "string" ? this.entries.get(`s__${key}__`) : undefined;
  }
}

function listValue(data: unknown, schema: TypeSchema): Value {
  if (!Array.isArray(data))
    return invalid(data, "[]interface{} to match the provided schema with type=array");
  const items = schema.items ?? {};
  const kind = (schema["x-kubernetes-list-type"] ?? "atomic") as ListKind;
  const values = data.map((item) => schemaValue(item, items));
  return new CelList(values, kind, schema["x-kubernetes-list-map-keys"] ?? []);
}
