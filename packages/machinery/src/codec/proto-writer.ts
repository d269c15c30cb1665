/**
 * Protobuf written from the end to the front: a message's length is known when its head is
 * written, so that nothing is measured beforehand and nothing moved afterwards.
 *
 * The writer is one growing buffer, used again for each message; `take()` copies the message out.
 */

const encoder = new TextEncoder();
const initialBytes = 64 * 1024;
/** A buffer that one huge object has blown up is not kept. */
const keptBytes = 4 * 1024 * 1024;
/** Below this a loop over characters beats the platform's encoder. */
const shortString = 64;

export class ProtoWriter {
  #buffer = new Uint8Array(initialBytes);
  /** The first byte written; free space lies before it. */
  #at = initialBytes;

  /** Bytes written so far: the difference of two readings is a message's length. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  reset(): void {
    if (this.#buffer.length > keptBytes) this.#buffer = new Uint8Array(initialBytes);
    this.#at = this.#buffer.length;
  }

  take(): Uint8Array {
    return this.#buffer.slice(this.#at);
  }

  byte(value: number): void {
    if (this.#at === 0) this.#grow(1);
    this.#buffer[--this.#at] = value;
  }

  bytes(data: Uint8Array): void {
    if (data.length > this.#at) this.#grow(data.length);
    this.#at -= data.length;
    this.#buffer.set(data, this.#at);
  }

  /** A whole number as a varint; a negative one takes ten bytes (two's complement). */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.byte(value);
      return;
    }
    if (this.#at < 10) this.#grow(10);
    if (value >= 0 && value < 0x80000000) {
      this.#varint32(value);
      return;
    }
    this.#varint64(value);
  }

  #varint32(value: number): void {
    let size = 1;
    for (let rest = value >>> 7; rest !== 0; rest >>>= 7) size++;
    this.#at -= size;
    let at = this.#at;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80;
    this.#buffer[at] = rest;
  }

  #varint64(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const groups: number[] = [];
    do {
      groups.push(Number(rest & 0x7fn));
      rest >>= 7n;
    } while (rest > 0n);
    this.#at -= groups.length;
    for (let i = 0; i < groups.length; i++) {
      this.#buffer[this.#at + i] = groups[i]! | (i < groups.length - 1 ? 0x80 : 0);
    }
  }

  /** Eight bytes, little endian. */
  double(value: number): void {
    if (this.#at < 8) this.#grow(8);
    this.#at -= 8;
    const view = new DataView(this.#buffer.buffer, this.#at, 8);
    view.setFloat64(0, value, true);
  }

  /** UTF-8 with its length before it. */
  string(text: string): void {
    const length = text.length;
    if (length * 3 > this.#at) this.#grow(length * 3);
    const end = this.#at;
    if (length > shortString || !this.#ascii(text)) {
      const size = this.#utf8(text, end);
      this.varint(size);
      return;
    }
    this.varint(length);
  }

  #ascii(text: string): boolean {
    const buffer = this.#buffer;
    let at = this.#at;
    for (let i = text.length - 1; i >= 0; i--) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[--at] = code;
    }
    this.#at = at;
    return true;
  }

  /** Encodes at the lower end of the room it may take, then moves it up to where it belongs. */
  #utf8(text: string, end: number): number {
    const low = end - text.length * 3;
    const { written } = encoder.encodeInto(text, this.#buffer.subarray(low, end));
    this.#buffer.copyWithin(end - written, low, low + written);
    this.#at = end - written;
    return written;
  }

  #grow(need: number): void {
    const used = this.length;
    const size = Math.max(this.#buffer.length * 2, used + need + 1024);
    const grown = new Uint8Array(size);
    grown.set(this.#buffer.subarray(this.#at), size - used);
    this.#buffer = grown;
    this.#at = size - used;
  }
}
