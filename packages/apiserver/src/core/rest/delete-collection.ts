/**
 * DELETE of a collection: everything a selection matches, one deletion each.
 *
 * Not atomic: an error leaves what was deleted before it deleted.
 * Source  staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (DeleteCollection)
 */
import { isNotFound } from "@nanokube/machinery";
import type { StoredObject } from "../cache/stored-object.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { deleteObject, readDeleteOptions } from "./delete.ts";
import { checkFieldSelector, parseListOptions } from "./list-options.ts";
import { fieldLabels, knownFields, listObjects } from "./read.ts";
import { respondWithList } from "./respond.ts";

/** Deletions under way at once. */
const workers = 8;

export async function removeCollection(context: RestContext): Promise<ApiResponse> {
  const listOptions = parseListOptions(context.request.query, false);
  checkFieldSelector(listOptions, knownFields(context), fieldLabels(context));
  const options = await readDeleteOptions(context);
  const { objects, meta } = await listObjects(context, listOptions);
  const queue = objects.values();
  const work = async (): Promise<void> => {
    for (const object of queue) {
      await deleteOne(context, object, () => ({ ...options, object: { ...options.object } }));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return respondWithList(context, objects, meta);
}

async function deleteOne(
  context: RestContext,
  object: StoredObject,
  options: () => Parameters<typeof deleteObject>[2],
): Promise<void> {
  const info = { ...context.info, namespace: object.namespace, name: object.name };
  try {
    await deleteObject({ ...context, info }, object.name, options());
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
