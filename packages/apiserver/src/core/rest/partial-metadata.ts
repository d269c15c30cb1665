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
    metadata: tree.kind === "DaemonSet" ? withoutGeneration(tree) : (tree.metadata ?? {}),
  };
}

const templateGeneration = "deprecated.daemonset.template.generation";

/** An annotation that is a number in upstream's internal type: only whole objects have it. */
function withoutGeneration({ metadata = {} }: KubeObject): object {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined) return metadata;
  const { [templateGeneration]: _generation, ...others } = annotations;
  return Object.keys(others).length === 0 ? rest : { ...rest, annotations: others };
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
