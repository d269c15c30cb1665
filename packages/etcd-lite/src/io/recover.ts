/**
 * From files to a running log: the newest snapshot, then every entry after it.
 *
 * Errors  WalDamage, naming file, offset and reason: nothing is skipped, nothing is guessed
 */
import { crc32 } from "node:zlib";
import type { Clock, Log } from "@nanokube/machinery";
import { LogReplay } from "../core/log-records.ts";
import { MemberState } from "../core/member-state.ts";
import type { HardState } from "../core/raft/message.ts";
import type { LogContent } from "../core/raft/raft-log.ts";
import type { ColdStorage } from "../core/record-arena.ts";
import type { Proposal } from "../core/replica.ts";
import {
  type Cursor,
  type Frame,
  FrameCodec,
  isBlank,
  type RawEntry,
  WalDamage,
} from "../core/wal-frame.ts";
import type { Disk, DiskFile } from "./disk.ts";
import type { DiskMetrics } from "./metrics.ts";
import { createProposal } from "./proposal.ts";
import { readSnapshot } from "./snapshot.ts";
import { checkHead, type Owner, type Segment, SegmentHead, segmentName, Wal } from "./wal.ts";

export interface RecoverOptions {
  readonly disk: Disk;
  readonly quotaBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onError: (error: Error) => void;
  readonly storage?: ColdStorage | undefined;
  readonly snapshotAfterBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
  readonly metrics?: DiskMetrics | undefined;
}

export interface Recovered {
  /** As of the newest snapshot; the entries are yet to be applied. */
  readonly state: MemberState;
  readonly hardState: HardState;
  readonly log: LogContent;
  /** Whose log it is; undefined when nothing was there: the member is new. */
  readonly owner: Owner | undefined;
  openWal(owner: Owner): Wal;
}

export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { disk, quotaBytes, clock, storage } = options;
  const names = (await disk.list()).sort();
  const snapshots = names.filter((name) => /^snap-[0-9a-f]{16}\.snap$/.test(name));
  const newest = snapshots.at(-1);
  let state = new MemberState(quotaBytes, { storage });
  let term = 0;
  let snapshotBytes = 0;
  if (newest !== undefined) {
    const data = await disk.read(newest);
    snapshotBytes = data.length;
    const nowMs = clock.now();
    ({ state, term } = readSnapshot(data, newest, { quotaBytes, nowMs, storage }));
  }
  const base = { index: state.index, term };
  const found = await replaySegments(options, names, base.index);
  const { hardState } = found.replay;
  const entries = found.replay.after(base);
  const log = { base, entries };
  const isContinuous = base.index + entries.length + 1 === found.cursor.nextIndex;
  const openWal = (owner: Owner) =>
    new Wal({
      ...options,
      ...found,
      owner,
      hardState,
      snapshotIndex: base.index,
      snapshotBytes,
      // A crash came between the leader's snapshot and its mark, which is still to be made.
      missingMark: isContinuous ? undefined : base,
    });
  // Leftovers of a crash between writing a snapshot and removing the one before.
  for (const name of snapshots.slice(0, -1)) await disk.remove(name);
  // What a snapshot holds is committed, whatever the log came to say.
  const commit = Math.max(hardState.commit, base.index);
  return { state, hardState: { ...hardState, commit }, log, owner: found.owner, openWal };
}

interface Segments {
  readonly segments: Segment[];
  readonly cursor: Cursor;
  readonly replay: LogReplay;
  readonly owner: Owner | undefined;
  readonly file: DiskFile | undefined;
  readonly end: number;
}

async function replaySegments(
  options: RecoverOptions,
  names: readonly string[],
  snapshotIndex: number,
): Promise<Segments> {
  const { disk, log } = options;
  const numbers = names.flatMap((name) => {
    const match = /^wal-([0-9a-f]{16})\.log$/.exec(name);
    return match === null ? [] : [Number.parseInt(match[1]!, 16)];
  });
  await dropSpare(disk, numbers);
  const frames = new FrameCodec(crc32);
  const segments: Segment[] = [];
  let cursor: Cursor | undefined;
  let owner: Owner | undefined;
  const replay = new LogReplay(toPayload);
  let file: DiskFile | undefined;
  let end = 0;
  for (const number of numbers) {
    const name = segmentName(number);
    const isLast = number === numbers.at(-1);
    const data = await disk.read(name);
    const first = frames.readFirst(data, name, isLast);
    if (first === undefined) {
      await disk.remove(name); // It was made, and the crash came before its first frame.
      continue;
    }
    const checked = checkFirst(first, name, { owner, before: cursor, snapshotIndex });
    ({ cursor, owner } = checked);
    const scan = frames.scan(data, name, { offset: first.end, cursor, isLast });
    for (const frame of [first.frame, ...scan.frames]) replay.add(frame);
    segments.push({ number, firstIndex: first.frame.firstIndex });
    ({ cursor, end } = scan);
    if (!isLast) continue;
    file = await disk.open(name, data.length);
    if (scan.tornBytes > 0) {
      log.warn({ file: name, offset: end, bytes: scan.tornBytes }, "cutting off a torn record");
      await file.write(Buffer.alloc(scan.tornBytes), end);
    }
  }
  cursor ??= { crc: 0, nextIndex: snapshotIndex + 1, nextSequence: 1 };
  return { segments, cursor, replay, owner, file, end };
}

/** A file that was made ahead of its use says nothing about the one before it. */
async function dropSpare(disk: Disk, numbers: number[]): Promise<void> {
  const newest = numbers.at(-1);
  if (newest === undefined || !isBlank(await disk.read(segmentName(newest)))) return;
  await disk.remove(segmentName(newest));
  numbers.pop();
}

interface Expected {
  readonly owner: Owner | undefined;
  readonly before: Cursor | undefined;
  readonly snapshotIndex: number;
}

/** Does a segment continue the one before, or (the oldest kept) reach back to the snapshot? */
function checkFirst(
  { frame, crc }: { frame: Frame; crc: number },
  name: string,
  { owner, before, snapshotIndex }: Expected,
): { cursor: Cursor; owner: Owner } {
  const entry = frame.entries[0];
  if (entry === undefined || entry.kind !== 0) {
    throw new WalDamage(`wal: ${name}: the first record does not open a segment`);
  }
  const head = SegmentHead.decode(entry.bytes);
  checkHead(head, name, owner);
  const { firstIndex, sequence } = frame;
  const continues =
    before === undefined
      ? firstIndex <= snapshotIndex + 1
      : firstIndex === before.nextIndex &&
        sequence === before.nextSequence &&
        head.previousCrc === before.crc;
  if (!continues) {
    const wanted = before?.nextIndex ?? snapshotIndex + 1;
    throw new WalDamage(`wal: ${name}: begins at index ${firstIndex}, but ${wanted} is needed`);
  }
  const cursor = { crc, nextIndex: firstIndex, nextSequence: sequence + 1 };
  return { cursor, owner: { clusterId: head.clusterId, memberId: head.memberId } };
}

/** Whoever waited for it is gone: it belongs to nobody here. */
function toPayload(raw: RawEntry): Proposal {
  // A copy: a view would keep its whole segment in memory.
  const own = { kind: raw.kind, bytes: Buffer.from(raw.bytes) };
  return createProposal(own, { origin: 0, sequence: 0 });
}
