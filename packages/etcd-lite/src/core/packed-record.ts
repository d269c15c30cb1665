/**
 * Records of versions in an arena: read where they are, written where there is room.
 */
import { PackedVersion } from "./packed-version.ts";
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
