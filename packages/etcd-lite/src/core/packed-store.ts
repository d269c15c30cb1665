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
import { EtcdError } from "./errors.ts";
import { KeyIndex } from "./key-index.ts";
import type { KeyValue } from "./key-value.ts";
import type {
  MvccStore,
  RangeQuery,
  RangeResult,
  StoreContent,
  WriteTransaction,
} from "./mvcc-store.ts";
import { PackedTransaction } from "./packed-transaction.ts";
import { messageSize, PackedVersion, type VersionContent, writeMessage } from "./packed-version.ts";
import { RecordArena, recordHeaderBytes } from "./record-arena.ts";
import { RevisionLog } from "./revision-log.ts";

const firstRevision = 1;

const tidiedPerWrite = 16;

interface NewRecord {
  /** Bytes of the message. */
  readonly size: number;
  readonly sub: number;
  readonly before: number;
  readonly isDead: boolean;
}

export function createPackedStore(content?: StoreContent): MvccStore {
  const store = new PackedStore();
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
      const kv = this.#visible(this.#index.get(query.key), revision, current);
      if (kv === undefined) return { kvs: [], count: 0, revision: current };
      return { kvs: query.countOnly === true ? [] : [kv], count: 1, revision: current };
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
    this.#index.visit(query.key, to, (ref) => {
      const kv = this.#visible(ref, revision, current);
      if (kv === undefined) return false;
      if (kvs.length < limit) kvs.push(kv);
      return ++count >= limit && isNewest;
    });
    if (isNewest && count >= limit) count = this.#index.count(query.key, to);
    return { kvs, count, revision: current };
  }

  /** The version of a key that a read at a revision sees. */
  #visible(ref: number, revision: number, current: number): PackedVersion | undefined {
    if (ref === 0) return undefined;
    if (revision === current) return ref < 0 ? undefined : this.#load(ref);
    for (let at = Math.abs(ref); at !== 0; at = this.#arena.before(at)) {
      const kv = this.#load(at);
      if (kv.modRevision <= revision) return kv.version === 0 ? undefined : kv;
    }
    return undefined;
  }

  #load(ref: number): PackedVersion {
    return PackedVersion.at(this.#arena.bytesOf(ref), this.#arena.offsetOf(ref));
  }

  begin(): WriteTransaction {
    this.#open?.rollback();
    this.#open = new PackedTransaction(this);
    return this.#open;
  }

  /** Takes back what a transaction wrote that nobody committed; `newest` as before it. */
  undo(key: string, ref: number, newest: number): void {
    if (newest === 0) this.#index.delete(key);
    else this.#index.set(key, newest);
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
    const at = this.#arena.offsetOf(ref) + recordHeaderBytes;
    writeMessage(this.#arena.bytesOf(ref), at, content);
    return ref;
  }

  #append(key: string, record: NewRecord): number {
    const { size, sub, before, isDead } = record;
    const ref = this.#arena.allocate(size);
    this.#writeHead(ref, { before, size, sub, keyBytes: key.length });
    this.#index.set(key, isDead ? -ref : ref);
    return ref;
  }

  #writeHead(ref: number, head: { before: number; size: number; sub: number; keyBytes: number }) {
    const bytes = this.#arena.bytesOf(ref);
    const at = this.#arena.offsetOf(ref);
    bytes.writeUInt32LE(head.before, at);
    bytes.writeUInt32LE(head.size, at + 4);
    bytes.writeUInt32LE(head.sub, at + 8);
    bytes.writeUInt32LE(head.keyBytes, at + 12);
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
  }

  changesAt(revision: number): readonly KeyValue[] {
    return this.#log.at(revision).map((ref) => this.#load(ref));
  }

  changesOf(key: string, from: number): readonly KeyValue[] {
    const found: KeyValue[] = [];
    for (let at = Math.abs(this.#index.get(key)); at !== 0; at = this.#arena.before(at)) {
      const kv = this.#load(at);
      if (kv.modRevision < from) break;
      found.push(kv);
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
          if (!this.#droppedNow.has(ref)) this.#trim(this.#load(ref).key);
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

  /** Drops the versions that a newer one hides from every read that is still allowed. */
  #trim(key: string): void {
    let newer = 0;
    let at = Math.abs(this.#index.get(key));
    while (at !== 0 && this.#load(at).modRevision > this.#compacted) {
      newer = at;
      at = this.#arena.before(at);
    }
    if (at === 0) return;
    const kv = this.#load(at);
    const hidden = this.#arena.before(at);
    for (let old = hidden; old !== 0; ) {
      const older = this.#arena.before(old);
      this.#drop(old, this.#load(old));
      old = older;
    }
    if (kv.version !== 0) {
      if (hidden !== 0) this.#setBefore(key, at, 0);
      return;
    }
    this.#drop(at, kv);
    if (newer === 0) this.#index.delete(key);
    else this.#setBefore(key, newer, 0);
  }

  #drop(ref: number, { modRevision }: KeyValue): void {
    this.droppedCount++;
    if (modRevision === this.#trimNext) this.#droppedNow.add(ref);
    // What is before the compacted revision is forgotten by the log as a whole.
    if (modRevision > this.#trimNext || modRevision === this.#compacted) {
      this.#log.replace(modRevision, ref, undefined);
    }
    this.#arena.release(ref);
  }

  /** In place where the slab is ours, else in a copy: a fork may read the old one. */
  #setBefore(key: string, ref: number, before: number): void {
    if (!this.#arena.setBefore(ref, before)) this.#move(key, ref, before);
  }

  /** Copies a record, and newer ones as long as they cannot be made to refer to the copy. */
  #move(key: string, ref: number, before: number): void {
    const head = this.#index.get(key);
    let at = ref;
    let copy = this.#copyRecord(at, before);
    while (at !== Math.abs(head)) {
      let newer = Math.abs(head);
      while (this.#arena.before(newer) !== at) newer = this.#arena.before(newer);
      this.#arena.release(at);
      if (this.#arena.setBefore(newer, copy)) return;
      at = newer;
      copy = this.#copyRecord(at, copy);
    }
    this.#index.set(key, head < 0 ? -copy : copy);
    this.#arena.release(at);
  }

  #copyRecord(ref: number, before: number): number {
    const kv = this.#load(ref);
    const size = kv.to - kv.from;
    const copy = this.#arena.allocate(size);
    this.#writeHead(copy, { before, size, sub: kv.sub, keyBytes: kv.key.length });
    const to = this.#arena.offsetOf(copy) + recordHeaderBytes;
    kv.bytes.copy(this.#arena.bytesOf(copy), to, kv.from, kv.to);
    this.#log.replace(kv.modRevision, ref, copy);
    return copy;
  }

  #moveIfNeeded(ref: number): void {
    const { key, modRevision } = this.#load(ref);
    for (let at = Math.abs(this.#index.get(key)); at !== 0; at = this.#arena.before(at)) {
      if (at === ref) {
        this.#move(key, ref, this.#arena.before(ref));
        return;
      }
      if (this.#load(at).modRevision < modRevision) return;
    }
  }

  *versions(): Iterable<KeyValue> {
    this.#trimAll();
    const logFrom = Math.max(this.#compacted, firstRevision + 1);
    for (const ref of this.#index.refs()) {
      // Of what is older than the log there is one version a key: the last of its chain.
      let at = Math.abs(ref);
      for (let old = at; old !== 0; old = this.#arena.before(old)) at = old;
      const kv = this.#load(at);
      if (kv.modRevision < logFrom) yield kv;
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
    let next = logFrom;
    for (const kv of versions) {
      const ref = this.#copy(kv);
      if (kv.modRevision < logFrom) continue;
      for (; next < kv.modRevision; next++) {
        this.#log.append(pending);
        pending = [];
      }
      pending.push(ref);
    }
    for (; next <= revision; next++) {
      this.#log.append(pending);
      pending = [];
    }
    this.#revision = revision;
  }

  #copy(kv: KeyValue): number {
    const newest = this.#index.get(kv.key);
    if (!(kv instanceof PackedVersion)) return this.write(kv, kv.sub, newest);
    const size = kv.to - kv.from;
    const { sub, version } = kv;
    const before = Math.abs(newest);
    const ref = this.#append(kv.key, { size, sub, before, isDead: version === 0 });
    const to = this.#arena.offsetOf(ref) + recordHeaderBytes;
    kv.bytes.copy(this.#arena.bytesOf(ref), to, kv.from, kv.to);
    return ref;
  }
}
