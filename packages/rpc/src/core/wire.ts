/**
 * Protobuf's wire format, both ways, over one growing buffer.
 *
 * The writer writes BACKWARDS, from the end of its buffer to the front: when a nested message is
 * done its length is known, so that no size pass and no moving of bytes is needed.
 *
 * Units   int64 as number: beyond ±2^53 a decoded value is the nearest double (still "huge"), and
 *         an encoded one is clamped to the type's range; a fraction is refused.
 * Errors  WireError, in the words of Go's generated code ("unexpected EOF", "proto: …")
 * Source  protobuf encoding guide; gogo/protobuf generated Unmarshal
 */
import { writeEscaped } from "./utf8.ts";

export class WireError extends Error {
  override readonly name = "WireError";
}

const two32 = 4294967296;

export class Writer {
  bytes: Buffer = Buffer.allocUnsafeSlow(16384);
  /** Everything from here to the end of `bytes` is written. */
  position = 16384;
  #lastHalves = { value: 0n, low: 0, high: 0 };
  #otherHalves = { value: 0n, low: 0, high: 0 };

  reset(): void {
    // A single huge message must not keep its memory for ever.
    if (this.bytes.length > 4 << 20) this.bytes = Buffer.allocUnsafeSlow(16384);
    this.position = this.bytes.length;
  }

  reserve(count: number): void {
    if (this.position >= count) return;
    const used = this.bytes.length - this.position;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, used + count));
    this.bytes.copy(grown, grown.length - used, this.position);
    this.position = grown.length - used;
    this.bytes = grown;
  }

  /** A copy of what was written, which the caller owns. */
  take(): Buffer {
    const out = Buffer.allocUnsafe(this.bytes.length - this.position);
    this.bytes.copy(out, 0, this.position);
    return out;
  }

  /** Gives its buffer away, with what was written from `position` on, and begins another. */
  surrender(): { readonly bytes: Buffer; readonly position: number } {
    const { bytes, position } = this;
    this.bytes = Buffer.allocUnsafeSlow(16384);
    this.position = this.bytes.length;
    return { bytes, position };
  }

  uint32(value: number): void {
    this.reserve(5);
    let size = 1;
    for (let v = value >>> 7; v !== 0; v >>>= 7) size++;
    this.position -= size;
    let at = this.position;
    let v = value >>> 0;
    while (v > 127) {
      this.bytes[at++] = (v & 127) | 128;
      v >>>= 7;
    }
    this.bytes[at] = v;
  }

  /** 64 bits given as two unsigned halves. */
  varint64(low: number, high: number): void {
    if (high === 0) {
      this.uint32(low);
      return;
    }
    this.reserve(10);
    let lo = low;
    let hi = high;
    let size = 0;
    const scratch = varintScratch;
    while (hi !== 0 || lo > 127) {
      scratch[size++] = (lo & 127) | 128;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    scratch[size++] = lo;
    this.position -= size;
    for (let i = 0; i < size; i++) this.bytes[this.position + i] = scratch[i]!;
  }

  int64(value: number): void {
    if (Number.isSafeInteger(value)) this.#safeInteger(value);
    else this.bigint(integerToBigInt(value, -(2n ** 63n), 2n ** 63n - 1n));
  }

  uint64(value: number): void {
    if (value >= 0 && Number.isSafeInteger(value)) this.#safeInteger(value);
    else this.bigint(integerToBigInt(value, 0n, 2n ** 64n - 1n));
  }

  #safeInteger(value: number): void {
    const high = Math.floor(value / two32);
    this.varint64((value - high * two32) >>> 0, high >>> 0);
  }

  /** Identities come again and again, two a header: taking one apart costs more than writing it. */
  bigint(value: bigint): void {
    let halves = this.#lastHalves;
    if (halves.value !== value) {
      [this.#lastHalves, this.#otherHalves] = [this.#otherHalves, halves];
      halves = this.#lastHalves;
      if (halves.value !== value) {
        const bits = BigInt.asUintN(64, value);
        halves = { value, low: Number(bits & 0xffffffffn), high: Number(bits >> 32n) };
        this.#lastHalves = halves;
      }
    }
    this.varint64(halves.low, halves.high);
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.reserve(size);
    this.position -= size;
    if (size === value.length && size < 24) {
      for (let i = 0; i < size; i++) this.bytes[this.position + i] = value.charCodeAt(i);
    } else if (size > value.length && !value.isWellFormed()) {
      this.position += size;
      const escaped = writeEscaped(value);
      this.raw(escaped);
      this.uint32(escaped.length);
      return;
    } else {
      this.bytes.write(value, this.position, size, "utf8");
    }
    this.uint32(size);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.position -= value.length;
    this.bytes.set(value, this.position);
  }

  copy(bytes: Buffer, from: number, to: number): void {
    this.reserve(to - from);
    this.position -= to - from;
    bytes.copy(this.bytes, this.position, from, to);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[--this.position] = value;
  }
}

const varintScratch = new Uint8Array(10);

function integerToBigInt(value: number, least: bigint, most: bigint): bigint {
  if (Number.isNaN(value) || (Number.isFinite(value) && !Number.isInteger(value))) {
    throw new WireError(`proto: ${value} is not an integer`);
  }
  if (!Number.isFinite(value)) return value > 0 ? most : least;
  const exact = BigInt(value);
  return exact > most ? most : exact < least ? least : exact;
}

const fieldNumberMax = 2 ** 29 - 1;

export class Reader {
  readonly bytes: Buffer;
  position: number;
  /** The halves of the last varint64 read. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = 0;
  }

  /** Low 32 bits of a varint; longer ones are cut, as protobuf says for int32. */
  uint32(end: number): number {
    const first = this.bytes[this.position]!;
    if (this.position < end && first < 128) {
      this.position++;
      return first;
    }
    this.varint64(end);
    return this.low;
  }

  /** A field's number and wire type; numbers that no field can have are one that none has. */
  tag(end: number): number {
    const first = this.bytes[this.position]!;
    if (this.position < end && first < 128) {
      this.position++;
      return first;
    }
    this.varint64(end);
    if (this.high === 0) return this.low;
    const number = (this.high << 29) | (this.low >>> 3);
    if (number <= 0)
      throw new WireError(`proto: illegal tag ${number} (wire type ${this.low & 7})`);
    return ((fieldNumberMax << 3) | (this.low & 7)) >>> 0;
  }

  varint64(end: number): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= end) throw new WireError("unexpected EOF");
      const byte = this.bytes[this.position++]!;
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift === 28) {
        low |= (byte & 127) << 28;
        high = (byte & 127) >>> 4;
      } else high |= (byte & 127) << (shift - 32);
      if (byte < 128) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new WireError("proto: integer overflow");
  }

  int64(end: number): number {
    this.varint64(end);
    return (this.high | 0) * two32 + this.low;
  }

  uint64(end: number): number {
    this.varint64(end);
    return this.high * two32 + this.low;
  }

  bigint(end: number, signed: boolean): bigint {
    this.varint64(end);
    if (this.high === 0) return BigInt(this.low);
    const bits = (BigInt(this.high) << 32n) | BigInt(this.low);
    return signed ? BigInt.asIntN(64, bits) : bits;
  }

  /** Reads a length and checks that so many bytes are there. */
  length(end: number): number {
    this.varint64(end);
    if (this.high !== 0) throw new WireError("proto: negative length found during unmarshaling");
    if (this.low > end - this.position) throw new WireError("unexpected EOF");
    return this.low;
  }

  take(count: number, end: number): number {
    if (count > end - this.position) throw new WireError("unexpected EOF");
    const at = this.position;
    this.position += count;
    return at;
  }

  skip(tag: number, end: number, depth = 0): void {
    switch (tag & 7) {
      case 0:
        this.varint64(end);
        return;
      case 1:
        this.take(8, end);
        return;
      case 2:
        this.take(this.length(end), end);
        return;
      case 3:
        this.#skipGroup(end, depth);
        return;
      case 5:
        this.take(4, end);
        return;
      case 4:
        throw new WireError("proto: unexpected end of group");
      default:
        throw new WireError(`proto: illegal wireType ${tag & 7}`);
    }
  }

  /** As gogo-proto skips what it does not know: any end of a group ends this one. */
  #skipGroup(end: number, depth: number): void {
    if (depth > 100) throw new WireError("proto: groups nested too deeply");
    for (;;) {
      const tag = this.tag(end);
      if ((tag & 7) === 4) return;
      this.skip(tag, end, depth + 1);
    }
  }
}
