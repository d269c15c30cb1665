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
  type KubeObject,
  type StatusError,
} from "@nanokube/machinery";
import type { StoredObject } from "../cache/stored-object.ts";
import { encodeServed } from "../storage/canonical.ts";
import { type MediaType, mediaTypes } from "../wire/negotiation.ts";
import type { ApiResponse, RestContext, ServedResource } from "./context.ts";
import { partialMetadata, partialMetadataList } from "./partial-metadata.ts";
import { tableOf } from "./table.ts";

const encoder = new TextEncoder();

export function respondWithStored(
  context: RestContext,
  status: number,
  stored: StoredObject,
): ApiResponse {
  const { output, resource } = context;
  if (output.as !== "" || output.pretty || output.format === "yaml") {
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
    const listMeta = { resourceVersion: tree.metadata?.resourceVersion ?? "" };
    return answer(context, status, encodeTree(tableOf(context, rows, listMeta), output, undefined));
  }
  if (output.as === "PartialObjectMetadata") {
    const partial = partialMetadata(tree, output.asVersion);
    const partialType = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata";
    return answer(context, status, encodeTree(partial, output, partialType));
  }
  return answer(context, status, encodeTree(tree, output, typeName));
}

export interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

export function respondWithList(
  context: RestContext,
  objects: readonly StoredObject[],
  listMeta: ListMeta,
): ApiResponse {
  const { output, resource } = context;
  if (output.as === "Table") {
    const rows = objects.map((object) => ({
      tree: resource.fromStorage(object.tree()),
      bytes: object.json,
    }));
    return answer(context, 200, encodeTree(tableOf(context, rows, listMeta), output, undefined));
  }
  if (output.as === "PartialObjectMetadata" || output.as === "PartialObjectMetadataList") {
    const trees = objects.map((object) => resource.fromStorage(object.tree()));
    const list = partialMetadataList(trees, listMeta, output.asVersion);
    const type = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList";
    return answer(context, 200, encodeTree(list, output, type));
  }
  const bytes =
    output.format === "protobuf"
      ? protobufList(resource, objects, listMeta)
      : jsonList(resource, objects, listMeta);
  if (!output.pretty && output.format !== "yaml") return answer(context, 200, bytes);
  const tree = JSON.parse(new TextDecoder().decode(bytes)) as KubeObject;
  return answer(context, 200, encodeTree(tree, output, undefined));
}

/** One object's bytes in the version served here, kept with the cached version. */
export function objectBytes(
  resource: ServedResource,
  stored: StoredObject,
  format: "json" | "protobuf",
): Uint8Array {
  if (format === "json") return servedJSON(resource, stored).json;
  return stored.encoding(`protobuf ${resource.apiVersion}`, () =>
    encodeEnvelope(resource.apiVersion, resource.info.kind, rawProtobuf(resource, stored)),
  );
}

interface ServedJSON {
  json: Uint8Array;
  /** Where a list item begins: behind kind and apiVersion. */
  bodyAt: number;
}

function servedJSON(resource: ServedResource, stored: StoredObject): ServedJSON {
  const { layout } = stored;
  if (layout.apiVersion === resource.apiVersion)
    return { json: stored.json, bodyAt: layout.bodyAt };
  const json = stored.encoding(`json ${resource.apiVersion}`, () =>
    encodeServed(resource.fromStorage(stored.tree()), stored.revision),
  );
  const lead = `{"kind":"${resource.info.kind}","apiVersion":"${resource.apiVersion}",`;
  return { json, bodyAt: lead.length };
}

function rawProtobuf(resource: ServedResource, stored: StoredObject): Uint8Array {
  return stored.encoding(`raw ${resource.apiVersion}`, () =>
    encodeProtobuf(resource.typeName!, resource.fromStorage(stored.tree())),
  );
}

/** Items of built-in kinds carry no kind and apiVersion, custom ones do, as upstream's. */
function jsonList(
  resource: ServedResource,
  objects: readonly StoredObject[],
  listMeta: ListMeta,
): Uint8Array {
  const { kind, listType } = resource.info;
  const listKind = listKindOf(kind, listType);
  const head = {
    kind: listKind,
    apiVersion: resource.apiVersion,
    metadata: listMetaOf(resource, listMeta),
  };
  const parts: Uint8Array[] = [encoder.encode(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  const open = encoder.encode("{");
  const next = encoder.encode(",{");
  const comma = encoder.encode(",");
  for (const [index, object] of objects.entries()) {
    const { json, bodyAt } = servedJSON(resource, object);
    if (resource.custom === undefined) {
      parts.push(index === 0 ? open : next, json.subarray(bodyAt));
    } else {
      if (index > 0) parts.push(comma);
      parts.push(json);
    }
  }
  parts.push(encoder.encode("]}"));
  return join(parts);
}

export function listKindOf(kind: string, listType: string | undefined): string {
  return listType === undefined ? `${kind}List` : listType.slice(listType.lastIndexOf(".") + 1);
}

/** The list of a custom kind always has `continue`, for its Go type is a map. */
function listMetaOf({ custom }: ServedResource, meta: ListMeta): ListMeta {
  const ordered = orderedMeta(meta);
  return custom === undefined ? ordered : { continue: "", ...ordered };
}

function orderedMeta(meta: ListMeta): ListMeta {
  const ordered: ListMeta = { resourceVersion: meta.resourceVersion };
  if (meta.continue) ordered.continue = meta.continue;
  if (meta.remainingItemCount !== undefined) ordered.remainingItemCount = meta.remainingItemCount;
  return ordered;
}

/** List types are { ListMeta metadata = 1; repeated Item items = 2; } without exception. */
function protobufList(
  resource: ServedResource,
  objects: readonly StoredObject[],
  listMeta: ListMeta,
): Uint8Array {
  const meta = encodeProtobuf(
    "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
    orderedMeta(listMeta),
  );
  const parts: Uint8Array[] = [Uint8Array.of(0x0a), varint(meta.length), meta];
  for (const object of objects) {
    const raw = rawProtobuf(resource, object);
    parts.push(Uint8Array.of(0x12), varint(raw.length), raw);
  }
  const listKind = listKindOf(resource.info.kind, resource.info.listType);
  return encodeEnvelope(resource.apiVersion, listKind, join(parts));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
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
