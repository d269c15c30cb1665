/**
 * The log of one member, as far as it is kept in memory.
 *
 *     compacted │ applied ≤ committed │ not committed yet
 *     snapshot  │ entries ………………………………………………………… │ last
 *               └ base                └ durable: everything up to here survives a crash
 *
 * An index says where, a term says which leader put it there: two logs with an entry of the same
 * index and term are the same up to it (log matching, thesis 3.5).
 */
import { invariant } from "./invariant.ts";
import type { LogEntry, Snapshot } from "./message.ts";

export interface LogContent {
  /** What stands before the first entry; 0, 0 for nothing. */
  readonly base: { readonly index: number; readonly term: number };
  readonly entries: readonly LogEntry[];
}

export class RaftLog {
  #baseIndex: number;
  #baseTerm: number;
  #entries: LogEntry[];
  /** Highest index known to be on a majority. */
  committed: number;
  /** Highest index handed out to be applied. */
  applied: number;
  /** Highest index that would survive a crash. */
  durable: number;
  /** Highest index handed out to be written. */
  #written: number;

  constructor({ base, entries }: LogContent) {
    this.#baseIndex = base.index;
    this.#baseTerm = base.term;
    this.#entries = [...entries];
    this.committed = base.index;
    this.applied = base.index;
    this.durable = this.lastIndex;
    this.#written = this.lastIndex;
  }

  /** The oldest entry that is still here. */
  get firstIndex(): number {
    return this.#baseIndex + 1;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#baseTerm;
  }

  /** The term at an index; undefined when it is compacted away or not written yet. */
  term(index: number): number | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.firstIndex]?.term;
  }

  entry(index: number): LogEntry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  /** From `from` on as many as fit into `maxBytes`, at least one; undefined when compacted. */
  slice(from: number, maxBytes: number, to = this.lastIndex): LogEntry[] | undefined {
    if (from < this.firstIndex) return undefined;
    const found: LogEntry[] = [];
    let sizeBytes = 0;
    for (let index = from; index <= to; index++) {
      const entry = this.entry(index)!;
      sizeBytes += entry.payload?.sizeBytes ?? 0;
      if (found.length > 0 && sizeBytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /** A leader's own: always behind everything that is there. */
  push(entry: LogEntry): void {
    invariant(entry.index === this.lastIndex + 1, "an entry is appended behind a gap");
    this.#entries.push(entry);
  }

  /**
   * A follower's: what the leader has after (prevIndex, prevTerm). What conflicts goes, what is
   * there already stays. Answers the last index that now surely agrees, or undefined for a gap.
   */
  merge(prevIndex: number, prevTerm: number, entries: readonly LogEntry[]): number | undefined {
    const mine = this.term(prevIndex);
    if (mine === undefined || mine !== prevTerm) return undefined;
    for (const [i, entry] of entries.entries()) {
      if (this.term(entry.index) === entry.term) continue;
      if (entry.index <= this.lastIndex) this.#truncateFrom(entry.index);
      this.#entries.push(...entries.slice(i));
      break;
    }
    return prevIndex + entries.length;
  }

  #truncateFrom(index: number): void {
    invariant(index > this.committed, `a committed entry (${index}) would be overwritten`);
    this.#entries.length = index - this.firstIndex;
    this.durable = Math.min(this.durable, index - 1);
    this.#written = Math.min(this.#written, index - 1);
  }

  commitTo(index: number): boolean {
    if (index <= this.committed) return false;
    invariant(index <= this.lastIndex, `entry ${index} is committed and not here`);
    this.committed = index;
    return true;
  }

  /** Is a log that ends so at least as new as this one? (thesis 3.6.1) */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** The highest index up to `from` whose term is at most `term`: nothing above it can agree. */
  lastIndexNotAfter(from: number, term: number): { index: number; term: number } {
    for (let index = from; index > 0; index--) {
      const mine = this.term(index);
      if (mine === undefined) return { index, term: 0 };
      if (mine <= term) return { index, term: mine };
    }
    return { index: 0, term: 0 };
  }

  takeUnwritten(): readonly LogEntry[] {
    if (this.#written === this.lastIndex) return none;
    const entries = this.#entries.slice(this.#written - this.#baseIndex);
    this.#written = this.lastIndex;
    return entries;
  }

  get hasUnwritten(): boolean {
    return this.#written < this.lastIndex;
  }

  /** A write ended. What was overwritten meanwhile has another term, and is not durable yet. */
  persisted(index: number, term: number): void {
    if (index > this.durable && this.term(index) === term) this.durable = index;
  }

  /** Committed, durable here, and not handed out before. */
  takeCommitted(): readonly LogEntry[] {
    const to = Math.min(this.committed, this.durable);
    if (to <= this.applied) return none;
    const from = this.applied + 1;
    this.applied = to;
    return this.#entries.slice(from - this.firstIndex, to - this.#baseIndex);
  }

  get hasCommitted(): boolean {
    return Math.min(this.committed, this.durable) > this.applied;
  }

  /** Forgets applied entries up to `index`. */
  compact(index: number): void {
    invariant(index <= this.applied, "the log is compacted beyond what is applied");
    if (index <= this.#baseIndex) return;
    const term = this.term(index)!;
    this.#entries.splice(0, index - this.#baseIndex);
    this.#baseIndex = index;
    this.#baseTerm = term;
  }

  /** A snapshot in place of everything. */
  restore({ index, term }: Snapshot): void {
    invariant(index > this.committed, "a snapshot is older than what is committed");
    this.#entries = [];
    this.#baseIndex = index;
    this.#baseTerm = term;
    this.committed = index;
    this.applied = index;
    this.durable = 0; // Not before the snapshot is.
    this.#written = index;
  }
}

const none: readonly LogEntry[] = [];
