/**
 * PartialObjectMetadata: an object's metadata alone, for the garbage collector and its like.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go (asPartialObjectMetadata)
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ListMeta } from "./list-body.ts";

export function partialMetadata(tree: KubeObject, version: string): KubeObject {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: tree.metadata ?? {},
  };
}

export function partialMetadataList(
  trees: readonly KubeObject[],
  listMeta: ListMeta,
  version: string,
): KubeObject {
  return {
    kind: "PartialObjectMetadataList",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMeta as object,
    items: trees.map((tree) => partialMetadata(tree, version)),
  };
}
