/**
 * Scalars: per kind its zero value, wire type, and how to read and write it.
 *
 * Bytes are decoded as views on the message (no copy): who keeps them long copies them.
 * Source  protobuf encoding guide
 */
import type { ScalarKind } from "./table.ts";
import { readUTF8 } from "./utf8.ts";
import { type Reader, WireError, type Writer } from "./wire.ts";

export interface Scalar {
  readonly zero: unknown;
  readonly wireType: 0 | 1 | 2 | 5;
  read(reader: Reader, end: number): unknown;
  write(writer: Writer, value: unknown): void;
}

const emptyBytes = Buffer.alloc(0);
const float = Buffer.alloc(8);

const varint = (
  zero: unknown,
  read: (r: Reader, end: number) => unknown,
  write: (w: Writer, v: never) => void,
): Scalar => ({ zero, wireType: 0, read, write: write as (w: Writer, v: unknown) => void });

const zigzag32 = (n: number) => (n >>> 1) ^ -(n & 1);

function fixed(
  wireType: 1 | 5,
  read: (b: Buffer, at: number) => number,
  write: (b: Buffer, v: never) => void,
): Scalar {
  const size = wireType === 1 ? 8 : 4;
  return {
    zero: 0,
    wireType,
    read: (r, end) => read(r.bytes, r.take(size, end)),
    write: (w, v) => {
      write(float, v as never);
      w.raw(float.subarray(0, size));
    },
  };
}

export const scalars: Readonly<Record<ScalarKind, Scalar>> = {
  bool: varint(
    false,
    (r, end) => {
      r.varint64(end);
      return r.low !== 0 || r.high !== 0;
    },
    (w, v: boolean) => w.byte(v ? 1 : 0),
  ),
  string: {
    zero: "",
    wireType: 2,
    read(r, end) {
      const size = r.length(end);
      const at = r.take(size, end);
      return readString(r.bytes, at, size);
    },
    write: (w, v) => w.string(v as string),
  },
  bytes: {
    zero: emptyBytes,
    wireType: 2,
    read(r, end) {
      const size = r.length(end);
      const at = r.take(size, end);
      return size === 0 ? emptyBytes : r.bytes.subarray(at, at + size);
    },
    write(w, v) {
      w.raw(v as Uint8Array);
      w.uint32((v as Uint8Array).length);
    },
  },
  int32: varint(
    0,
    (r, end) => r.uint32(end) | 0,
    (w, v: number) => w.int64(v),
  ),
  uint32: varint(
    0,
    (r, end) => r.uint32(end),
    (w, v: number) => w.uint32(v),
  ),
  sint32: varint(
    0,
    (r, end) => zigzag32(r.uint32(end)),
    (w, v: number) => w.uint32((v << 1) ^ (v >> 31)),
  ),
  int64: varint(
    0,
    (r, end) => r.int64(end),
    (w, v: number) => w.int64(v),
  ),
  uint64: varint(
    0,
    (r, end) => r.uint64(end),
    (w, v: number) => w.uint64(v),
  ),
  sint64: varint(
    0,
    (r, end) => {
      const bits = r.bigint(end, false);
      return Number((bits >> 1n) ^ -(bits & 1n));
    },
    (w, v: number) => w.bigint((BigInt(v) << 1n) ^ (BigInt(v) >> 63n)),
  ),
  "int64!": varint(
    0n,
    (r, end) => r.bigint(end, true),
    (w, v: bigint) => w.bigint(v),
  ),
  "uint64!": varint(
    0n,
    (r, end) => r.bigint(end, false),
    (w, v: bigint) => w.bigint(v),
  ),
  fixed32: fixed(
    5,
    (b, at) => b.readUInt32LE(at),
    (b, v: number) => b.writeUInt32LE(v),
  ),
  sfixed32: fixed(
    5,
    (b, at) => b.readInt32LE(at),
    (b, v: number) => b.writeInt32LE(v),
  ),
  float: fixed(
    5,
    (b, at) => b.readFloatLE(at),
    (b, v: number) => b.writeFloatLE(v),
  ),
  double: fixed(
    1,
    (b, at) => b.readDoubleLE(at),
    (b, v: number) => b.writeDoubleLE(v),
  ),
  fixed64: fixed(
    1,
    (b, at) => Number(b.readBigUInt64LE(at)),
    (b, v: number) => b.writeBigUInt64LE(BigInt(v)),
  ),
  sfixed64: fixed(
    1,
    (b, at) => Number(b.readBigInt64LE(at)),
    (b, v: number) => b.writeBigInt64LE(BigInt(v)),
  ),
};

function readString(bytes: Buffer, at: number, size: number): string {
  if (size > 24) return readUTF8(bytes, at, at + size);
  let text = "";
  for (let i = at; i < at + size; i++) {
    const code = bytes[i]!;
    if (code > 127) return readUTF8(bytes, at, at + size);
    text += String.fromCharCode(code);
  }
  return text;
}

/** Refuses a wire type that the field cannot have, in the words of Go's generated code. */
export function wrongWireType(wireType: number, field: string): WireError {
  return new WireError(`proto: wrong wireType = ${wireType} for field ${field}`);
}
