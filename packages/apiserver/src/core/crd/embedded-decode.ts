/**
 * Metadata of a custom resource, and of resources inside of it, is read as ObjectMeta: what it does
 * not know is dropped, what does not fit is refused.
 *
 * Errors  UnfitMeta  `spec.template.metadata: Invalid value: …: json: cannot unmarshal …`
 * Source  apiextensions-apiserver pkg/apiserver/schema/objectmeta/{algorithm,coerce}.go
 */
import { decodeJSON, invalidValue, type KubeObject } from "@nanokube/machinery";
import { isTree, type Schema } from "./structural-schema.ts";

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

export class UnfitMeta extends Error {}

/** Changes the object in place; returns the paths of what was dropped. */
export function coerceMeta(schema: Schema, object: KubeObject): string[] {
  const dropped: string[] = [];
  visit({ ...schema, "x-kubernetes-embedded-resource": true }, object, "", dropped);
  return dropped;
}

function visit(schema: Schema, value: unknown, path: string, dropped: string[]): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [i, item] of value.entries()) visit(items, item, `${path}[${i}]`, dropped);
    return;
  }
  if (!isTree(value)) return;
  const lead = path === "" ? "" : `${path}.`;
  if (schema["x-kubernetes-embedded-resource"]) coerce(value, `${lead}metadata`, dropped);
  const { properties = {}, additionalProperties } = schema;
  for (const [name, member] of Object.entries(value)) {
    if (name === "metadata" && schema["x-kubernetes-embedded-resource"]) continue;
    const own = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (isTree(own)) visit(own as Schema, member, `${lead}${name}`, dropped);
  }
}

function coerce(resource: Record<string, unknown>, path: string, dropped: string[]): void {
  const { metadata } = resource;
  if (metadata === undefined || metadata === null) return;
  const refuse = (why: string): never => {
    throw new UnfitMeta(String(invalidValue(path, metadata, why)));
  };
  if (!isTree(metadata)) {
    refuse(`json: cannot unmarshal ${typeof metadata} into Go value of type v1.ObjectMeta`);
    return;
  }
  try {
    const { strictErrors } = decodeJSON(JSON.stringify(metadata), objectMeta, { strict: true });
    for (const error of strictErrors) {
      const unknown = /^unknown field "(.*)"$/u.exec(error)?.[1];
      if (unknown === undefined) continue;
      dropped.push(`${path}.${unknown}`);
      const [first = "", ...deeper] = unknown.split(".");
      if (deeper.length === 0) delete metadata[first];
    }
  } catch (error) {
    refuse((error as Error).message);
  }
}
