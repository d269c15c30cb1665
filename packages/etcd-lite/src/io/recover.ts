/**
 * From files to a running log: the newest snapshot, then every entry after it.
 *
 * Errors  WalDamage, naming file, offset and reason: nothing is skipped, nothing is guessed
 */
import type { Clock, Log } from "@nanokube/machinery";
import { EtcdError } from "../core/errors.ts";
import { MemberState } from "../core/member-state.ts";
import {
  type Cursor,
  type Frame,
  readFirstFrame,
  scanFrames,
  WalDamage,
} from "../core/wal-frame.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { decodeEntry } from "./entry-codec.ts";
import { readSnapshot } from "./snapshot.ts";
import { checkHead, type Segment, SegmentHead, segmentName, Wal, type WalOptions } from "./wal.ts";

export interface RecoverOptions {
  readonly disk: Disk;
  readonly head: WalOptions["head"];
  readonly quotaBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly onError: (error: Error) => void;
  readonly snapshotAfterBytes?: number | undefined;
  readonly segmentBytes?: number | undefined;
}

export interface Recovered {
  readonly state: MemberState;
  readonly term: number;
  readonly wal: Wal;
}

const firstTerm = 2; // As an etcd that elected itself once.

export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { disk, quotaBytes, clock } = options;
  const names = (await disk.list()).sort();
  const snapshots = names.filter((name) => /^snap-[0-9a-f]{16}\.snap$/.test(name));
  const newest = snapshots.at(-1);
  let state = new MemberState(quotaBytes);
  let term = 0;
  let snapshotBytes = 0;
  if (newest !== undefined) {
    const data = await disk.read(newest);
    snapshotBytes = data.length;
    ({ state, term } = readSnapshot(data, newest, { quotaBytes, nowMs: clock.now() }));
  }
  const snapshotIndex = state.index;
  const replay = await replaySegments(options, names, state);
  term = Math.max(term, replay.term);
  term = term === 0 ? firstTerm : term + 1;
  const wal = new Wal({ ...options, ...replay, snapshotIndex, snapshotBytes, state, term });
  await wal.start();
  // Leftovers of a crash between writing a snapshot and removing the one before.
  for (const name of snapshots.slice(0, -1)) await disk.remove(name);
  return { state, term, wal };
}

interface Replay {
  readonly segments: Segment[];
  readonly cursor: Cursor;
  readonly term: number;
  readonly file: DiskFile | undefined;
  readonly end: number;
}

async function replaySegments(
  options: RecoverOptions,
  names: readonly string[],
  state: MemberState,
): Promise<Replay> {
  const { disk, log } = options;
  const numbers = names.flatMap((name) => {
    const match = /^wal-([0-9a-f]{16})\.log$/.exec(name);
    return match === null ? [] : [Number.parseInt(match[1]!, 16)];
  });
  const segments: Segment[] = [];
  let cursor: Cursor | undefined;
  let term = 0;
  let file: DiskFile | undefined;
  let end = 0;
  for (const number of numbers) {
    const name = segmentName(number);
    const isLast = number === numbers.at(-1);
    const data = await disk.read(name);
    const first = readFirstFrame(data, name, isLast);
    if (first === undefined) {
      await disk.remove(name); // It was made, and the crash came before its first frame.
      continue;
    }
    cursor = checkFirst({ frame: first.frame, crc: first.crc }, name, options, cursor, state.index);
    const scan = scanFrames(data, name, { offset: first.end, cursor, isLast });
    for (const frame of scan.frames) replayFrame(frame, state, options);
    term = Math.max(term, first.frame.term, ...scan.frames.map((frame) => frame.term));
    segments.push({ number, firstIndex: first.frame.firstIndex });
    ({ cursor, end } = scan);
    if (!isLast) continue;
    file = await disk.open(name, data.length);
    if (scan.tornBytes > 0) {
      log.warn({ file: name, offset: end, bytes: scan.tornBytes }, "cutting off a torn record");
      await file.write(Buffer.alloc(scan.tornBytes), end);
    }
  }
  cursor ??= { crc: 0, nextIndex: state.index + 1, nextSequence: 1 };
  return { segments, cursor, term, file, end };
}

/** Does a segment continue the one before, or (the oldest kept) reach back to the snapshot? */
function checkFirst(
  { frame, crc }: { frame: Frame; crc: number },
  name: string,
  { head: mine }: RecoverOptions,
  before: Cursor | undefined,
  snapshotIndex: number,
): Cursor {
  const entry = frame.entries[0];
  if (entry === undefined || entry.kind !== 0) {
    throw new WalDamage(`wal: ${name}: the first record does not open a segment`);
  }
  const head = SegmentHead.decode(entry.bytes);
  checkHead(head, name, mine);
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
  return { crc, nextIndex: firstIndex, nextSequence: sequence + 1 };
}

function replayFrame(frame: Frame, state: MemberState, { clock }: RecoverOptions): void {
  let index = frame.firstIndex;
  for (const raw of frame.entries) {
    if (raw.kind === 0) continue;
    if (index++ <= state.index) continue; // The snapshot has it.
    try {
      state.apply(decodeEntry(raw), clock.now());
    } catch (error) {
      // An entry that was refused then is refused now: that is part of the log's meaning.
      if (!(error instanceof EtcdError)) throw error;
    }
  }
}
