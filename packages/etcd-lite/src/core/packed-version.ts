/**
 * A version of a key as it stands in a record: a KeyValue whose parts are read when asked for, and
 * whose encoded form is there already.
 *
 * Numbers are read at once, for every reader needs one of them; key, value and lease are not.
 * Source  etcd v3.6 api/mvccpb/kv.proto; protobuf encoding guide
 */
import type { KeyValue } from "./key-value.ts";
import { recordHeaderBytes } from "./record-arena.ts";

const tag = { key: 0x0a, create: 0x10, mod: 0x18, version: 0x20, value: 0x2a, lease: 0x30 };
const two28 = 2 ** 28;

export class PackedVersion implements KeyValue {
  /** The message is bytes[from, to). */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly sub: number;
  createRevision = 0;
  modRevision = 0;
  version = 0;
  #keyFrom: number;
  #keyTo: number;
  #valueFrom = 0;
  #valueTo = 0;
  #leaseAt = 0;
  #key: string | undefined = undefined;

  /** `sub` stands beside the message. */
  constructor(bytes: Buffer, from: number, to: number, sub: number) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
    this.sub = sub;
    this.#keyFrom = from + 1;
    let size = bytes[this.#keyFrom++]!;
    if (size > 127) {
      // Lengths of keys and values are below 2^28: requests are.
      size &= 127;
      for (let shift = 7; ; shift += 7) {
        const byte = bytes[this.#keyFrom++]!;
        size |= (byte & 127) << shift;
        if (byte < 128) break;
      }
    }
    this.#keyTo = this.#keyFrom + size;
    this.#readFields(this.#keyTo);
  }

  static at(bytes: Buffer, at: number): PackedVersion {
    const from = at + recordHeaderBytes;
    return new PackedVersion(
      bytes,
      from,
      from + bytes.readUInt32LE(at + 4),
      bytes.readUInt32LE(at + 8),
    );
  }

  #readFields(from: number): void {
    const { bytes, to } = this;
    for (let at = from; at < to; ) {
      const field = bytes[at++]!;
      if (field === tag.lease) {
        this.#leaseAt = at;
        return;
      }
      // A varint, up to 53 bits.
      let value = 0;
      let scale = 1;
      for (;;) {
        const byte = bytes[at++]!;
        value += (byte & 127) * scale;
        if (byte < 128) break;
        scale *= 128;
      }
      if (field === tag.value) {
        this.#valueFrom = at;
        at += value;
        this.#valueTo = at;
      } else if (field === tag.mod) this.modRevision = value;
      else if (field === tag.create) this.createRevision = value;
      else if (field === tag.version) this.version = value;
    }
  }

  get key(): string {
    this.#key ??= this.bytes.toString("latin1", this.#keyFrom, this.#keyTo);
    return this.#key;
  }

  /** A view: it stays right, for records are never overwritten while a version is reachable. */
  get value(): Uint8Array {
    return this.bytes.subarray(this.#valueFrom, this.#valueTo);
  }

  get lease(): bigint {
    let value = 0n;
    if (this.#leaseAt === 0) return value;
    let shift = 0n;
    for (let at = this.#leaseAt; ; at++) {
      const byte = this.bytes[at]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
      shift += 7n;
    }
  }
}

const subTag = 0x38;

/** A version to be written down: the message, after its `sub` unless that is 0; maybe a view. */
export function encodeVersion(kv: KeyValue): Buffer {
  const packed = kv instanceof PackedVersion ? kv : undefined;
  if (packed !== undefined && kv.sub === 0) return packed.bytes.subarray(packed.from, packed.to);
  const size = packed === undefined ? messageSize(kv) : packed.to - packed.from;
  const headSize = kv.sub === 0 ? 0 : 1 + varintSize(kv.sub);
  const bytes = Buffer.allocUnsafe(headSize + size);
  if (headSize > 0) {
    bytes[0] = subTag;
    writeVarint(bytes, 1, kv.sub);
  }
  if (packed === undefined) writeMessage(bytes, headSize, kv);
  else packed.bytes.copy(bytes, headSize, packed.from, packed.to);
  return bytes;
}

/** A view on what encodeVersion gave. */
export function decodeVersion(bytes: Buffer): PackedVersion {
  let at = 0;
  let sub = 0;
  if (bytes[0] === subTag) {
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[++at]!;
      sub |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at++;
  }
  return new PackedVersion(bytes, at, bytes.length, sub);
}

export interface VersionContent {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

/** Bytes of the message of a version. */
export function messageSize(v: VersionContent): number {
  const { key, value } = v;
  let size = 1 + varintSize(key.length) + key.length;
  if (v.createRevision > 0) size += 1 + varintSize(v.createRevision);
  size += 1 + varintSize(v.modRevision);
  if (v.version > 0) size += 1 + varintSize(v.version);
  if (value.length > 0) size += 1 + varintSize(value.length) + value.length;
  if (v.lease !== 0n) size += 1 + leaseSize(v.lease);
  return size;
}

/** Writes the message and gives its end. */
export function writeMessage(bytes: Buffer, from: number, v: VersionContent): number {
  let at = from;
  bytes[at++] = tag.key;
  at = writeVarint(bytes, at, v.key.length);
  at += bytes.write(v.key, at, "latin1");
  if (v.createRevision > 0) {
    bytes[at++] = tag.create;
    at = writeVarint(bytes, at, v.createRevision);
  }
  bytes[at++] = tag.mod;
  at = writeVarint(bytes, at, v.modRevision);
  if (v.version > 0) {
    bytes[at++] = tag.version;
    at = writeVarint(bytes, at, v.version);
  }
  if (v.value.length > 0) {
    bytes[at++] = tag.value;
    at = writeVarint(bytes, at, v.value.length);
    bytes.set(v.value, at);
    at += v.value.length;
  }
  if (v.lease !== 0n) {
    bytes[at++] = tag.lease;
    let rest = BigInt.asUintN(64, v.lease);
    for (; rest > 127n; rest >>= 7n) bytes[at++] = Number(rest & 127n) | 128;
    bytes[at++] = Number(rest);
  }
  return at;
}

export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

function leaseSize(lease: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, lease); rest > 127n; rest >>= 7n) size++;
  return size;
}

export function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= two28; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}
