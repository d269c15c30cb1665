/**
 * Writes protobuf's wire format into one growing buffer.
 *
 * A nested message is written in place, and moved by the length of its length when that is known:
 * no message is built twice.
 *
 * Shapes  tag = field number << 3 | wire type (0 varint, 1 eight bytes, 2 counted bytes)
 * Units   positions and sizes in bytes
 */
const encoder = new TextEncoder();

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

export class ProtoWriter {
  #buffer = new Uint8Array(64 * 1024);
  #end = 0;

  #reserve(sizeBytes: number): void {
    if (this.#end + sizeBytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#end + sizeBytes));
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#buffer[this.#end++] = (rest % 0x80) | 0x80;
    }
    this.#buffer[this.#end++] = rest;
  }

  /** A count or a flag: never negative here. */
  integer(field: number, value: number): void {
    this.#varint(field * 8);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#varint(field * 8 + 1);
    this.#reserve(8);
    new DataView(this.#buffer.buffer).setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  text(field: number, value: string): void {
    this.#varint(field * 8 + 2);
    this.#reserve(10 + value.length * 3);
    const sizeBytes = this.#counted(() => {
      const { written } = encoder.encodeInto(value, this.#buffer.subarray(this.#end));
      this.#end += written;
    });
    this.#end = sizeBytes;
  }

  message(field: number, write: () => void): void {
    this.#varint(field * 8 + 2);
    this.#end = this.#counted(write);
  }

  /** Runs `write`, puts the size of what it wrote before it, returns where that ends. */
  #counted(write: () => void): number {
    const start = this.#end;
    this.#end += 1; // Most messages are shorter than 128 bytes: their size takes one byte.
    this.#reserve(0);
    write();
    const size = this.#end - start - 1;
    const shift = varintSize(size) - 1;
    if (shift > 0) {
      this.#reserve(shift);
      this.#buffer.copyWithin(start + 1 + shift, start + 1, start + 1 + size);
    }
    this.#end = start;
    this.#varint(size);
    return this.#end + size;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#end);
  }
}
