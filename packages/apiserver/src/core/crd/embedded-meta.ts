/**
 * Resources inside of resources have a proper apiVersion, kind and metadata.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/objectmeta/validation.go
 */
import type { ObjectMeta } from "@nanokube/api/meta/v1";
import { type FieldError, FieldPath, invalidValue, required } from "@nanokube/machinery";
import { dns1035Label, pathSegment } from "../../resources/names.ts";
import { validateObjectMeta } from "../../resources/object-meta.ts";
import { isTree, type Schema } from "./structural-schema.ts";

type Path = FieldPath | undefined;

const child = (path: Path, name: string): FieldPath =>
  path === undefined ? FieldPath.root(name) : path.child(name);

export function validateEmbedded(schema: Schema, value: unknown, path?: FieldPath): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    const at = path ?? FieldPath.root("");
    return value.flatMap((item, i) => validateEmbedded(items, item, at.index(i)));
  }
  if (!isTree(value)) return [];
  const errors = schema["x-kubernetes-embedded-resource"] ? validateResource(value, path) : [];
  const { properties, additionalProperties } = schema;
  for (const [name, member] of Object.entries(value)) {
    if (properties !== undefined && Object.hasOwn(properties, name)) {
      errors.push(...validateEmbedded(properties[name]!, member, child(path, name)));
    } else if (isTree(additionalProperties)) {
      const at = (path ?? FieldPath.root("")).key(name);
      errors.push(...validateEmbedded(additionalProperties as Schema, member, at));
    }
  }
  return errors;
}

function validateResource(value: Record<string, unknown>, path: Path): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ["apiVersion", "kind"]) {
    const at = child(path, name);
    const own = value[name];
    if (own === undefined) errors.push(required(at, ""));
    else if (typeof own !== "string") errors.push(invalidValue(at, own, "must be a string"));
    else if (own === "") errors.push(invalidValue(at, own, "must not be empty"));
    else if (name === "kind") {
      const why = dns1035Label(own.toLowerCase());
      const lead = "may have mixed case, but should otherwise match: ";
      if (why.length > 0) errors.push(invalidValue(at, own, `${lead}${why.join(",")}`));
    } else if (own.split("/").length > 2) {
      errors.push(invalidValue(at, own, `unexpected GroupVersion string: ${own}`));
    }
  }
  const meta = value["metadata"];
  if (!isTree(meta)) return errors;
  const named = { ...(meta as ObjectMeta) };
  named.name ||= "fakename";
  const hasNamespace = Boolean(named.namespace);
  return [
    ...errors,
    ...validateObjectMeta(named, hasNamespace, pathSegment, child(path, "metadata")),
  ];
}
