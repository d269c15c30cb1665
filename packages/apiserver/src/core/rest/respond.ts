/**
 * An object or a list in the form the caller asked for.
 *
 * Bytes that the cache holds are joined, not made again: JSON of one object is the cached bytes, a
 * JSON list is cached ranges between commas, protobuf is encoded once a version.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go,
 *         responsewriters/writers.go
 */
import { typeOf } from "@nanokube/api";
import {
  encodeEnvelope,
  encodeProtobuf,
  formatYAML,
  genericStatus,
  type KubeObject,
  type StatusError,
} from "@nanokube/machinery";
import type { ListItems } from "../cache/kept-lists.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import { type MediaType, mediaTypes } from "../wire/negotiation.ts";
import type { ApiResponse, RestContext } from "./context.ts";
import { join, type Keep, type ListMeta, listBody, listItems } from "./list-body.ts";
import { objectBytes } from "./object-bytes.ts";
import { partialMetadata, partialMetadataList } from "./partial-metadata.ts";
import { readOne } from "./reading.ts";
import { tableOf } from "./table.ts";

const encoder = new TextEncoder();

export async function respondWithStored(
  context: RestContext,
  status: number,
  written: StoredObject,
): Promise<ApiResponse> {
  const { output, resource } = context;
  const stored = await readOne(resource, written);
  // Rows and metadata are made of what is stored: a version may keep more in its annotations.
  if (output.as !== "") return respondWithTree(context, status, stored.tree());
  if (output.pretty || output.format === "yaml") {
    return respondWithTree(context, status, resource.fromStorage(stored.tree()));
  }
  return answer(context, status, objectBytes(resource, stored, output.format));
}

export function respondWithTree(
  context: RestContext,
  status: number,
  tree: KubeObject,
  typeName: string | undefined = context.resource.typeName,
): ApiResponse {
  const { output } = context;
  if (output.as === "Table") {
    const rows = [{ tree, bytes: undefined }];
    const { resourceVersion = "" } = tree.metadata ?? {};
    const listMeta = (resourceVersion === "" ? {} : { resourceVersion }) as ListMeta;
    return answer(context, status, encodeTree(tableOf(context, rows, listMeta), output, undefined));
  }
  if (output.as === "PartialObjectMetadataList" && tree.kind !== "Status") {
    throw notAList(context, tree.kind ?? "");
  }
  if (output.as === "PartialObjectMetadata") {
    const partial = partialMetadata(tree, output.asVersion);
    const partialType = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata";
    return answer(context, status, encodeTree(partial, output, partialType));
  }
  return answer(context, status, encodeTree(tree, output, typeName));
}

/** Go's name of what upstream has in hand: core.ConfigMap. */
function goType({ resource }: RestContext, kind: string): string {
  if (resource.custom !== undefined) return "unstructured.Unstructured";
  const { group } = resource.info;
  const isCore = group === "" || group === "events.k8s.io";
  return `${isCore ? "core" : group.split(".")[0]}.${kind}`;
}

const asked = (form: string, is: string, type: string): Error =>
  genericStatus(
    406,
    "NotAcceptable",
    `you requested ${form}, but the requested object is ${is} (*${type})`,
  );

const notAList = (context: RestContext, kind: string): Error =>
  asked("PartialObjectMetadataList", "not a list", goType(context, kind));

const isAList = (context: RestContext): Error =>
  asked("PartialObjectMetadata", "a list", goType(context, `${context.resource.info.kind}List`));

export async function respondWithList(
  context: RestContext,
  objects: readonly StoredObject[],
  listMeta: ListMeta,
  keep?: Keep,
): Promise<ApiResponse> {
  const { output } = context;
  if (output.as === "Table") {
    const rows = objects.map((object) => ({ tree: object.tree(), bytes: object.json }));
    return answer(context, 200, encodeTree(tableOf(context, rows, listMeta), output, undefined));
  }
  if (output.as === "PartialObjectMetadata") throw isAList(context);
  if (output.as === "PartialObjectMetadataList") {
    const trees = objects.map((object) => object.tree());
    const list = partialMetadataList(trees, listMeta, output.asVersion);
    // A list that Go never put anything into.
    if (trees.length === 0 && output.format !== "protobuf") list.items = null;
    const type = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList";
    return answer(context, 200, encodeTree(list, output, type));
  }
  return respondWithItems(context, await listItems(context, objects, keep), listMeta);
}

export function respondWithItems(
  context: RestContext,
  items: ListItems,
  listMeta: ListMeta,
): ApiResponse {
  const { output } = context;
  const { body, list } = listBody(context, items, listMeta);
  if (!output.pretty && output.format !== "yaml") {
    const headers = { "content-type": mediaTypes[output.format] };
    return { status: 200, headers, body, ...(list ? { list } : {}) };
  }
  const text =
    list === undefined ? (body as Uint8Array) : join([list.head, items.bytes, list.tail]);
  const tree = JSON.parse(new TextDecoder().decode(text)) as KubeObject;
  return answer(context, 200, encodeTree(tree, output, undefined));
}

/** Any tree in any form; protobuf only where the type is known. */
export function encodeTree(
  tree: object,
  output: Pick<MediaType, "format" | "pretty">,
  typeName: string | undefined,
): Uint8Array {
  if (output.format === "yaml") return encoder.encode(formatYAML(tree));
  if (output.format === "protobuf") {
    const { apiVersion = "", kind = "" } = tree as KubeObject;
    const name = typeName ?? typeOf(apiVersion, kind);
    if (name !== undefined) return encodeEnvelope(apiVersion, kind, encodeProtobuf(name, tree));
  }
  return encoder.encode(JSON.stringify(tree, null, output.pretty ? 2 : undefined));
}

function answer(context: RestContext, status: number, body: Uint8Array): ApiResponse {
  const { output } = context;
  return { status, headers: { "content-type": mediaTypes[output.format] }, body };
}

const statusType = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

/** An error as its Status; protobuf for who asked for protobuf. */
export function respondWithError(error: StatusError, output: MediaType | undefined): ApiResponse {
  const format = output?.format ?? "json";
  const headers: Record<string, string> = { "content-type": mediaTypes[format] };
  const retryAfter = error.status.details?.retryAfterSeconds;
  if (retryAfter !== undefined && retryAfter > 0) headers["retry-after"] = String(retryAfter);
  const form = { format, pretty: output?.pretty ?? false };
  return {
    status: error.code === 0 ? 500 : error.code,
    headers,
    body: encodeTree(error.status, form, statusType),
  };
}
