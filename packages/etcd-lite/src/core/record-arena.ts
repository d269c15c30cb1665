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
 * writes into it. A fork shares all slabs and owns none. Slabs of which most is past (a newer
 * version is there, or nobody needs it) are ripe to leave memory (cold-history.ts).
 * Limits  16 GiB of records; then OutOfRoom
 */
export const recordHeaderBytes = 16;

const unitBytes = 8;
const slabShift = 17;
const offsetMask = 2 ** slabShift - 1;
const slabBytesMax = unitBytes * 2 ** slabShift;
const slabBytesMin = 16 * 1024;
const slabsMax = 2 ** 14;
const ripeShare = 0.75;

/** Somewhere outside of memory, for slabs that are hardly ever read. */
export interface ColdStorage {
  /** So many bytes of ripe slabs stay in memory all the same: the latest. */
  readonly warmBytes: number;
  /** `done` is called now or later, with nothing when there is no room; `bytes` stay as they are. */
  put(bytes: Buffer, done: (stored: StoredBytes | undefined) => void): void;
}

/** Given back when nobody refers to it any more. */
export interface StoredBytes {
  /** Not to be written into. */
  read(at: number, count: number): Buffer;
}

/** A slab that left memory (cold-slab.ts); records by their offset. */
export interface ColdSlab {
  before(at: number): number;
  setBefore(at: number, before: number): void;
  revision(at: number): number;
  isTombstone(at: number): boolean;
  recordBytes(at: number): number;
  record(at: number): Buffer;
}

export interface Slab {
  /** Undefined while it is cold. */
  bytes: Buffer | undefined;
  cold: ColdSlab | undefined;
  readonly sizeBytes: number;
  readonly owner: object;
  usedBytes: number;
}

export interface NumberedSlab {
  readonly number: number;
  readonly slab: Slab;
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
  /** Of each slab: bytes of records that are not the newest of their keys, as far as is known. */
  #past: number[] = [0];
  #ripe: NumberedSlab[] = [];
  #ripeBytes = 0;
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
    copy.#past = this.#past.slice();
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
    const size = recordSize(messageBytes);
    let slab = this.#slabs[this.#current];
    if (slab === undefined || slab.usedBytes + size > slab.sizeBytes) {
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
    const slab: Slab = {
      bytes: Buffer.allocUnsafeSlow(size),
      cold: undefined,
      sizeBytes: size,
      owner: this.#owner,
      usedBytes: 0,
    };
    this.#slabs[number] = slab;
    this.#dead[number] = 0;
    this.#past[number] = 0;
    this.#current = number;
    this.#heldBytes += size;
    return slab;
  }

  /** Of a record in memory, such as one that was just allocated; undefined for a cold one. */
  bytesOf(ref: number): Buffer | undefined {
    return this.#slabs[ref >>> slabShift]!.bytes;
  }

  offsetOf(ref: number): number {
    return (ref & offsetMask) * unitBytes;
  }

  /** Of a record that is not in memory. */
  coldOf(ref: number): ColdSlab {
    return this.#slabs[ref >>> slabShift]!.cold!;
  }

  before(ref: number): number {
    const { bytes, cold } = this.#slabs[ref >>> slabShift]!;
    const at = this.offsetOf(ref);
    return bytes === undefined ? cold!.before(at) : bytes.readUInt32LE(at);
  }

  /** Changes what comes before a version, in place: false when the slab is shared with a fork. */
  setBefore(ref: number, before: number): boolean {
    const slab = this.#slabs[ref >>> slabShift]!;
    if (slab.owner !== this.#owner) return false;
    const at = this.offsetOf(ref);
    if (slab.bytes === undefined) slab.cold!.setBefore(at, before);
    else slab.bytes.writeUInt32LE(before, at);
    return true;
  }

  recordBytes(ref: number): number {
    const { bytes, cold } = this.#slabs[ref >>> slabShift]!;
    const at = this.offsetOf(ref);
    return bytes === undefined ? cold!.recordBytes(at) : recordSize(bytes.readUInt32LE(at + 4));
  }

  /** A newer version of its key is there. */
  supersede(ref: number): void {
    const number = ref >>> slabShift;
    const slab = this.#slabs[number]!;
    const before = this.#past[number]!;
    const after = before + this.recordBytes(ref);
    this.#past[number] = after;
    const ripeBytes = slab.sizeBytes * ripeShare;
    if (before >= ripeBytes || after < ripeBytes) return;
    this.#ripe.push({ number, slab });
    this.#ripeBytes += slab.sizeBytes;
  }

  /** It is the newest again. */
  revive(ref: number): void {
    this.#past[ref >>> slabShift]! -= this.recordBytes(ref);
  }

  /** The ripe slab that is due to leave memory when more than so many bytes of them are there. */
  takeRipe(warmBytes: number): NumberedSlab | undefined {
    while (this.#ripeBytes > warmBytes) {
      const oldest = this.#ripe[0]!;
      if (oldest.number === this.#current) return undefined;
      this.#ripe.shift();
      this.#ripeBytes -= oldest.slab.sizeBytes;
      if (this.isWarm(oldest)) return oldest;
    }
    return undefined;
  }

  isWarm({ number, slab }: NumberedSlab): boolean {
    return this.#slabs[number] === slab && slab.bytes !== undefined;
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
    this.#heldBytes -= this.#slabs[number]!.sizeBytes;
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
      else if (slab.bytes !== undefined) yield* this.recordsOf({ number, slab });
    }
  }

  /** Of a slab in memory; ends early when it is given back, or goes. */
  *recordsOf({ number, slab }: NumberedSlab): Iterable<number> {
    for (let at = 0; at < slab.usedBytes && slab.bytes !== undefined; ) {
      const size = recordSize(slab.bytes.readUInt32LE(at + 4));
      yield number * 2 ** slabShift + at / unitBytes;
      at += size;
      // The last record that was needed may have gone meanwhile.
      if (this.#slabs[number] !== slab) return;
    }
  }
}

/** Of a whole record, by the bytes of its message. */
export function recordSize(messageBytes: number): number {
  return (recordHeaderBytes + messageBytes + unitBytes - 1) & ~(unitBytes - 1);
}
