/**
 * The log on disk: frames in preallocated segments, each frame one group commit.
 *
 *     offset  0  magic "NKW1"                     24  term (u32)
 *             4  payload bytes (u32)              28  CRC of the payload (u32)
 *             8  index of the first entry (u64)   32  count of entries (u32)
 *            16  sequence of the frame (u64)      36  CRC of bytes 0..35
 *            40  payload, then 1 to 8 bytes 0xff up to a multiple of 8
 *
 * Integers are little-endian; CRCs are CRC-32. A payload's CRC continues that of the frame
 * before, so that a frame from elsewhere, or a missing one, does not fit. An entry is a length
 * (u32), a kind (u8) and bytes; kind 0 and kinds from 250 on are about the log itself and have no
 * index (log-records.ts). What is not written yet is zero.
 *
 * A frame that begins at an index that is there already replaces the log from there on: another
 * leader's entries. Only behind a snapshot's mark may a frame begin further on.
 *
 * A frame is written only after the one before it is durable. So when a frame is bad,
 *   - and a good one with a later sequence follows: the log was DAMAGED in its middle: refused;
 *   - and nothing follows, and its bytes look cut off (the file ends, a sector or the end is
 *     zero): the write was TORN by a crash, nobody was told that it was done: it is cut off;
 *   - and nothing follows, but it is all there: it was acknowledged and is damaged: refused.
 * Source  the idea of a torn-sector test: etcd v3.6 server/storage/wal/decoder.go isTornEntry
 */
export const frameHeaderBytes = 40;
const checkedBytes = 36;
const magic = 0x31574b4e;
const sectorBytes = 512;
const padByte = 0xff;
const zeros = Buffer.alloc(64 * 1024);
const scratchBytesMax = 4 << 20;

export interface RawEntry {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

export interface Frame {
  readonly firstIndex: number;
  readonly sequence: number;
  readonly term: number;
  readonly entries: readonly RawEntry[];
}

export interface Cursor {
  /** CRC of the last payload. */
  readonly crc: number;
  /** Index that the next entry must have. */
  readonly nextIndex: number;
  /** Sequence that the next frame must have. */
  readonly nextSequence: number;
}

export interface Scan {
  readonly frames: readonly Frame[];
  /** Where the next frame goes. */
  readonly end: number;
  /** Bytes behind `end` that are not zero: a torn frame to be wiped. */
  readonly tornBytes: number;
  readonly cursor: Cursor;
}

export class WalDamage extends Error {
  override readonly name = "WalDamage";
}

function frameSize(payloadBytes: number): number {
  return (frameHeaderBytes + payloadBytes + 8) & ~7;
}

/** Records of this kind and above are about the log itself, like kind 0. */
export const firstLogKind = 250;
/** From here on the log continues behind a snapshot that came from elsewhere. */
export const snapshotMarkKind = 252;

export function hasIndex({ kind }: RawEntry): boolean {
  return kind > 0 && kind < firstLogKind;
}

/** How many indexes a frame takes. */
export function indexedCount(frame: Frame): number {
  return frame.entries.filter(hasIndex).length;
}

export interface ScanFrom {
  /** Where in the file the first frame is. */
  readonly offset: number;
  readonly cursor: Cursor;
  /** Only the newest segment may end torn. */
  readonly isLast: boolean;
}

interface End {
  readonly at: number;
  readonly why: string;
  readonly cursor: Cursor;
  readonly isLast: boolean;
}

type Read = { frame: Frame; crc: number; size: number };

interface Header {
  readonly payloadBytes: number;
  readonly firstIndex: number;
  readonly sequence: number;
  readonly count: number;
  readonly term: number;
  readonly crc: number;
}

function readEntries(payload: Buffer, count: number): RawEntry[] | undefined {
  const entries: RawEntry[] = [];
  let at = 0;
  while (at + 5 <= payload.length) {
    const size = payload.readUInt32LE(at);
    if (at + 5 + size > payload.length) return undefined;
    entries.push({ kind: payload[at + 4]!, bytes: payload.subarray(at + 5, at + 5 + size) });
    at += 5 + size;
  }
  return at === payload.length && entries.length === count ? entries : undefined;
}

/** Where the bytes from `from` on end to be other than zero. */
function lastNonZero(data: Buffer, from: number): number {
  let end = data.length;
  // Most of a segment is zeros: they are passed over in large steps.
  while (
    end - from >= zeros.length &&
    data.compare(zeros, 0, zeros.length, end - zeros.length, end) === 0
  ) {
    end -= zeros.length;
  }
  while (end > from && data[end - 1] === 0) end--;
  return end;
}

/** Nothing was ever written there. */
export function isBlank(data: Buffer): boolean {
  return lastNonZero(data, 0) === 0;
}

/** Disks write sectors whole: one that stayed zero was not written. */
function hasZeroSector(data: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at = (Math.floor(at / sectorBytes) + 1) * sectorBytes) {
    const stop = Math.min((Math.floor(at / sectorBytes) + 1) * sectorBytes, to);
    if (lastNonZero(data.subarray(0, stop), at) === at) return true;
  }
  return false;
}

/** CRC-32 of the bytes, continued from the seed. */
export type Checksum = (bytes: Uint8Array, seed: number) => number;

/** Frames by a checksum, which the runtime computes much faster than any code here. */
export class FrameCodec {
  readonly #checksum: Checksum;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(checksum: Checksum) {
    this.#checksum = checksum;
  }

  /** The bytes are good until the next call. */
  encode(frame: Frame, previousCrc: number): { bytes: Buffer; crc: number } {
    let payloadBytes = 0;
    for (const { bytes } of frame.entries) payloadBytes += 5 + bytes.length;
    const out = this.#room(frameSize(payloadBytes));
    let at = frameHeaderBytes;
    for (const { kind, bytes } of frame.entries) {
      out.writeUInt32LE(bytes.length, at);
      out[at + 4] = kind;
      out.set(bytes, at + 5);
      at += 5 + bytes.length;
    }
    out.fill(padByte, at);
    const crc = this.#checksum(out.subarray(frameHeaderBytes, at), previousCrc);
    out.writeUInt32LE(magic, 0);
    out.writeUInt32LE(payloadBytes, 4);
    out.writeBigUInt64LE(BigInt(frame.firstIndex), 8);
    out.writeBigUInt64LE(BigInt(frame.sequence), 16);
    out.writeUInt32LE(frame.term, 24);
    out.writeUInt32LE(crc, 28);
    out.writeUInt32LE(frame.entries.length, 32);
    out.writeUInt32LE(this.#checksum(out.subarray(0, checkedBytes), 0), checkedBytes);
    return { bytes: out, crc };
  }

  /** Frames follow each other fast, and each is gone when it is written. */
  #room(sizeBytes: number): Buffer {
    if (sizeBytes > scratchBytesMax) return Buffer.allocUnsafe(sizeBytes);
    if (this.#scratch.length < sizeBytes) this.#scratch = Buffer.allocUnsafeSlow(2 * sizeBytes);
    return this.#scratch.subarray(0, sizeBytes);
  }

  /** Reads the frames of one segment from an offset on. */
  scan(data: Buffer, name: string, from: ScanFrom): Scan {
    const frames: Frame[] = [];
    let { cursor } = from;
    let at = from.offset;
    for (;;) {
      const read = this.#readFrame(data, at, cursor);
      if (typeof read === "string") {
        const tornBytes = this.#checkEnd(data, name, {
          at,
          why: read,
          cursor,
          isLast: from.isLast,
        });
        return { frames, end: at, tornBytes, cursor };
      }
      frames.push(read.frame);
      const nextIndex = read.frame.firstIndex + indexedCount(read.frame);
      cursor = { crc: read.crc, nextIndex, nextSequence: cursor.nextSequence + 1 };
      at += read.size;
    }
  }

  /** The first frame of a segment, which begins a new chain; undefined when it was never written. */
  readFirst(
    data: Buffer,
    name: string,
    isLast: boolean,
  ): { frame: Frame; end: number; crc: number } | undefined {
    const head = this.#readHeader(data, 0);
    const cursor = {
      crc: 0,
      nextIndex: head?.firstIndex ?? 0,
      nextSequence: head?.sequence ?? 0,
    };
    const read = this.#readFrame(data, 0, cursor);
    if (typeof read !== "string") return { frame: read.frame, end: read.size, crc: read.crc };
    this.#checkEnd(data, name, { at: 0, why: read, cursor, isLast });
    return undefined;
  }

  /** Is a place without a good frame the end of the log? Answers how many torn bytes are there. */
  #checkEnd(data: Buffer, name: string, { at, why, cursor, isLast }: End): number {
    const dirtyEnd = lastNonZero(data, at);
    if (dirtyEnd === at) return 0;
    const later = this.#findLaterFrame(data, at, cursor.nextSequence);
    if (later !== undefined) {
      const text = `${why}, and a good record follows at ${later}`;
      throw new WalDamage(`wal: ${name}: damaged at offset ${at}: ${text}`);
    }
    if (!isLast || !this.#isTorn(data, at, dirtyEnd)) {
      throw new WalDamage(`wal: ${name}: damaged at offset ${at}: ${why}`);
    }
    return dirtyEnd - at;
  }

  /** The frame at an offset, or what is wrong with it. */
  #readFrame(data: Buffer, at: number, cursor: Cursor): Read | string {
    const { crc, nextIndex, nextSequence } = cursor;
    const head = this.#readHeader(data, at);
    if (head === undefined) return "no valid record header";
    if (head.sequence !== nextSequence) {
      return `record has sequence ${head.sequence}, ${nextSequence} is next`;
    }
    const size = frameSize(head.payloadBytes);
    if (at + size > data.length) return "record goes beyond the end of the file";
    const from = at + frameHeaderBytes;
    const payload = data.subarray(from, from + head.payloadBytes);
    const actual = this.#checksum(payload, crc);
    if (actual !== head.crc) return "record checksum mismatch";
    for (let i = from + head.payloadBytes; i < at + size; i++) {
      if (data[i] !== padByte) return "record end marker is damaged";
    }
    const entries = readEntries(payload, head.count);
    if (entries === undefined) return "record content does not fit its length";
    if (head.firstIndex > nextIndex && !entries.some(({ kind }) => kind === snapshotMarkKind)) {
      return `record has index ${head.firstIndex}, ${nextIndex} is next`;
    }
    const { firstIndex, sequence, term } = head;
    const frame = { firstIndex, sequence, term, entries };
    return { frame, crc: actual, size };
  }

  #readHeader(data: Buffer, at: number): Header | undefined {
    if (at + frameHeaderBytes > data.length) return undefined;
    if (data.readUInt32LE(at) !== magic) return undefined;
    const sum = this.#checksum(data.subarray(at, at + checkedBytes), 0);
    if (sum !== data.readUInt32LE(at + checkedBytes)) return undefined;
    return {
      payloadBytes: data.readUInt32LE(at + 4),
      firstIndex: Number(data.readBigUInt64LE(at + 8)),
      sequence: Number(data.readBigUInt64LE(at + 16)),
      term: data.readUInt32LE(at + 24),
      crc: data.readUInt32LE(at + 28),
      count: data.readUInt32LE(at + 32),
    };
  }

  /** A header with a later sequence was written after this frame was durable. */
  #findLaterFrame(data: Buffer, at: number, sequence: number): number | undefined {
    for (let offset = at + 8; offset + frameHeaderBytes <= data.length; offset += 8) {
      if (data.readUInt32LE(offset) !== magic) continue;
      const head = this.#readHeader(data, offset);
      if (head !== undefined && head.sequence > sequence) return offset;
    }
    return undefined;
  }

  #isTorn(data: Buffer, at: number, dirtyEnd: number): boolean {
    const head = this.#readHeader(data, at);
    const end = head === undefined ? dirtyEnd : at + frameSize(head.payloadBytes);
    if (end > data.length) return true;
    // The end marker of a whole frame is never zero.
    if (head !== undefined && data[end - 1] === 0) return true;
    if (head === undefined && dirtyEnd - at < frameHeaderBytes) return true;
    return hasZeroSector(data, at, end);
  }
}
