/**
 * The envelope around a protobuf object: four magic bytes and a runtime.Unknown.
 *
 * Shapes  "k8s\0" then { typeMeta = 1 { apiVersion = 1, kind = 2 }, raw = 2, contentEncoding =
 *         3, contentType = 4 }
 * Errors  ProtobufError with upstream's texts
 * Source  k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go,
 *         pkg/runtime/generated.proto
 */
import { ProtobufError, ProtoReader } from "./proto-reader.ts";

export interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
  contentType: string;
  contentEncoding: string;
}

export const protobufMagic: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

export function isEnvelope(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 &&
    bytes[0] === 0x6b &&
    bytes[1] === 0x38 &&
    bytes[2] === 0x73 &&
    bytes[3] === 0x00
  );
}

/** @throws ProtobufError */
export function readEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (!isEnvelope(bytes)) {
    throw new ProtobufError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  if (bytes.length === 4) throw new ProtobufError("empty body");
  const envelope: Envelope = {
    apiVersion: "",
    kind: "",
    raw: new Uint8Array(),
    contentType: "",
    contentEncoding: "",
  };
  const reader = new ProtoReader(bytes, 4);
  while (!reader.atEnd) {
    const tag = reader.varint32();
    switch (tag >>> 3) {
      case 1:
        readTypeMeta(reader.message(), envelope);
        break;
      case 2:
        envelope.raw = reader.bytes();
        break;
      case 3:
        envelope.contentEncoding = reader.string();
        break;
      case 4:
        envelope.contentType = reader.string();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return envelope;
}

function readTypeMeta(reader: ProtoReader, envelope: Envelope): void {
  while (!reader.atEnd) {
    const tag = reader.varint32();
    if (tag >>> 3 === 1) envelope.apiVersion = reader.string();
    else if (tag >>> 3 === 2) envelope.kind = reader.string();
    else reader.skip(tag & 7);
  }
}
