/**
 * A slab of records that left memory; what chains need of each record stays.
 *
 *     heads   three words a record, in the order of records
 *             0  offset / 8 (17 bits), tombstone (1 bit), revision / 2^32 (14 bits)
 *             1  reference of the version of this key before it
 *             2  revision mod 2^32
 *
 * Looking for the version of a revision, and compaction, thereby read no record.
 */
import { PackedVersion } from "./packed-version.ts";
import { type ColdSlab, recordSize, type StoredBytes } from "./record-arena.ts";

const wordsPerHead = 3;
const offsetMask = 2 ** 17 - 1;
const tombstoneBit = 2 ** 17;
const highFactor = 2 ** 18;
const two32 = 2 ** 32;

export class SlabHeads implements ColdSlab {
  readonly #stored: StoredBytes;
  readonly #heads: Uint32Array;
  readonly #endBytes: number;

  constructor(bytes: Buffer, stored: StoredBytes) {
    this.#stored = stored;
    this.#endBytes = bytes.length;
    const words: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { modRevision, version } = PackedVersion.at(bytes, at);
      const high = Math.floor(modRevision / two32) * highFactor;
      const flag = version === 0 ? tombstoneBit : 0;
      words.push(at / 8 + flag + high, bytes.readUInt32LE(at), modRevision % two32);
      at += recordSize(bytes.readUInt32LE(at + 4));
    }
    this.#heads = Uint32Array.from(words);
  }

  /** Where the words of the record at this offset begin. */
  #find(at: number): number {
    const offset = at / 8;
    let low = 0;
    let high = this.#heads.length / wordsPerHead - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#heads[middle * wordsPerHead]! & offsetMask) < offset) low = middle + 1;
      else high = middle;
    }
    return low * wordsPerHead;
  }

  before(at: number): number {
    return this.#heads[this.#find(at) + 1]!;
  }

  setBefore(at: number, before: number): void {
    this.#heads[this.#find(at) + 1] = before;
  }

  revision(at: number): number {
    const found = this.#find(at);
    return Math.floor(this.#heads[found]! / highFactor) * two32 + this.#heads[found + 2]!;
  }

  isTombstone(at: number): boolean {
    return (this.#heads[this.#find(at)]! & tombstoneBit) !== 0;
  }

  recordBytes(at: number): number {
    const next = this.#find(at) + wordsPerHead;
    const end = next < this.#heads.length ? (this.#heads[next]! & offsetMask) * 8 : this.#endBytes;
    return end - at;
  }

  record(at: number): Buffer {
    return this.#stored.read(at, this.recordBytes(at));
  }
}
