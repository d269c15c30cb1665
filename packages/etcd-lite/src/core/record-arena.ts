/**
 * Versions of keys as bytes in slabs, outside of the garbage collector's sight.
 *
 * A version as JavaScript objects costs 600 bytes beside its content, and a million of them make
 * every collection slow. Here it is one record, and a reference to it is one small integer.
 *
 *     record  0  reference of the version of this key before it (u32), 0 for none
 *             4  bytes of the message (u32)
 *             8  place among the changes of its transaction (u32)
 *             12 bytes of the key (u32)
 *             16 mvccpb.KeyValue in protobuf, fields in order; then up to a multiple of 8
 *     reference   slab × 2^17 + offset / 8, so below 2^31
 *
 * What a range answers is thereby encoded already. A slab belongs to one arena: only its owner
 * writes into it. A fork shares all slabs and owns none.
 * Limits  16 GiB of records; then OutOfRoom
 */
export const recordHeaderBytes = 16;

const unitBytes = 8;
const slabShift = 17;
const offsetMask = 2 ** slabShift - 1;
const slabBytesMax = unitBytes * 2 ** slabShift;
const slabBytesMin = 16 * 1024;
const slabsMax = 2 ** 14;

interface Slab {
  readonly bytes: Buffer;
  readonly owner: object;
  usedBytes: number;
}

export interface Place {
  readonly bytes: Buffer;
  /** Where the record begins. */
  readonly at: number;
}

export class RecordArena {
  #owner: object = {};
  #slabs: (Slab | undefined)[] = [undefined];
  /** Of each slab: bytes of records that nobody needs any more. */
  #dead: number[] = [0];
  /** Numbers of slabs that were given back. */
  #free: number[] = [];
  #current = 0;
  #liveBytes = 0;
  #heldBytes = 0;

  /** Of records that are needed. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Of slabs. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  fork(): RecordArena {
    const copy = new RecordArena();
    copy.#slabs = this.#slabs.slice();
    copy.#dead = this.#dead.slice();
    copy.#free = this.#free.slice();
    copy.#liveBytes = this.#liveBytes;
    copy.#heldBytes = this.#heldBytes;
    // Both begin a new slab with their next record.
    this.#owner = {};
    this.#current = 0;
    return copy;
  }

  /** Room for a record with so many bytes of message; what stands there is for the caller. */
  allocate(messageBytes: number): number {
    const size = sizeOf(messageBytes);
    let slab = this.#slabs[this.#current];
    if (slab === undefined || slab.usedBytes + size > slab.bytes.length) {
      slab = this.#newSlab(size);
    }
    const at = slab.usedBytes;
    slab.usedBytes += size;
    this.#liveBytes += size;
    return this.#current * 2 ** slabShift + at / unitBytes;
  }

  #newSlab(leastBytes: number): Slab {
    const number = this.#free.pop() ?? this.#slabs.length;
    if (number >= slabsMax) throw new Error("etcd-lite: more than 16 GiB of keys and values");
    // Small stores stay small: a slab is at most a quarter of what is there.
    const usual = Math.min(Math.max(this.#heldBytes >>> 2, slabBytesMin), slabBytesMax);
    const size = Math.max(usual & ~(unitBytes - 1), leastBytes);
    const slab = { bytes: Buffer.allocUnsafeSlow(size), owner: this.#owner, usedBytes: 0 };
    this.#slabs[number] = slab;
    this.#dead[number] = 0;
    this.#current = number;
    this.#heldBytes += size;
    return slab;
  }

  bytesOf(ref: number): Buffer {
    return this.#slabs[ref >>> slabShift]!.bytes;
  }

  offsetOf(ref: number): number {
    return (ref & offsetMask) * unitBytes;
  }

  before(ref: number): number {
    return this.bytesOf(ref).readUInt32LE(this.offsetOf(ref));
  }

  /** Changes what comes before a version, in place: false when the slab is shared with a fork. */
  setBefore(ref: number, before: number): boolean {
    const slab = this.#slabs[ref >>> slabShift]!;
    if (slab.owner !== this.#owner) return false;
    slab.bytes.writeUInt32LE(before, this.offsetOf(ref));
    return true;
  }

  recordBytes(ref: number): number {
    return sizeOf(this.bytesOf(ref).readUInt32LE(this.offsetOf(ref) + 4));
  }

  /** The record is not needed any more. */
  release(ref: number): void {
    const size = this.recordBytes(ref);
    const number = ref >>> slabShift;
    this.#liveBytes -= size;
    this.#dead[number]! += size;
    if (number !== this.#current && this.#dead[number] === this.#slabs[number]!.usedBytes) {
      this.#giveBack(number);
    }
  }

  #giveBack(number: number): void {
    this.#heldBytes -= this.#slabs[number]!.bytes.length;
    this.#slabs[number] = undefined;
    this.#free.push(number);
  }

  /** The records of full slabs of which most is not needed: move them, and the slabs are free. */
  *scattered(): Iterable<number> {
    for (let number = 1; number < this.#slabs.length; number++) {
      const slab = this.#slabs[number];
      if (slab === undefined || number === this.#current) continue;
      if (this.#dead[number]! * 2 < slab.usedBytes) continue;
      if (this.#dead[number] === slab.usedBytes) this.#giveBack(number);
      else yield* this.#recordsOf(number);
    }
  }

  *#recordsOf(number: number): Iterable<number> {
    const slab = this.#slabs[number]!;
    for (let at = 0; at < slab.usedBytes; ) {
      const size = sizeOf(slab.bytes.readUInt32LE(at + 4));
      yield number * 2 ** slabShift + at / unitBytes;
      at += size;
      // The last record that was needed may have gone meanwhile.
      if (this.#slabs[number] !== slab) return;
    }
  }
}

function sizeOf(messageBytes: number): number {
  return (recordHeaderBytes + messageBytes + unitBytes - 1) & ~(unitBytes - 1);
}
