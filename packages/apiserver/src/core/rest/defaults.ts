/**
 * What a strategy may rely on: members without a value are absent, defaults are filled in.
 *
 * Go writes an empty list or pointer that is no `omitempty` as null, and so does the canonical
 * form in
 * which objects are stored; strategies see absence only.
 */
import type { KubeObject } from "@nanokube/machinery";
import type { RestContext, ServedResource } from "./context.ts";

export function applyDefaults({ resource }: RestContext, object: KubeObject): void {
  dropNulls(resource, object);
  resource.strategy.default?.(object);
}

/** In custom resources and in the schemas of their definitions null is a value. */
export function dropNulls({ custom, info }: ServedResource, object: KubeObject): void {
  if (custom === undefined && info.kind !== "CustomResourceDefinition") drop(object);
}

function drop(value: object): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null) drop(item);
    return;
  }
  const tree = value as Record<string, unknown>;
  for (const name in tree) {
    const member = tree[name];
    if (member === null) delete tree[name];
    else if (typeof member === "object") drop(member as object);
  }
}
