/**
 * The write-ahead log of a member: segments of frames, and a snapshot now and then.
 *
 * Files  wal-<number>.log    segments of zeros written in place; the first frame names the cluster
 *        snap-<index>.snap   the state after that entry
 * A snapshot is due when the log since the last one is as big as the last one, and at least 16 MiB:
 * the directory then holds no more than about three times the state. Older files
 * go when it is there.
 */
import { crc32 } from "node:zlib";
import type { Clock } from "@nanokube/machinery";
import { message } from "@nanokube/rpc";
import { hardStateRecord, type SnapshotEnd, storageToRecords } from "../core/log-records.ts";
import type { MemberState } from "../core/member-state.ts";
import type { HardState, Storage } from "../core/raft/message.ts";
import { type Cursor, FrameCodec, WalDamage } from "../core/wal-frame.ts";
import type { Disk, DiskFile } from "./disk.ts";
import type { DiskMetrics } from "./metrics.ts";
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
export const walFormat = 3;

/** The first are small, so that a new member is up at once and a small one stays small. */
const firstSegmentBytes = 1 << 20;
const segmentGrowth = 4;
const usualSegmentBytes = 16 << 20;
const snapshotAfterBytes = 16 << 20;

export interface Segment {
  readonly number: number;
  /** Index of its first entry. */
  readonly firstIndex: number;
}

export const segmentName = (number: number) => `wal-${number.toString(16).padStart(16, "0")}.log`;
export const snapshotName = (index: number) => `snap-${index.toString(16).padStart(16, "0")}.snap`;

/** Whose log it is. */
export interface Owner {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

export interface WalOptions {
  readonly disk: Disk;
  readonly hardState: HardState;
  readonly owner: Owner;
  readonly cursor: Cursor;
  readonly segments: readonly Segment[];
  readonly file: DiskFile | undefined;
  readonly end: number;
  readonly snapshotIndex: number;
  readonly snapshotBytes: number;
  readonly missingMark: SnapshotEnd | undefined;
  readonly onError: (error: Error) => void;
  readonly clock: Clock;
  readonly metrics?: DiskMetrics | undefined;
  readonly snapshotAfterBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
  /** A snapshot after so many entries, however small they are. */
  readonly snapshotAfterEntries?: number | undefined;
}

export class Wal {
  readonly #options: WalOptions;
  readonly #disk: Disk;
  readonly #frames = new FrameCodec(crc32);
  #segments: Segment[];
  /** The file that comes next, made while there is room in this one. */
  #spare: Promise<DiskFile | undefined> | undefined;
  #file: DiskFile | undefined;
  #end: number;
  #cursor: Cursor;
  #snapshotIndex: number;
  #snapshotBytes: number;
  #loggedBytes: number;
  #snapshotting: Promise<void> | undefined;
  /** Stands at the beginning of each segment too, so that it is never lost with an old one. */
  #hardState: HardState;
  /** What the log continues behind, and does not say yet. */
  #mark: SnapshotEnd | undefined;

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
    this.#hardState = options.hardState;
    this.#mark = options.missingMark;
  }

  /** Resolves when all of it would survive a crash. One at a time; `isLone`: see DiskFile. */
  async write(storage: Storage, isLone = false): Promise<void> {
    const { snapshot, hardState } = storage;
    if (snapshot !== undefined) {
      // Not a turn in between, nor while it is written: the member would begin one of its own.
      while (this.#snapshotting !== undefined) await this.#snapshotting;
      const content = snapshot.content as MemberState;
      this.#snapshotting = this.#writeSnapshot(content, snapshot.term, received);
      try {
        await this.#snapshotting;
      } finally {
        this.#snapshotting = undefined;
      }
    }
    const mark = snapshot ?? this.#mark;
    const records = storageToRecords(storage, mark);
    const { firstIndex = this.#cursor.nextIndex, term, entries } = records;
    const frame = () => {
      const { nextSequence: sequence, crc } = this.#cursor;
      return this.#frames.encode({ firstIndex, sequence, term, entries }, crc);
    };
    let encoded = frame();
    const { length } = encoded.bytes;
    if (this.#file === undefined || this.#end + length > this.#file.sizeBytes) {
      await this.#newSegment(length);
      encoded = frame();
    }
    await this.#writeTimed(encoded.bytes, isLone);
    this.#end += length;
    this.#loggedBytes += length;
    if (this.#spare === undefined && this.#end * 2 > this.#file!.sizeBytes) this.#prepareSpare();
    if (hardState !== undefined) this.#hardState = hardState;
    this.#mark = undefined;
    this.#cursor = {
      crc: encoded.crc,
      nextIndex: firstIndex + storage.entries.length,
      nextSequence: this.#cursor.nextSequence + 1,
    };
  }

  async #writeTimed(bytes: Uint8Array, isLone: boolean): Promise<void> {
    const { clock, metrics } = this.#options;
    const sinceMs = clock.monotonic();
    await this.#file!.write(bytes, this.#end, isLone);
    if (metrics === undefined) return;
    metrics.observe("walWrite", clock.monotonic() - sinceMs);
    metrics.walBytes += bytes.length;
  }

  async #newSegment(roomBytes: number): Promise<void> {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const { nextIndex, nextSequence, crc: previousCrc } = this.#cursor;
    const head = SegmentHead.encode({ ...this.#options.owner, format: walFormat, previousCrc });
    const entries = [{ kind: 0, bytes: head }, hardStateRecord(this.#hardState)];
    const { bytes, crc } = this.#frames.encode(
      { firstIndex: nextIndex, sequence: nextSequence, term: 0, entries },
      0,
    );
    const file = await this.#takeFile(number, bytes.length + roomBytes);
    await file.write(bytes, 0);
    await this.#file?.close();
    this.#file = file;
    this.#end = bytes.length;
    this.#cursor = { crc, nextIndex, nextSequence: nextSequence + 1 };
    this.#segments.push({ number, firstIndex: nextIndex });
  }

  #segmentBytes(number: number): number {
    const { segmentBytes = usualSegmentBytes } = this.#options;
    return Math.min(firstSegmentBytes * segmentGrowth ** (number - 1), segmentBytes);
  }

  /** Filling a file with zeros takes long: nobody should wait for that. */
  #prepareSpare(): void {
    const number = this.#segments.at(-1)!.number + 1;
    const create = this.#disk.create(segmentName(number), this.#segmentBytes(number));
    // A disk without room is told of when there is no other way.
    this.#spare = create.catch(() => undefined);
  }

  async #takeFile(number: number, leastBytes: number): Promise<DiskFile> {
    const spare = await this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && spare.sizeBytes >= leastBytes) return spare;
    await spare?.close();
    const name = segmentName(number);
    const sizeBytes = Math.max(this.#segmentBytes(number), leastBytes);
    return spare === undefined
      ? this.#disk.create(name, sizeBytes)
      : this.#disk.open(name, sizeBytes);
  }

  /** Called after entries were applied: the time to write a snapshot and drop old segments. */
  applied(state: MemberState, termAt: (index: number) => number | undefined): void {
    if (this.#snapshotting !== undefined || !this.#isDue(state.index)) return;
    const fork = state.fork();
    this.#loggedBytes = 0;
    this.#snapshotting = this.#writeSnapshot(fork, termAt(fork.index)!, own)
      .catch((error) => this.#options.onError(error as Error))
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  #isDue(index: number): boolean {
    const least = this.#options.snapshotAfterBytes ?? snapshotAfterBytes;
    const { snapshotAfterEntries = Number.POSITIVE_INFINITY } = this.#options;
    if (index === this.#snapshotIndex) return false; // Nothing is new but what is not applied yet.
    if (index - this.#snapshotIndex >= snapshotAfterEntries) return true;
    return this.#loggedBytes >= Math.max(least, this.#snapshotBytes);
  }

  async #writeSnapshot(state: MemberState, term: number, of: Observed): Promise<void> {
    const { index } = state;
    const { clock, metrics } = this.#options;
    const sinceMs = clock.monotonic();
    const synced = (tookMs: number) => metrics?.observe(of.sync, tookMs);
    const encoded = (tookMs: number) => {
      if (of.encode !== undefined) metrics?.observe(of.encode, tookMs);
    };
    const chunks = timed(snapshotChunks(state, term), clock, encoded);
    this.#snapshotBytes = await this.#disk.writeWhole(snapshotName(index), chunks, synced);
    metrics?.observe(of.save, clock.monotonic() - sinceMs);
    const before = this.#snapshotIndex;
    this.#snapshotIndex = index;
    if (before > 0 && before !== index) await this.#disk.remove(snapshotName(before));
    // A segment can go when the next one begins no later than the first entry still needed.
    for (let next = this.#segments[1]; next && next.firstIndex <= index + 1; ) {
      await this.#disk.remove(segmentName(this.#segments[0]!.number));
      this.#segments.shift();
      next = this.#segments[1];
    }
  }

  async close(): Promise<void> {
    await this.#snapshotting;
    await (await this.#spare)?.close();
    await this.#file?.close();
  }
}

/** What a snapshot's times are called: this member's own, or the leader's. */
interface Observed {
  readonly save: "saveSnapshot" | "saveReceived";
  readonly sync: "syncSnapshot" | "syncReceived";
  readonly encode?: "encodeSnapshot";
}

const own = { save: "saveSnapshot", sync: "syncSnapshot", encode: "encodeSnapshot" } as const;
const received = { save: "saveReceived", sync: "syncReceived" } as const;

/** Tells at the end how long it took to make all of them. */
async function* timed<T>(
  chunks: AsyncIterable<T>,
  clock: Clock,
  tell: (tookMs: number) => void,
): AsyncIterable<T> {
  let sumMs = 0;
  let sinceMs = clock.monotonic();
  for await (const chunk of chunks) {
    sumMs += clock.monotonic() - sinceMs;
    yield chunk;
    sinceMs = clock.monotonic();
  }
  tell(sumMs);
}

export function checkHead(head: SegmentHead, name: string, owner: Owner | undefined): void {
  if (head.format !== walFormat) {
    throw new WalDamage(`wal: ${name}: format ${head.format} is not known to this etcd-lite`);
  }
  if (owner === undefined) return;
  if (head.clusterId !== owner.clusterId || head.memberId !== owner.memberId) {
    const found = `${head.clusterId.toString(16)}/${head.memberId.toString(16)}`;
    const before = `${owner.clusterId.toString(16)}/${owner.memberId.toString(16)}`;
    throw new WalDamage(
      `wal: ${name}: belongs to cluster/member ${found}, the segment before it to ${before}`,
    );
  }
}
