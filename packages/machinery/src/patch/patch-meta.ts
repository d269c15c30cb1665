/**
 * How a field takes part in a strategic merge: its strategies, its merge key, the type of what
 * is inside.
 *
 * Source  k8s.io/apimachinery/pkg/util/strategicpatch/meta.go,
 *         third_party/forked/golang/json/fields.go
 */
import { goStructName, type Shape, structOf } from "../codec/shape.ts";
import { quoteGo } from "../go-text.ts";
import { PatchError } from "./patch-error.ts";

export interface PatchMeta {
  /** The element's shape for lists, the value's own for structs. */
  readonly inner: Shape;
  readonly strategies: readonly string[];
  readonly mergeKey: string;
}

function kindName(shape: Shape): string {
  if (shape.kind === "map") return "map";
  if (shape.kind === "list") return "slice";
  return shape.kind;
}

/** @throws PatchError when the shape has no such field */
export function lookupStruct(shape: Shape, key: string): PatchMeta {
  if (shape.kind !== "struct") {
    throw new PatchError(
      "internal",
      `merging an object in json but data type is not struct, instead is: ${kindName(shape)}`,
    );
  }
  const struct = structOf(shape.name);
  const ordinal = struct.ordinals.get(key);
  if (ordinal === undefined) {
    const name = goStructName(shape.name);
    throw new PatchError(
      "internal",
      `unable to find api field in struct ${name} for the json field ${quoteGo(key)}`,
    );
  }
  const { field, shape: inner } = struct.members[ordinal]!;
  return {
    inner,
    strategies: field.patchStrategy?.split(",") ?? [],
    mergeKey: field.patchMergeKey ?? "",
  };
}

/** @throws PatchError when the field is no list */
export function lookupSlice(shape: Shape, key: string): PatchMeta {
  const meta = lookupStruct(shape, key);
  if (meta.inner.kind === "list") return { ...meta, inner: meta.inner.item };
  if (meta.inner.kind === "bytes") return meta;
  throw new PatchError(
    "internal",
    `expected slice or array type, but got: ${kindName(meta.inner)}`,
  );
}
