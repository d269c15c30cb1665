/**
 * Whole objects in upstream's protobuf form, as etcd holds them and clients exchange them.
 *
 * Shapes  encodeObject(object)   apiVersion and kind go to the envelope, the rest to the message
 *         decodeObject(bytes)    the other way; kind and apiVersion stand first in the tree
 *         encodeEnvelope         around bytes that are there already
 * Source  k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go
 */
import { typeOf } from "@nanokube/api";
import type { KubeObject } from "../object.ts";
import { protobufMagic } from "./envelope-bytes.ts";
import { writeMessage } from "./proto-encode.ts";
import { ProtobufError } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

const writer = new ProtoWriter();

/** What follows the raw bytes in upstream's envelope: two empty strings. */
function writeTail(): void {
  writer.reset();
  writer.byte(0);
  writer.byte(0x22);
  writer.byte(0);
  writer.byte(0x1a);
}

/** What stands before them. `rawLength` bytes have just been written. */
function writeHead(apiVersion: string, kind: string, rawLength: number): void {
  writer.varint(rawLength);
  writer.byte(0x12);
  const before = writer.length;
  writer.string(kind);
  writer.byte(0x12);
  writer.string(apiVersion);
  writer.byte(0x0a);
  writer.varint(writer.length - before);
  writer.byte(0x0a);
  writer.bytes(protobufMagic);
}

/** Puts the envelope around a message. */
export function encodeEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  writeTail();
  writer.bytes(raw);
  writeHead(apiVersion, kind, raw.length);
  return writer.take();
}

export { type Envelope, isEnvelope, readEnvelope as decodeEnvelope } from "./envelope-bytes.ts";
export { decodeObject } from "./proto-decode.ts";

/** An object with its envelope. The type is found by apiVersion and kind unless it is given. */
export function encodeObject(object: KubeObject, typeName?: string): Uint8Array {
  const apiVersion = object.apiVersion ?? "";
  const kind = object.kind ?? "";
  const type = typeName ?? typeOf(apiVersion, kind);
  if (type === undefined)
    throw new ProtobufError(`no protobuf form of ${apiVersion}, Kind=${kind}`);
  writeTail();
  const before = writer.length;
  writeMessage(writer, type, object);
  writeHead(apiVersion, kind, writer.length - before);
  return writer.take();
}
