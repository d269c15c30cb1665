/**
 * What consensus writes, as records of the log on disk, and back.
 *
 *     250  HardState     term, vote and commit index, as of this frame
 *     251  Term          the entries behind it, in this frame, have this term (else the frame's)
 *     252  SnapshotMark  the log goes on behind a snapshot from the leader
 *     1..249             an entry; 249 is the mark of a new leader, which does nothing
 */
import { message } from "@nanokube/rpc";
import { invariant } from "./raft/invariant.ts";
import type { HardState, LogEntry, Payload, Storage } from "./raft/message.ts";
import { type Frame, hasIndex, type RawEntry, snapshotMarkKind } from "./wal-frame.ts";

export const hardStateKind = 250;
const termKind = 251;
const leaderMarkKind = 249;

const HardStateRecord = message<HardState>(
  "nanokube.etcdlite.HardState",
  "term:1:uint64 vote:2:uint64! commit:3:uint64",
);
const TermRecord = message<{ term: number }>("nanokube.etcdlite.Term", "term:1:uint64");
const MarkRecord = message<SnapshotEnd>(
  "nanokube.etcdlite.SnapshotMark",
  "index:1:uint64 term:2:uint64",
);

/** A payload that can be written: a proposal. */
export interface WritablePayload extends Payload {
  readonly raw: RawEntry;
}

const leaderMark: RawEntry = { kind: leaderMarkKind, bytes: new Uint8Array() };

export function hardStateRecord(hardState: HardState): RawEntry {
  return { kind: hardStateKind, bytes: HardStateRecord.encode(hardState) };
}

export interface Records {
  /** Where the frame begins; undefined when it has no entries. */
  readonly firstIndex: number | undefined;
  readonly term: number;
  readonly entries: readonly RawEntry[];
}

/** The last entry that a snapshot stands for. */
export interface SnapshotEnd {
  readonly index: number;
  readonly term: number;
}

/** `mark`: the log continues behind this snapshot. */
export function storageToRecords(
  { hardState, entries }: Storage,
  mark: SnapshotEnd | undefined,
): Records {
  const records: RawEntry[] = [];
  if (hardState !== undefined) records.push(hardStateRecord(hardState));
  if (mark !== undefined) {
    const { index, term } = mark;
    records.push({ kind: snapshotMarkKind, bytes: MarkRecord.encode({ index, term }) });
  }
  const frameTerm = entries[0]?.term ?? 0;
  let term = frameTerm;
  for (const entry of entries) {
    if (entry.term !== term) {
      ({ term } = entry);
      records.push({ kind: termKind, bytes: TermRecord.encode({ term }) });
    }
    records.push((entry.payload as WritablePayload | undefined)?.raw ?? leaderMark);
  }
  const jump = mark === undefined ? undefined : mark.index + 1;
  return { firstIndex: entries[0]?.index ?? jump, term: frameTerm, entries: records };
}

/** What a log says when it is read from its beginning, frame by frame. */
export class LogReplay {
  hardState: HardState = { term: 0, vote: 0n, commit: 0 };
  /** Every entry that was not replaced later, oldest first. */
  entries: LogEntry[] = [];
  readonly #toPayload: (raw: RawEntry) => Payload;

  constructor(toPayload: (raw: RawEntry) => Payload) {
    this.#toPayload = toPayload;
  }

  add(frame: Frame): void {
    let { firstIndex: index, term } = frame;
    for (const raw of frame.entries) {
      if (hasIndex(raw)) this.#addEntry(index++, term, raw);
      else if (raw.kind === hardStateKind) this.hardState = HardStateRecord.decode(raw.bytes);
      else if (raw.kind === termKind) ({ term } = TermRecord.decode(raw.bytes));
      else if (raw.kind === snapshotMarkKind) this.entries = [];
    }
  }

  #addEntry(index: number, term: number, raw: RawEntry): void {
    const first = this.entries[0]?.index ?? index;
    invariant(index <= first + this.entries.length, "the log has a hole");
    this.entries.length = Math.max(index - first, 0);
    const payload = raw.kind === leaderMarkKind ? undefined : this.#toPayload(raw);
    this.entries.push({ index, term, payload });
  }

  /**
   * The entries that belong behind a snapshot. A crash may have come between a snapshot from the
   * leader and its mark: a log that does not agree with the snapshot's end is not its future.
   */
  after(snapshot: { index: number; term: number }): LogEntry[] {
    const same = this.entries.find(({ index }) => index === snapshot.index);
    if (same !== undefined && same.term !== snapshot.term) return [];
    return this.entries.filter(({ index }) => index > snapshot.index);
  }
}
