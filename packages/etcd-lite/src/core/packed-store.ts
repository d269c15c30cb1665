/**
 * The store that members run on: what MvccStore promises, with versions as packed records.
 *
 * It does the same as mvcc-store.ts, which says it more plainly; one suite runs on both. What is
 * different: a version is a record in a slab (record-arena.ts), versions of a key are a chain from
 * the newest to the oldest, an index maps keys to the newest (key-index.ts), and what a compaction
 * forgets is cleared away in portions (`tidy`), so that no compaction holds up anybody.
 *
 * Chains  end, once cleared away, at the version that is visible at the compacted revision
 */
import { ColdHistory } from "./cold-history.ts";
import { EtcdError } from "./errors.ts";
import { KeyIndex, scanKeys } from "./key-index.ts";
import type { KeyValue } from "./key-value.ts";
import { moveRecord } from "./move-record.ts";
import type {
  EncodedKeyValues,
  MvccStore,
  RangeQuery,
  RangeResult,
  Scan,
  StoreContent,
  WriteTransaction,
} from "./mvcc-store.ts";
import {
  addRecord,
  copyMessage,
  encodeRecords,
  isTombstone,
  messageAt,
  type RecordHead,
  readRecord,
  revisionOf,
} from "./packed-record.ts";
import { PackedTransaction } from "./packed-transaction.ts";
import { messageSize, PackedVersion, type VersionContent, writeMessage } from "./packed-version.ts";
import { type ColdStorage, RecordArena } from "./record-arena.ts";
import { RevisionLog } from "./revision-log.ts";

const firstRevision = 1;

const tidiedPerWrite = 16;
/** For each byte that is written: bytes looked at of slabs that are to leave memory. */
const cooledPerByte = 2;

type NewRecord = Omit<RecordHead, "keyBytes"> & { readonly isDead: boolean };

/** `storage` is where old versions go that would fill memory; absent: they stay in it. */
export function createPackedStore(content?: StoreContent, storage?: ColdStorage): MvccStore {
  const store = new PackedStore();
  if (storage !== undefined) store.cool(storage);
  if (content !== undefined) store.restore(content);
  return store;
}

class PackedStore implements MvccStore {
  #arena = new RecordArena();
  #index = new KeyIndex();
  #log = new RevisionLog<number>(firstRevision + 1);
  #revision = firstRevision;
  #compacted = -1;
  /** Everything that a compaction at this revision forgets is cleared away. */
  #trimmed = -1;
  /** The next revision whose keys are to be trimmed, while there is something to do. */
  #trimNext = 0;
  /** Of that revision: versions that went while it was looked at. */
  readonly #droppedNow = new Set<number>();
  droppedCount = 0;
  #evacuation: Iterator<number> | undefined;
  /** A fork has none: it only reads, mostly. */
  #cold: ColdHistory | undefined;
  #open: PackedTransaction | undefined;

  get revision(): number {
    return this.#revision;
  }
  get compactedRevision(): number {
    return this.#compacted;
  }
  get keyCount(): number {
    return this.#index.size;
  }
  get sizeBytes(): number {
    return this.#arena.liveBytes;
  }
  get heldBytes(): number {
    return this.#arena.heldBytes;
  }

  fork(): MvccStore {
    this.#open?.rollback();
    const copy = new PackedStore();
    copy.#arena = this.#arena.fork();
    copy.#index = this.#index.fork();
    copy.#log = this.#log.fork();
    copy.#revision = this.#revision;
    copy.#compacted = this.#compacted;
    copy.#trimmed = this.#trimmed;
    copy.#trimNext = this.#trimNext;
    return copy;
  }

  cool(storage: ColdStorage): void {
    this.#cold = new ColdHistory(storage, this.#arena, (ref) => this.#keepNewest(ref));
  }

  range(query: RangeQuery): RangeResult {
    return this.rangeAt(query, this.#revision);
  }

  /** `current` is one ahead of the store's inside a transaction that has written. */
  rangeAt(query: RangeQuery, current: number): RangeResult {
    const asked = query.revision ?? 0;
    if (asked > current) throw new EtcdError("FutureRevision");
    const revision = asked <= 0 ? current : asked;
    if (revision < this.#compacted) throw new EtcdError("Compacted");
    if (query.end === undefined) {
      const ref = this.#visible(this.#index.get(query.key), revision, current);
      if (ref === 0) return { kvs: [], count: 0, revision: current };
      const kvs = query.countOnly === true ? [] : [this.#load(ref)];
      return { kvs, count: 1, revision: current };
    }
    const kvs: KeyValue[] = [];
    const isNewest = revision === current;
    const limit = query.countOnly
      ? 0
      : query.limit !== undefined && query.limit > 0
        ? query.limit
        : Infinity;
    const to = query.end === "" ? undefined : query.end;
    // The newest are counted by the index; for older ones every key must be looked at.
    if (isNewest && limit === 0) {
      return { kvs, count: this.#index.count(query.key, to), revision: current };
    }
    let count = 0;
    this.#index.visit(query.key, to, (newest) => {
      const ref = this.#visible(newest, revision, current);
      if (ref === 0) return false;
      if (kvs.length < limit) kvs.push(this.#load(ref));
      return ++count >= limit && isNewest;
    });
    if (isNewest && count >= limit) count = this.#index.count(query.key, to);
    return { kvs, count, revision: current };
  }

  /** The version of a key that a read at a revision sees; 0 for none. */
  #visible(newest: number, revision: number, current: number): number {
    if (revision === current) return Math.max(newest, 0);
    const arena = this.#arena;
    for (let at = Math.abs(newest); at !== 0; at = arena.before(at)) {
      if (revisionOf(arena, at) <= revision) return isTombstone(arena, at) ? 0 : at;
    }
    return 0;
  }

  scan(query: RangeQuery): Scan {
    const { refs, next } = this.#refsOf(query);
    return { kvs: refs.map((ref) => this.#load(ref)), next };
  }

  encodeScan(query: RangeQuery): EncodedKeyValues {
    const { refs, next } = this.#refsOf(query);
    const wanted = query.countOnly === true ? [] : refs;
    return { bytes: encodeRecords(this.#arena, wanted), count: refs.length, next };
  }

  #refsOf(query: RangeQuery) {
    const revision = query.revision || this.#revision;
    return scanKeys(this.#index, query, (ref) => this.#visible(ref, revision, this.#revision));
  }

  #load(ref: number): PackedVersion {
    return readRecord(this.#arena, ref);
  }

  begin(): WriteTransaction {
    this.#open?.rollback();
    this.#open = new PackedTransaction(this);
    return this.#open;
  }

  /** Takes back what a transaction wrote that nobody committed; `newest` as before it. */
  undo(key: string, ref: number, newest: number): void {
    if (newest === 0) this.#index.delete(key);
    else {
      this.#index.set(key, newest);
      this.#arena.revive(Math.abs(newest));
    }
    this.#arena.release(ref);
  }

  /** Reference to the newest version of a key: 0 for none, negative for a tombstone. */
  newest(key: string): number {
    return this.#index.get(key);
  }

  /** Gives the reference of the new record; `newest` is what the key had until now. */
  write(content: VersionContent, sub: number, newest: number): number {
    const size = messageSize(content);
    const isDead = content.version === 0;
    const ref = this.#append(content.key, { size, sub, isDead, before: Math.abs(newest) });
    writeMessage(this.#arena.bytesOf(ref)!, messageAt(this.#arena, ref), content);
    return ref;
  }

  #append(key: string, record: NewRecord): number {
    const { size, sub, before, isDead } = record;
    const ref = addRecord(this.#arena, { before, size, sub, keyBytes: key.length });
    if (before !== 0) this.#arena.supersede(before);
    this.#index.set(key, isDead ? -ref : ref);
    return ref;
  }

  version(ref: number): KeyValue {
    return this.#load(ref);
  }

  advance(refs: readonly number[]): void {
    this.#open = undefined;
    this.#log.append(refs);
    this.#revision++;
    // Writes pay for what compactions left, should nobody else do it.
    if (this.#trimmed < this.#compacted) this.tidy(tidiedPerWrite);
    this.#coolSome(refs);
  }

  #coolSome(written: readonly number[]): void {
    if (this.#cold === undefined) return;
    const bytes = written.reduce((sum, ref) => sum + this.#arena.recordBytes(ref), 0);
    this.#cold.step(bytes * cooledPerByte);
  }

  #keepNewest(ref: number): void {
    this.#open?.rollback();
    const { key } = this.#load(ref);
    if (Math.abs(this.#index.get(key)) === ref) this.#move(key, ref, this.#arena.before(ref));
  }

  changesAt(revision: number): readonly KeyValue[] {
    return this.#log.at(revision).map((ref) => this.#load(ref));
  }

  changesOf(key: string, from: number): readonly KeyValue[] {
    const found: KeyValue[] = [];
    for (let at = Math.abs(this.#index.get(key)); at !== 0; at = this.#arena.before(at)) {
      if (revisionOf(this.#arena, at) < from) break;
      found.push(this.#load(at));
    }
    return found.reverse();
  }

  compact(revision: number): void {
    if (revision <= this.#compacted) throw new EtcdError("Compacted");
    if (revision > this.#revision) throw new EtcdError("FutureRevision");
    this.#trimAll();
    this.#compacted = revision;
    // Garbage can only be under keys that changed since the last compaction, so the cost is what
    // happened since then, not what the store holds.
    this.#trimNext = Math.max(this.#trimmed + 1, this.#log.first);
    this.#evacuation = undefined;
  }

  /** Clears away what compactions forgot: so many keys at most. True: there is more to do. */
  tidy(keysMax: number): boolean {
    let left = keysMax;
    if (this.#trimmed < this.#compacted) {
      for (; left > 0 && this.#trimNext <= this.#compacted; this.#trimNext++) {
        for (const ref of this.#log.at(this.#trimNext)) {
          left--;
          // A key may be there twice: then the first has dropped the second.
          if (!this.#droppedNow.has(ref)) left -= this.#trim(this.#load(ref).key);
        }
        this.#droppedNow.clear();
      }
      this.#log.forgetBefore(Math.min(this.#trimNext, this.#compacted));
      if (this.#trimNext <= this.#compacted) return true;
      this.#trimmed = this.#compacted;
      this.#evacuation = this.#arena.scattered()[Symbol.iterator]();
    }
    for (; this.#evacuation !== undefined && left > 0; left--) {
      const next = this.#evacuation.next();
      if (next.done) this.#evacuation = undefined;
      else this.#moveIfNeeded(next.value);
    }
    return this.#evacuation !== undefined;
  }

  #trimAll(): void {
    while (this.#trimmed < this.#compacted) this.tidy(1000);
  }

  /** Drops the versions that a newer one hides from all reads still allowed: tells how many. */
  #trim(key: string): number {
    let newer = 0;
    let at = Math.abs(this.#index.get(key));
    while (at !== 0 && revisionOf(this.#arena, at) > this.#compacted) {
      newer = at;
      at = this.#arena.before(at);
    }
    if (at === 0) return 0;
    const hidden = this.#arena.before(at);
    let dropped = 0;
    for (let old = hidden; old !== 0; dropped++) {
      const older = this.#arena.before(old);
      this.#drop(old);
      old = older;
    }
    if (!isTombstone(this.#arena, at)) {
      if (hidden !== 0) this.#setBefore(key, at, 0);
      return dropped;
    }
    this.#drop(at);
    if (newer === 0) this.#index.delete(key);
    else this.#setBefore(key, newer, 0);
    return dropped + 1;
  }

  #drop(ref: number): void {
    const modRevision = revisionOf(this.#arena, ref);
    this.droppedCount++;
    if (modRevision === this.#trimNext) this.#droppedNow.add(ref);
    // What is before the compacted revision is forgotten by the log as a whole.
    if (modRevision > this.#trimNext || modRevision === this.#compacted) {
      this.#log.replace(modRevision, ref, undefined);
    }
    this.#arena.release(ref);
  }

  #setBefore(key: string, ref: number, before: number): void {
    if (!this.#arena.setBefore(ref, before)) this.#move(key, ref, before);
  }

  #move(key: string, ref: number, before: number): void {
    moveRecord({ arena: this.#arena, index: this.#index, log: this.#log }, { key, ref, before });
  }

  #moveIfNeeded(ref: number): void {
    const { key, modRevision } = this.#load(ref);
    for (let at = Math.abs(this.#index.get(key)); at !== 0; at = this.#arena.before(at)) {
      if (at === ref) {
        this.#move(key, ref, this.#arena.before(ref));
        return;
      }
      if (revisionOf(this.#arena, at) < modRevision) return;
    }
  }

  *versions(): Iterable<KeyValue> {
    this.#trimAll();
    const logFrom = Math.max(this.#compacted, firstRevision + 1);
    for (const ref of this.#index.refs()) {
      // Of what is older than the log there is one version a key: the last of its chain.
      let at = Math.abs(ref);
      for (let old = at; old !== 0; old = this.#arena.before(old)) at = old;
      if (revisionOf(this.#arena, at) < logFrom) yield this.#load(at);
    }
    for (let at = logFrom; at <= this.#revision; at++) yield* this.changesAt(at);
  }

  restore({ revision, compactedRevision, versions }: StoreContent): void {
    this.#compacted = compactedRevision;
    this.#trimmed = compactedRevision;
    // Versions that compaction kept may be older than the log begins.
    const logFrom = Math.max(compactedRevision, firstRevision + 1);
    this.#log = new RevisionLog<number>(logFrom);
    let pending: number[] = [];
    const upTo = (revision: number) => {
      while (this.#log.next < revision) {
        this.#log.append(pending);
        this.#coolSome(pending);
        pending = [];
      }
    };
    for (const kv of versions) {
      const ref = this.#copy(kv);
      if (kv.modRevision < logFrom) continue;
      upTo(kv.modRevision);
      pending.push(ref);
    }
    upTo(revision + 1);
    this.#revision = revision;
  }

  #copy(kv: KeyValue): number {
    const newest = this.#index.get(kv.key);
    if (!(kv instanceof PackedVersion)) return this.write(kv, kv.sub, newest);
    const head = { size: kv.to - kv.from, sub: kv.sub, before: Math.abs(newest) };
    const ref = this.#append(kv.key, { ...head, isDead: kv.version === 0 });
    copyMessage(this.#arena, ref, kv);
    return ref;
  }
}
