/**
 * One cached object's bytes in the form a caller asks for, made once a version where that is not
 * the form it is stored in.
 */
import { decodeEnvelope, encodeEnvelope, encodeProtobuf } from "@nanokube/machinery";
import type { StoredObject } from "../cache/stored-object.ts";
import { encodeServed } from "../storage/canonical.ts";
import type { ServedResource } from "./context.ts";

export function objectBytes(
  resource: ServedResource,
  stored: StoredObject,
  format: "json" | "protobuf",
): Uint8Array {
  if (format === "json") return servedJSON(resource, stored).json;
  const name = `protobuf ${resource.apiVersion}`;
  return resource.cache.encodings.get(stored, name, () => {
    const tree = resource.fromStorage(stored.readonlyTree());
    const raw = encodeProtobuf(resource.typeName!, tree);
    return encodeEnvelope(resource.apiVersion, resource.info.kind, raw);
  });
}

/** The object without its envelope, as lists have it: a part of the bytes that are kept. */
export function rawProtobuf(resource: ServedResource, stored: StoredObject): Uint8Array {
  return decodeEnvelope(objectBytes(resource, stored, "protobuf")).raw;
}

export interface ServedJSON {
  json: Uint8Array;
  /** Where a list item begins: behind kind and apiVersion. */
  bodyAt: number;
}

export function servedJSON(resource: ServedResource, stored: StoredObject): ServedJSON {
  const { layout } = stored;
  if (layout.apiVersion === resource.apiVersion)
    return { json: stored.json, bodyAt: layout.bodyAt };
  const json = resource.cache.encodings.get(stored, `json ${resource.apiVersion}`, () =>
    encodeServed(resource.fromStorage(stored.tree()), stored.revision),
  );
  const lead = `{"kind":"${resource.info.kind}","apiVersion":"${resource.apiVersion}",`;
  return { json, bodyAt: lead.length };
}
