/**
 * What server-side apply must know of a custom resource's schema.
 *
 * Source  kube-openapi pkg/schemaconv/openapi.go
 */
import {
  type ApplySchema,
  applySchemaOf,
  type MapSchema,
  scalarSchema,
  untypedSchema,
} from "@nanokube/machinery";
import { isTree, type Schema } from "./structural-schema.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

export function customApplySchema(schema: Schema): MapSchema {
  const body = mapSchema(schema);
  return {
    ...body,
    field(name) {
      if (name === "metadata") return applySchemaOf(objectMeta);
      if (name === "apiVersion" || name === "kind") return scalarSchema;
      return body.field(name);
    },
  };
}

function mapSchema(schema: Schema): MapSchema {
  const fields = new Map<string, ApplySchema>();
  const { properties = {}, additionalProperties } = schema;
  const keeps = schema["x-kubernetes-preserve-unknown-fields"] || additionalProperties === true;
  const element = isTree(additionalProperties)
    ? valueSchema(additionalProperties as Schema)
    : keeps
      ? untypedSchema
      : undefined;
  return {
    kind: "map",
    atomic: schema["x-kubernetes-map-type"] === "atomic",
    element,
    defaultOf: (name) => (Object.hasOwn(properties, name) ? properties[name]!.default : undefined),
    field(name) {
      if (!Object.hasOwn(properties, name)) return undefined;
      let known = fields.get(name);
      if (known === undefined) {
        known = valueSchema(properties[name]!);
        fields.set(name, known);
      }
      return known;
    },
  };
}

function valueSchema(schema: Schema): ApplySchema {
  if (schema["x-kubernetes-embedded-resource"]) return customApplySchema(schema);
  if (schema.type === "object") return mapSchema(schema);
  if (schema.type === "array") {
    return {
      kind: "list",
      relation: schema["x-kubernetes-list-type"] ?? "atomic",
      keys: schema["x-kubernetes-list-map-keys"] ?? [],
      item: schema.items === undefined ? untypedSchema : valueSchema(schema.items),
    };
  }
  return schema.type === undefined || schema.type === "" ? untypedSchema : scalarSchema;
}
