/**
 * Protobuf bytes, read field by field.
 *
 * Errors  ProtobufError  with the texts of upstream's generated code ("unexpected EOF", "proto:
 *                        integer overflow")
 */

export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

const decoder = new TextDecoder();
const shortString = 32;

export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtobufError("unexpected EOF");
    return this.#bytes[this.#at++]!;
  }

  /** The low 32 bits of a varint, unsigned. */
  varint32(): number {
    let byte = this.#byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtobufError("proto: integer overflow");
  }

  /** A signed 64-bit varint as a number; beyond 2^53 it is rounded. */
  int64(): number {
    return this.#varint64(true);
  }

  uint64(): number {
    return this.#varint64(false);
  }

  #varint64(signed: boolean): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else high += bits * 2 ** (shift - 28);
      if (byte < 0x80) return join(low, high, signed);
    }
    throw new ProtobufError("proto: integer overflow");
  }

  double(): number {
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  /** Moves past `n` bytes and says where they begin. */
  #take(n: number): number {
    const at = this.#at;
    if (n > this.#end - at) throw new ProtobufError("unexpected EOF");
    this.#at = at + n;
    return at;
  }

  /** A length-delimited field: a view, no copy. */
  bytes(): Uint8Array {
    const length = this.varint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    const length = this.varint32();
    const at = this.#take(length);
    if (length <= shortString) {
      let text = "";
      let i = at;
      for (; i < this.#at; i++) {
        const code = this.#bytes[i]!;
        if (code > 0x7f) break;
        text += String.fromCharCode(code);
      }
      if (i === this.#at) return text;
    }
    return decoder.decode(this.#bytes.subarray(at, at + length));
  }

  /** A reader of the message that comes next. */
  message(): ProtoReader {
    const length = this.varint32();
    const at = this.#take(length);
    return new ProtoReader(this.#bytes, at, at + length);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint32();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.#take(this.varint32());
    else if (wireType === 5) this.#take(4);
    else throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  }
}

/** 28 low bits and the rest above them, as one number. */
function join(low: number, high: number, signed: boolean): number {
  const top = 2 ** 35;
  if (signed && high >= top) {
    // Two's complement, exact for small magnitudes: negate the complement.
    const inverseHigh = 2 ** 36 - 1 - (high % 2 ** 36);
    const inverseLow = 2 ** 28 - 1 - low;
    return -(inverseHigh * 2 ** 28 + inverseLow + 1);
  }
  return (high % 2 ** 36) * 2 ** 28 + low;
}
