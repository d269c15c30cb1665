/**
 * Records of versions in an arena: read where they are, written where there is room.
 */
import { PackedVersion, varintSize, writeVarint } from "./packed-version.ts";
import { type RecordArena, recordHeaderBytes } from "./record-arena.ts";

export interface RecordHead {
  /** Reference of the version before it. */
  readonly before: number;
  /** Bytes of the message. */
  readonly size: number;
  readonly sub: number;
  readonly keyBytes: number;
}

export function readRecord(arena: RecordArena, ref: number): PackedVersion {
  const bytes = arena.bytesOf(ref);
  const at = arena.offsetOf(ref);
  if (bytes === undefined) return PackedVersion.at(arena.coldOf(ref).record(at), 0);
  return PackedVersion.at(bytes, at);
}

/** Without reading the record, should it not be in memory. */
export function revisionOf(arena: RecordArena, ref: number): number {
  const bytes = arena.bytesOf(ref);
  const at = arena.offsetOf(ref);
  if (bytes === undefined) return arena.coldOf(ref).revision(at);
  return PackedVersion.at(bytes, at).modRevision;
}

/** The same. */
export function isTombstone(arena: RecordArena, ref: number): boolean {
  const bytes = arena.bytesOf(ref);
  const at = arena.offsetOf(ref);
  if (bytes === undefined) return arena.coldOf(ref).isTombstone(at);
  return PackedVersion.at(bytes, at).version === 0;
}

const kvsTag = 0x12; // RangeResponse.kvs

/** Versions as `kvs` of an answer, one behind the other: no object for any of them. */
export function encodeRecords(arena: RecordArena, refs: readonly number[]): Buffer {
  const sources: Buffer[] = [];
  const offsets: number[] = [];
  let sizeBytes = 0;
  for (const ref of refs) {
    const warm = arena.bytesOf(ref);
    const at = warm === undefined ? 0 : arena.offsetOf(ref);
    const source = warm ?? arena.coldOf(ref).record(arena.offsetOf(ref));
    const messageBytes = source.readUInt32LE(at + 4);
    sizeBytes += 1 + varintSize(messageBytes) + messageBytes;
    sources.push(source);
    offsets.push(at);
  }
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let to = 0;
  for (const [i, source] of sources.entries()) {
    const at = offsets[i]!;
    const messageBytes = source.readUInt32LE(at + 4);
    bytes[to++] = kvsTag;
    to = writeVarint(bytes, to, messageBytes);
    const from = at + recordHeaderBytes;
    to += source.copy(bytes, to, from, from + messageBytes);
  }
  return bytes;
}

/** A new record, of which the message is still to be written at `messageAt`. */
export function addRecord(arena: RecordArena, head: RecordHead): number {
  const ref = arena.allocate(head.size);
  const bytes = arena.bytesOf(ref)!;
  const at = arena.offsetOf(ref);
  bytes.writeUInt32LE(head.before, at);
  bytes.writeUInt32LE(head.size, at + 4);
  bytes.writeUInt32LE(head.sub, at + 8);
  bytes.writeUInt32LE(head.keyBytes, at + 12);
  return ref;
}

export const messageAt = (arena: RecordArena, ref: number): number =>
  arena.offsetOf(ref) + recordHeaderBytes;

/** Fills a new record with the message of a version that is packed already. */
export function copyMessage(arena: RecordArena, ref: number, kv: PackedVersion): void {
  kv.bytes.copy(arena.bytesOf(ref)!, messageAt(arena, ref), kv.from, kv.to);
}
