/**
 * Schemas of the table's types, in the words of OpenAPI v2 or v3.
 *
 * Shapes  Schema     a JSON Schema object; references are "#/definitions/NAME" in v2,
 *                    "#/components/schemas/NAME" in v3
 *         v2         has no defaults, no oneOf: a quantity is just a string
 *         v3         a struct, and a scalar that JSON never leaves out, defaults to its zero value;
 *                    a reference with a default beside it goes into allOf
 * Source  k8s.io/kube-openapi pkg/generators/openapi.go, pkg/builder3/openapi.go
 */
import { type Field, jsonFields, type TypeInfo, typeInfo } from "@nanokube/api";
import { proseOf } from "./prose.ts";

export type Dialect = "v2" | "v3";
export type Schema = { [key: string]: unknown };

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const extensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

/** Leaves of the table that are types of their own in OpenAPI. */
const leafTypes: Readonly<Record<string, string>> = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  duration: `${meta}.Duration`,
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  raw: "io.k8s.apimachinery.pkg.runtime.RawExtension",
  fieldsV1: `${meta}.FieldsV1`,
  json: `${extensions}.JSON`,
};

const scalars: Readonly<Record<string, { schema: Schema; zero?: unknown }>> = {
  string: { schema: { type: "string" }, zero: "" },
  bool: { schema: { type: "boolean" }, zero: false },
  int32: { schema: { type: "integer", format: "int32" }, zero: 0 },
  int64: { schema: { type: "integer", format: "int64" }, zero: 0 },
  uint32: { schema: { type: "integer", format: "int64" }, zero: 0 },
  uint64: { schema: { type: "integer", format: "int64" }, zero: 0 },
  float64: { schema: { type: "number", format: "double" }, zero: 0 },
  bytes: { schema: { type: "string", format: "byte" } },
};

/** Types whose schema the table does not give. */
const fixed: Readonly<Record<string, { v2: Schema; v3: Schema }>> = {
  [leafTypes.quantity!]: {
    v2: { type: "string" },
    v3: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  [leafTypes.intOrString!]: {
    v2: { type: "string", format: "int-or-string" },
    v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  ...Object.fromEntries(
    [
      [leafTypes.time!, { type: "string", format: "date-time" }],
      [leafTypes.microTime!, { type: "string", format: "date-time" }],
      [leafTypes.duration!, { type: "string" }],
      [leafTypes.raw!, { type: "object" }],
      [leafTypes.fieldsV1!, { type: "object" }],
      [leafTypes.json!, {}],
      [`${meta}.Patch`, { type: "object" }],
    ].map(([name, schema]) => [name, { v2: schema, v3: schema }]),
  ),
};

export function reference(dialect: Dialect, name: string): Schema {
  const place = dialect === "v2" ? "#/definitions/" : "#/components/schemas/";
  return { $ref: place + name };
}

function isStruct(word: string): boolean {
  if (!word.startsWith("ref ")) return false;
  const info = typeInfo(word.slice("ref ".length));
  return info !== undefined && info.alias === undefined && info.special === undefined;
}

/** The zero value that upstream writes as default of an element or a field; undefined: none. */
function impliedDefault(word: string, omitEmpty: boolean): unknown {
  if (isStruct(word)) return {};
  return omitEmpty ? undefined : scalars[word]?.zero;
}

/** What a schema may have beside its type; v2 drops defaults. */
function withDefault(dialect: Dialect, schema: Schema, value: unknown): Schema {
  if (dialect === "v2" || value === undefined) return schema;
  if (schema.$ref !== undefined) return { default: value, allOf: [schema] };
  return { ...schema, default: value };
}

function wordSchema(dialect: Dialect, word: string, values?: readonly string[]): Schema {
  const element = (inner: string) =>
    withDefault(dialect, wordSchema(dialect, inner, values), impliedDefault(inner, false));
  if (word.startsWith("[]")) return { type: "array", items: element(word.slice(2)) };
  if (word.startsWith("map ")) {
    return { type: "object", additionalProperties: element(word.slice("map ".length)) };
  }
  if (word.startsWith("ref ")) {
    const name = word.slice("ref ".length);
    const alias = typeInfo(name)?.alias;
    return alias === undefined ? reference(dialect, name) : wordSchema(dialect, alias);
  }
  const leaf = leafTypes[word];
  if (leaf !== undefined) return reference(dialect, leaf);
  const scalar = scalars[word];
  if (scalar === undefined) throw new Error(`no schema for the word "${word}"`);
  return values === undefined ? { ...scalar.schema } : { ...scalar.schema, enum: [...values] };
}

function fieldSchema(dialect: Dialect, field: Field): Schema {
  const implied = field.ptr ? undefined : impliedDefault(field.type, field.opt === true);
  const plain = wordSchema(dialect, field.type, field.enum);
  const marks = Object.entries({
    "x-kubernetes-list-type": field.listType,
    "x-kubernetes-list-map-keys": field.listMapKeys,
    "x-kubernetes-map-type": field.mapType,
    "x-kubernetes-patch-strategy": field.patchStrategy,
    "x-kubernetes-patch-merge-key": field.patchMergeKey,
  }).filter(([, value]) => value !== undefined);
  const schema = withDefault(dialect, plain, field.default ?? implied);
  if (marks.length === 0) return schema;
  // In v3 a reference stands alone: what is said beside it needs allOf.
  const alone = dialect === "v3" && schema.$ref !== undefined;
  return { ...(alone ? { allOf: [schema] } : schema), ...Object.fromEntries(marks) };
}

/** In v3 a reference stands alone: what is said beside it needs allOf. */
export function described(dialect: Dialect, schema: Schema, description?: string): Schema {
  if (description === undefined) return schema;
  const alone = dialect === "v3" && schema.$ref !== undefined;
  return { description, ...(alone ? { allOf: [schema] } : schema) };
}

function structSchema(dialect: Dialect, name: string, info: TypeInfo): Schema {
  const members = Object.entries(jsonFields(name)!);
  const required = members.filter(([, field]) => field.required).map(([key]) => key);
  const isObject = members.some(([key]) => key === "metadata");
  const properties = members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => {
      return [key, described(dialect, fieldSchema(dialect, field), proseOf(name, key, isObject))];
    });
  const schema: Schema = { type: "object" };
  if (required.length > 0) schema.required = required;
  if (properties.length > 0) schema.properties = Object.fromEntries(properties);
  if (info.mapType !== undefined) schema["x-kubernetes-map-type"] = info.mapType;
  if (info.unions !== undefined) schema["x-kubernetes-unions"] = info.unions;
  return schema;
}

const written = new Map<string, Schema>();

/** The schema of one type, shared by all documents: not to be changed. */
export function typeSchema(dialect: Dialect, name: string): Readonly<Schema> | undefined {
  const key = `${dialect} ${name}`;
  const before = written.get(key) ?? fixed[name]?.[dialect];
  if (before !== undefined) return before;
  const info = typeInfo(name);
  if (info === undefined) return undefined;
  const schema = info.special === undefined ? structSchema(dialect, name, info) : {};
  written.set(key, schema);
  return schema;
}
