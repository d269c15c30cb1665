/**
 * One event of a watch as it goes over the wire.
 *
 * Shapes  JSON      {"type":…,"object":…} and a line's end
 *         protobuf  WatchEvent { type = 1; RawExtension { raw = 1 } object = 2 } behind
 *                   its length in four bytes
 * Source  apimachinery pkg/apis/meta/v1/generated.proto, pkg/util/framer
 */
import type { WireFormat } from "../wire/negotiation.ts";
import { join } from "./list-body.ts";

const encoder = new TextEncoder();

export function watchFrame(format: WireFormat, type: string, object: Uint8Array): Uint8Array {
  if (format !== "protobuf") {
    return join([encoder.encode(`{"type":"${type}","object":`), object, encoder.encode("}\n")]);
  }
  const name = encoder.encode(type);
  const raw = lengthDelimited(0x0a, object);
  const message = join([lengthDelimited(0x0a, name), lengthDelimited(0x12, raw)]);
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, message.length);
  return join([size, message]);
}

function lengthDelimited(tag: number, bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  while (rest >= 0x80) {
    length.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  length.push(rest);
  return join([Uint8Array.from([tag, ...length]), bytes]);
}
