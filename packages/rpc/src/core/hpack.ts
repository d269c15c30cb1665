/**
 * HPACK: header blocks into header fields, and the few blocks that a gRPC server sends.
 *
 * A client sends the same block of indexes call after call. A block that only points into the
 * tables means the same until the dynamic table changes, so its decoded form is kept and shared;
 * finding it costs one look-up. `memo` is for the layer above: what it made of that block.
 *
 * Limits  integers below 2^28; a list counts 32 bytes a field beside its texts
 * Errors  Http2Fault COMPRESSION_ERROR; a list above the limit is decoded to its end (the tables
 *         must stay right) and marked `isTooLarge`
 * Source  RFC 7541
 */
import { type HeaderField, staticFields } from "./hpack-static.ts";
import { Http2Fault, http2Error } from "./http2-codes.ts";
import { decodeHuffman } from "./huffman.ts";

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  readonly isTooLarge: boolean;
  memo: unknown;
}

const entryOverheadBytes = 32;
const cachedBlocksMax = 256;

export class HpackDecoder {
  readonly #listMaxBytes: number;
  readonly #tableMaxBytes: number;
  /** Newest last. */
  #dynamic: HeaderField[] = [];
  #dynamicBytes = 0;
  #limitBytes: number;
  #cache = new Map<string, HeaderBlock>();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  constructor(listMaxBytes: number, tableMaxBytes = 4096) {
    this.#listMaxBytes = listMaxBytes;
    this.#tableMaxBytes = tableMaxBytes;
    this.#limitBytes = tableMaxBytes;
  }

  decode(bytes: Buffer, from: number, to: number): HeaderBlock {
    const key = to - from <= 64 ? bytes.toString("latin1", from, to) : undefined;
    const known = key === undefined ? undefined : this.#cache.get(key);
    if (known !== undefined) return known;
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    const fields: HeaderField[] = [];
    let sizeBytes = 0;
    let isPure = true;
    while (this.#at < to) {
      const first = bytes[this.#at]!;
      if (first >= 0x80) {
        fields.push(this.#field(this.#integer(7)));
      } else {
        isPure = false;
        if (first >= 0x40) fields.push(this.#insert(this.#literal(6)));
        else if (first >= 0x20) {
          if (fields.length > 0) throw broken("a table size update after a field");
          this.#resize(this.#integer(5));
          continue;
        } else fields.push(this.#literal(4));
      }
      sizeBytes += fieldBytes(fields.at(-1)!);
      // Beyond the limit fields are read for the table's sake only.
      if (sizeBytes > this.#listMaxBytes) fields.length = 0;
    }
    const block = { fields, isTooLarge: sizeBytes > this.#listMaxBytes, memo: undefined };
    if (isPure && key !== undefined && this.#cache.size < cachedBlocksMax) {
      this.#cache.set(key, block);
    }
    return block;
  }

  #field(index: number): HeaderField {
    if (index === 0) throw broken("index 0");
    const field =
      index <= staticFields.length
        ? staticFields[index - 1]
        : this.#dynamic[this.#dynamic.length - (index - staticFields.length)];
    if (field === undefined) throw broken(`no field has index ${index}`);
    return field;
  }

  #literal(prefixBits: number): HeaderField {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#text() : this.#field(index).name;
    return { name, value: this.#text() };
  }

  #integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw broken("an integer is too large");
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken("the block is cut off");
    return this.#bytes[this.#at++]!;
  }

  #text(): string {
    const isHuffman = this.#at < this.#end && this.#bytes[this.#at]! >= 0x80;
    const size = this.#integer(7);
    const from = this.#at;
    if (size > this.#end - from) throw broken("the block is cut off");
    this.#at += size;
    if (!isHuffman) return this.#bytes.toString("latin1", from, this.#at);
    const text = decodeHuffman(this.#bytes, from, this.#at);
    if (text === undefined) throw broken("a text is no Huffman code");
    return text;
  }

  #insert(field: HeaderField): HeaderField {
    this.#changed();
    this.#dynamic.push(field);
    this.#dynamicBytes += fieldBytes(field);
    this.#evict();
    return field;
  }

  #resize(sizeBytes: number): void {
    if (sizeBytes > this.#tableMaxBytes) throw broken("a table larger than allowed");
    this.#changed();
    this.#limitBytes = sizeBytes;
    this.#evict();
  }

  #evict(): void {
    let count = 0;
    while (this.#dynamicBytes > this.#limitBytes) {
      this.#dynamicBytes -= fieldBytes(this.#dynamic[count++]!);
    }
    if (count > 0) this.#dynamic.splice(0, count);
  }

  #changed(): void {
    if (this.#cache.size > 0) this.#cache.clear();
  }
}

/** What a field counts in a table. */
export function fieldBytes({ name, value }: HeaderField): number {
  return name.length + value.length + entryOverheadBytes;
}

function broken(why: string): Http2Fault {
  return new Http2Fault(http2Error.compression, `hpack: ${why}`);
}

/** A block of literals that leaves the tables alone: right at any time, on any connection. */
export function encodeLiterals(fields: Iterable<readonly [string, string]>): Buffer {
  const parts: number[] = [];
  for (const [name, value] of fields) {
    const indexed = name === ":status" ? staticStatus.get(value) : undefined;
    if (indexed !== undefined) {
      parts.push(0x80 | indexed);
      continue;
    }
    const index = staticNames.get(name) ?? 0;
    pushInteger(parts, index, { prefixBits: 4, flags: 0 });
    if (index === 0) pushText(parts, name);
    pushText(parts, value);
  }
  return Buffer.from(parts);
}

/** A literal that the peer's table takes up. */
export function insertField(parts: number[], name: string, value: string): void {
  const index = staticNames.get(name) ?? 0;
  pushInteger(parts, index, { prefixBits: 6, flags: 0x40 });
  if (index === 0) pushText(parts, name);
  pushText(parts, value);
}

const staticNames = new Map(staticFields.map(({ name }, i) => [name, i + 1] as const).reverse());
const staticStatus = new Map(
  staticFields.flatMap(({ name, value }, i) => (name === ":status" ? [[value, i + 1]] : [])) as [
    string,
    number,
  ][],
);

export function pushInteger(
  parts: number[],
  value: number,
  { prefixBits, flags }: { prefixBits: number; flags: number },
): void {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    parts.push(flags | value);
    return;
  }
  parts.push(flags | most);
  let rest = value - most;
  for (; rest > 127; rest = Math.floor(rest / 128)) parts.push((rest & 127) | 128);
  parts.push(rest);
}

function pushText(parts: number[], text: string): void {
  const bytes = Buffer.from(text, "latin1");
  pushInteger(parts, bytes.length, { prefixBits: 7, flags: 0 });
  for (const byte of bytes) parts.push(byte);
}
