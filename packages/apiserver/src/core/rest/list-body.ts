/**
 * A list as bytes: a head with its resourceVersion, the items, a tail.
 *
 * The items are what the cache holds, joined; a long list is encoded in slices, so that other
 * requests are answered meanwhile. Items of a whole list are kept until the resource changes.
 *
 * Shapes  JSON      built-in kinds' items carry no kind and apiVersion, custom ones do
 *         protobuf  every list type is { ListMeta metadata = 1; repeated Item items = 2; }
 * Source  apimachinery pkg/runtime/serializer/json/collections.go, protobuf/collections.go
 */
import { encodeProtobuf } from "@nanokube/machinery";
import type { ListItems, ListRest } from "../cache/kept-lists.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import type { ApiResponse, RestContext, ServedResource, Sink } from "./context.ts";
import { rawProtobuf, servedJSON } from "./object-bytes.ts";

export interface ListMeta {
  resourceVersion: string;
  continue?: string;
  remainingItemCount?: number;
}

const encoder = new TextEncoder();
const sliceMs = 8;
const objectsPerLook = 64;
const longBytes = 64 * 1024;
const brace = encoder.encode("{");
const comma = encoder.encode(",");
const commaBrace = encoder.encode(",{");
const jsonTail = encoder.encode("]}");
/** Behind the raw object of an envelope: no content encoding, no content type. */
const envelopeTail = Uint8Array.of(0x1a, 0x00, 0x22, 0x00);
const envelopeMagic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);
const listMetaType = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/** A list that others may ask for as well: the name of its items, and what comes behind them. */
export interface Keep {
  as: string;
  rest: ListRest | undefined;
  /** Of the cache when the objects were chosen: what changed since is not in them. */
  changedAt: number;
}

/** The items in the form asked for. */
export async function listItems(
  context: RestContext,
  objects: readonly StoredObject[],
  keep?: Keep,
): Promise<ListItems> {
  const { cache } = context.resource;
  const parts: Uint8Array[] = [];
  const add = context.output.format === "protobuf" ? addProtobuf : addJSON;
  const { clock } = context.server;
  let sinceMs = clock.monotonic();
  for (const [index, object] of objects.entries()) {
    add(parts, context.resource, object);
    if (index % objectsPerLook !== 0 || clock.monotonic() - sinceMs < sliceMs) continue;
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 0));
    sinceMs = clock.monotonic();
  }
  const items = { bytes: join(parts), count: objects.length, rest: keep?.rest };
  if (keep !== undefined && cache.changedAt === keep.changedAt) cache.lists.keep(keep.as, items);
  return items;
}

function addJSON(parts: Uint8Array[], resource: ServedResource, object: StoredObject): void {
  const { json, bodyAt } = servedJSON(resource, object);
  const isFirst = parts.length === 0;
  if (resource.custom === undefined) {
    parts.push(isFirst ? brace : commaBrace, json.subarray(bodyAt));
    return;
  }
  if (!isFirst) parts.push(comma);
  parts.push(json);
}

function addProtobuf(parts: Uint8Array[], resource: ServedResource, object: StoredObject): void {
  const raw = rawProtobuf(resource, object);
  parts.push(Uint8Array.of(0x12, ...varint(raw.length)), raw);
}

/** A short list as one piece; a long one is written in three, so that nobody copies its items. */
export function listBody(
  context: RestContext,
  items: ListItems,
  meta: ListMeta,
): Pick<ApiResponse, "body" | "list"> {
  const isProtobuf = context.output.format === "protobuf";
  const head = isProtobuf ? protobufHead(context, items, meta) : jsonHead(context, meta);
  const tail = isProtobuf ? envelopeTail : jsonTail;
  const parts = [head, items.bytes, tail];
  if (items.bytes.length < longBytes) return { body: join(parts) };
  const body = (sink: Sink): void => {
    for (const part of parts) sink.write(part);
    sink.end();
  };
  return { body, list: { head, items, tail } };
}

function jsonHead({ resource }: RestContext, meta: ListMeta): Uint8Array {
  const { kind, listType } = resource.info;
  const head = {
    kind: listKindOf(kind, listType),
    apiVersion: resource.apiVersion,
    metadata: listMetaOf(resource, meta),
  };
  return encoder.encode(`${JSON.stringify(head).slice(0, -1)},"items":[`);
}

function protobufHead({ resource }: RestContext, items: ListItems, meta: ListMeta): Uint8Array {
  const { kind, listType } = resource.info;
  const metadata = encodeProtobuf(listMetaType, orderedMeta(meta));
  const lead = join([Uint8Array.of(0x0a, ...varint(metadata.length)), metadata]);
  const typeMeta = join([
    field(0x0a, encoder.encode(resource.apiVersion)),
    field(0x12, encoder.encode(listKindOf(kind, listType))),
  ]);
  const rawLength = lead.length + items.bytes.length;
  const raw = Uint8Array.of(0x12, ...varint(rawLength));
  return join([envelopeMagic, field(0x0a, typeMeta), raw, lead]);
}

function field(tag: number, bytes: Uint8Array): Uint8Array {
  return join([Uint8Array.of(tag, ...varint(bytes.length)), bytes]);
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

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
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
