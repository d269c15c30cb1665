/**
 * The write-ahead log of a member: segments of frames, and a snapshot now and then.
 *
 * Files  wal-<number>.log    segments of zeros written in place; the first frame names the cluster
 *        snap-<index>.snap   the state after that entry
 * A snapshot is due when the log since the last one is as big as the last one, and at least 16 MiB:
 * the directory then holds no more than about three times the state. Older files
 * go when it is there.
 */
import { message } from "@nanokube/rpc";
import type { Entry } from "../core/entry.ts";
import type { MemberState } from "../core/member-state.ts";
import {
  type Cursor,
  encodeFrame,
  type Frame,
  type RawEntry,
  WalDamage,
} from "../core/wal-frame.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { encodeEntry } from "./entry-codec.ts";
import type { EntryLog } from "./proposals.ts";
import { snapshotChunks } from "./snapshot.ts";

export interface SegmentHead {
  format: number;
  clusterId: bigint;
  memberId: bigint;
  /** Checksum of the last frame of the segment before. */
  previousCrc: number;
}

/** What the first frame of a segment holds, as an entry of kind 0 that has no index. */
export const SegmentHead = message<SegmentHead>(
  "nanokube.etcdlite.SegmentHead",
  "format:1:int32 clusterId:2:uint64! memberId:3:uint64! previousCrc:4:uint32",
);
export const walFormat = 1;

const firstSegmentBytes = 1 << 20;
const usualSegmentBytes = 16 << 20;
const snapshotAfterBytes = 16 << 20;

export interface Segment {
  readonly number: number;
  /** Index of its first entry. */
  readonly firstIndex: number;
}

export const segmentName = (number: number) => `wal-${number.toString(16).padStart(16, "0")}.log`;
export const snapshotName = (index: number) => `snap-${index.toString(16).padStart(16, "0")}.snap`;

export interface WalOptions {
  readonly disk: Disk;
  readonly state: MemberState;
  readonly term: number;
  readonly head: { readonly clusterId: bigint; readonly memberId: bigint };
  readonly cursor: Cursor;
  readonly segments: readonly Segment[];
  readonly file: DiskFile | undefined;
  readonly end: number;
  readonly snapshotIndex: number;
  readonly snapshotBytes: number;
  readonly onError: (error: Error) => void;
  readonly snapshotAfterBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
}

export class Wal implements EntryLog {
  readonly #options: WalOptions;
  readonly #disk: Disk;
  #segments: Segment[];
  #file: DiskFile | undefined;
  #end: number;
  #cursor: Cursor;
  #snapshotIndex: number;
  #snapshotBytes: number;
  #loggedBytes: number;
  #snapshotting: Promise<void> | undefined;

  constructor(options: WalOptions) {
    this.#options = options;
    this.#disk = options.disk;
    this.#segments = [...options.segments];
    this.#file = options.file;
    this.#end = options.end;
    this.#cursor = options.cursor;
    this.#snapshotIndex = options.snapshotIndex;
    this.#snapshotBytes = options.snapshotBytes;
    this.#loggedBytes = options.end;
  }

  /** Writes that the member started in this term: proves that the disk takes writes. */
  start(): Promise<void> {
    return this.#write([]);
  }

  append(entries: readonly Entry[]): Promise<void> {
    return this.#write(entries.map(encodeEntry));
  }

  async #write(entries: readonly RawEntry[]): Promise<void> {
    let encoded = encodeFrame(this.#frame(entries), this.#cursor.crc);
    const { length } = encoded.bytes;
    if (this.#file === undefined || this.#end + length > this.#file.sizeBytes) {
      await this.#newSegment(length);
      encoded = encodeFrame(this.#frame(entries), this.#cursor.crc);
    }
    await this.#file!.write(encoded.bytes, this.#end);
    this.#end += length;
    this.#loggedBytes += length;
    const { nextIndex, nextSequence } = this.#cursor;
    this.#cursor = {
      crc: encoded.crc,
      nextIndex: nextIndex + entries.length,
      nextSequence: nextSequence + 1,
    };
  }

  #frame(entries: readonly RawEntry[]): Frame {
    const { nextIndex: firstIndex, nextSequence: sequence } = this.#cursor;
    return { firstIndex, sequence, term: this.#options.term, entries };
  }

  async #newSegment(roomBytes: number): Promise<void> {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const { nextIndex, nextSequence, crc: previousCrc } = this.#cursor;
    const head = SegmentHead.encode({ ...this.#options.head, format: walFormat, previousCrc });
    const { bytes, crc } = encodeFrame(this.#frame([{ kind: 0, bytes: head }]), 0);
    // The first is small, so that a new member is up at once.
    const { segmentBytes = usualSegmentBytes } = this.#options;
    const usual = number === 1 ? Math.min(firstSegmentBytes, segmentBytes) : segmentBytes;
    const sizeBytes = Math.max(usual, bytes.length + roomBytes);
    const file = await this.#disk.create(segmentName(number), sizeBytes);
    await file.write(bytes, 0);
    await this.#file?.close();
    this.#file = file;
    this.#end = bytes.length;
    this.#cursor = { crc, nextIndex, nextSequence: nextSequence + 1 };
    this.#segments.push({ number, firstIndex: nextIndex });
  }

  applied(): void {
    const least = this.#options.snapshotAfterBytes ?? snapshotAfterBytes;
    if (this.#snapshotting !== undefined) return;
    if (this.#loggedBytes < Math.max(least, this.#snapshotBytes)) return;
    this.#snapshotting = this.#snapshot()
      .catch((error) => this.#options.onError(error as Error))
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  async #snapshot(): Promise<void> {
    const { state, term } = this.#options;
    const { index, alarms } = state;
    this.#loggedBytes = 0;
    const store = state.store.fork();
    const lessor = state.lessor.fork();
    const auth = state.auth.content();
    const chunks = snapshotChunks({ index, term, store, lessor, alarms: [...alarms], auth });
    this.#snapshotBytes = await this.#disk.writeWhole(snapshotName(index), chunks);
    const before = this.#snapshotIndex;
    this.#snapshotIndex = index;
    if (before > 0) await this.#disk.remove(snapshotName(before));
    // A segment can go when the next one begins no later than the first entry still needed.
    for (let next = this.#segments[1]; next && next.firstIndex <= index + 1; ) {
      await this.#disk.remove(segmentName(this.#segments[0]!.number));
      this.#segments.shift();
      next = this.#segments[1];
    }
  }

  async close(): Promise<void> {
    await this.#snapshotting;
    await this.#file?.close();
  }
}

export function checkHead(head: SegmentHead, name: string, expected: WalOptions["head"]): void {
  if (head.format !== walFormat) {
    throw new WalDamage(`wal: ${name}: format ${head.format} is not known to this etcd-lite`);
  }
  const { clusterId, memberId } = expected;
  if (head.clusterId !== clusterId || head.memberId !== memberId) {
    const found = `${head.clusterId.toString(16)}/${head.memberId.toString(16)}`;
    const mine = `${clusterId.toString(16)}/${memberId.toString(16)}`;
    throw new WalDamage(
      `wal: ${name}: belongs to cluster/member ${found}, but the flags make this one ${mine}`,
    );
  }
}
