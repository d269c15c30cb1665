/**
 * OpenAPI of custom resources: the schemas of their CRDs, completed for v3 and weakened for v2.
 *
 * Shapes  a CRD's schema says nothing of apiVersion, kind and metadata, here they are added, to the
 *         object itself and to embedded resources
 *         type name   group reversed, version, kind: "com.example.stable.v1.CronTab"
 *         v2          cannot say nullable, oneOf, int-or-string: what needs them loses its type;
 *                     what keeps unknown fields loses its members, for clients would refuse others
 * Source  staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/{builder,v2}
 */
import type { ResourceInfo } from "@nanokube/api";
import { objectMetadata, proseOf } from "./prose.ts";
import { type Dialect, described, reference, type Schema } from "./schema.ts";

export interface CustomResource {
  readonly resource: ResourceInfo;
  /** spec.versions[].schema.openAPIV3Schema; absent: any object. */
  readonly schema?: Schema;
}

export type CustomSchemas = ReadonlyMap<string, Readonly<Record<Dialect, Schema>>>;

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const keepsUnknown = "x-kubernetes-preserve-unknown-fields";
const intOrString = "x-kubernetes-int-or-string";

export function customTypeName(group: string, version: string, kind: string): string {
  return [...group.split(".").reverse(), version, kind].join(".");
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Applies `change` to every schema inside `schema`, from the innermost out. */
function mapSchemas(schema: Schema, change: (schema: Schema) => Schema): Schema {
  const walk = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(walk) : isSchema(value) ? mapSchemas(value, change) : value;
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (["properties", "definitions", "patternProperties"].includes(key) && isSchema(value)) {
      result[key] = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v)]));
    } else if (["items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"].includes(key)) {
      result[key] = walk(value);
    } else {
      result[key] = value;
    }
  }
  return change(result);
}

function objectMembers(dialect: Dialect): Record<string, Schema> {
  const told = (name: string, schema: Schema) =>
    described(dialect, schema, proseOf("", name, true));
  return {
    apiVersion: told("apiVersion", { type: "string" }),
    kind: told("kind", { type: "string" }),
    metadata: described(dialect, reference(dialect, `${meta}.ObjectMeta`), objectMetadata),
  };
}

function complete(schema: Schema): Schema {
  const result: Schema = { ...schema };
  if (schema[intOrString] === true && schema.anyOf === undefined && schema.type === undefined) {
    result.anyOf = [{ type: "integer" }, { type: "string" }];
  }
  if (schema["x-kubernetes-embedded-resource"] === true) {
    const own = isSchema(schema.properties) ? schema.properties : {};
    result.properties = { ...own, ...objectMembers("v3") };
    const required = Array.isArray(schema.required) ? schema.required : [];
    result.required = [...new Set([...required, "kind", "apiVersion"])];
  }
  return result;
}

const notInV2 = ["default", "nullable", "oneOf", "anyOf", "allOf", "not", "definitions"];

function weaken(schema: Schema): Schema {
  const result: Schema = { ...schema };
  for (const key of notInV2) delete result[key];
  if (schema.nullable === true) {
    for (const key of ["type", "items", "properties", "format", "enum"]) delete result[key];
  }
  if (schema[keepsUnknown] === true || schema[intOrString] === true) {
    for (const key of ["type", "items", "properties", "required"]) delete result[key];
  }
  return result;
}

function withObject(dialect: Dialect, schema: Schema, resource: ResourceInfo): Schema {
  const { group, kind, version } = resource;
  const own = isSchema(schema.properties) ? schema.properties : {};
  const base: Schema = { type: "object", ...schema };
  base.properties = { ...own, ...objectMembers(dialect) };
  base["x-kubernetes-group-version-kind"] = [{ group, kind, version }];
  return base;
}

function listSchema(dialect: Dialect, resource: ResourceInfo): Schema {
  const { group, kind, version, type } = resource;
  const items = { type: "array", items: reference(dialect, type) };
  const metadata = reference(dialect, `${meta}.ListMeta`);
  return {
    type: "object",
    required: ["items"],
    properties: { ...objectMembers(dialect), items, metadata },
    "x-kubernetes-group-version-kind": [{ group, kind: `${kind}List`, version }],
  };
}

function schemaV2(schema: Schema, resource: ResourceInfo): Schema {
  if (schema[keepsUnknown] === true || schema.nullable === true) {
    const { group, kind, version } = resource;
    return { type: "object", "x-kubernetes-group-version-kind": [{ group, kind, version }] };
  }
  return withObject("v2", mapSchemas(schema, weaken), resource);
}

export function customSchemas(resources: readonly CustomResource[]): CustomSchemas {
  const found = new Map<string, Record<Dialect, Schema>>();
  for (const { resource, schema = { type: "object", [keepsUnknown]: true } } of resources) {
    found.set(resource.type, {
      v2: schemaV2(schema, resource),
      v3: withObject("v3", mapSchemas(schema, complete), resource),
    });
    if (resource.listType !== undefined) {
      found.set(resource.listType, {
        v2: listSchema("v2", resource),
        v3: listSchema("v3", resource),
      });
    }
  }
  return found;
}
