/**
 * What a cache keeps of objects that are only counted, or followed to their owners.
 */
import type { ApiObject } from "@nanokube/client";

export function metadataOnly(object: ApiObject): ApiObject {
  const { apiVersion, kind, metadata = {} } = object;
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } =
    metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      ownerReferences,
      finalizers,
      deletionTimestamp,
    },
  };
}
