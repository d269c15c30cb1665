/**
 * Every version of every key since the last compaction, readable at any revision since then.
 *
 * Pure: no clock, no socket, no promise. Writes come as transactions: all changes of one have the
 * same revision, in order. A fork shares everything and costs about a microsecond.
 *
 * Errors  FutureRevision   revision > current (not written yet)
 *         Compacted        revision < compacted (forgotten); equal is readable
 * Source  etcd v3.6 server/storage/mvcc/kvstore_txn.go, kvstore_compaction.go
 */
import { ownBytes } from "./bytes.ts";
import { EtcdError } from "./errors.ts";
import { isTombstone, type KeySpan, type KeyValue, noValue } from "./key-value.ts";
import { OrderedMap } from "./ordered-map.ts";
import { RevisionLog } from "./revision-log.ts";

export interface RangeQuery extends KeySpan {
  /** 0 or less is the newest. */
  readonly revision?: number;
  /** Keys; 0 is no limit, and `count` ignores it. */
  readonly limit?: number;
  readonly countOnly?: boolean;
}

export interface RangeResult {
  readonly kvs: KeyValue[];
  readonly count: number;
  /** The store's revision, not the one asked for. */
  readonly revision: number;
}

export interface Scan {
  readonly kvs: KeyValue[];
  /** The key that the rest begins with; undefined at the end. */
  readonly next: string | undefined;
}

export interface EncodedKeyValues {
  /** `kvs` of a RangeResponse. */
  readonly bytes: Buffer;
  readonly count: number;
  readonly next: string | undefined;
}

export interface WriteTransaction {
  /** The revision that its changes have. */
  readonly revision: number;
  readonly changes: readonly KeyValue[];
  /** Sees the changes made so far. */
  range(query: RangeQuery): RangeResult;
  /** Copies the value, should it keep it. */
  put(key: string, value: Uint8Array, lease: bigint): KeyValue;
  deleteRange(span: KeySpan): number;
  /**
   * Makes the changes visible; without any, the revision stays. A transaction that is dropped
   * instead is taken back when the next one begins.
   */
  commit(): void;
}

export interface MvccStore {
  readonly revision: number;
  /** -1 before the first compaction. */
  readonly compactedRevision: number;
  readonly keyCount: number;
  /** Bytes of all versions held, bookkeeping included. */
  readonly sizeBytes: number;
  /** Versions that compactions have forgotten; absent where nobody counts. */
  readonly droppedCount?: number;
  /** Of what the versions are kept in, with what compactions left; absent: the same. */
  readonly heldBytes?: number;
  range(query: RangeQuery): RangeResult;
  begin(): WriteTransaction;
  /** Forgets what no read at or after `revision` needs. */
  compact(revision: number): void;
  /**
   * A store may clear away later what a compaction forgot: so many keys at most, true when there is
   * more to do. Absent: compact() does it all.
   */
  tidy?(keysMax: number): boolean;
  /**
   * The first `limit` versions of a span, at a revision that can be read; fewer when most of what
   * stands there is gone. For lists that are made a portion at a time. Absent: nobody needs it.
   */
  scan?(query: RangeQuery): Scan;
  /** The same, as they go out; or counted only. */
  encodeScan?(query: RangeQuery): EncodedKeyValues;
  /** What was written at a revision that is not compacted. */
  changesAt(revision: number): readonly KeyValue[];
  /**
   * What was written of one key at `from` and later, oldest first, for a store that knows without
   * looking at every revision; `from` is not compacted.
   */
  changesOf?(key: string, from: number): readonly KeyValue[];
  /** Every version held: those older than the log by key, then the log, in order of revision. */
  versions(): Iterable<KeyValue>;
  fork(): MvccStore;
}

/** What is left of a store that was written down; `versions` in the order that versions() gives. */
export interface StoreContent {
  readonly revision: number;
  readonly compactedRevision: number;
  readonly versions: Iterable<KeyValue>;
}

interface KeyHistory {
  owner: object;
  /** Oldest first; never empty. */
  versions: KeyValue[];
}

const firstRevision = 1;
const versionOverheadBytes = 96;

export function createMvccStore(content?: StoreContent): MvccStore {
  const store = new Store();
  if (content !== undefined) store.restore(content);
  return store;
}

class Store implements MvccStore {
  #owner: object = {};
  #keys = new OrderedMap<KeyHistory>();
  #log = new RevisionLog(firstRevision + 1);
  #revision = firstRevision;
  #compacted = -1;
  #sizeBytes = 0;
  #open: Transaction | undefined;

  get revision(): number {
    return this.#revision;
  }
  get compactedRevision(): number {
    return this.#compacted;
  }
  get keyCount(): number {
    return this.#keys.size;
  }
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  fork(): MvccStore {
    this.#open?.rollback();
    const copy = new Store();
    copy.#keys = this.#keys.fork();
    copy.#log = this.#log.fork();
    copy.#revision = this.#revision;
    copy.#compacted = this.#compacted;
    copy.#sizeBytes = this.#sizeBytes;
    this.#owner = {};
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

    const kvs: KeyValue[] = [];
    const limit = query.limit !== undefined && query.limit > 0 ? query.limit : Infinity;
    let count = 0;
    const visit = (history: KeyHistory): boolean => {
      const kv = versionAt(history.versions, revision);
      if (kv === undefined) return false;
      count++;
      if (query.countOnly !== true && kvs.length < limit) kvs.push(kv);
      return false;
    };
    if (query.end === undefined) {
      const history = this.#keys.get(query.key);
      if (history !== undefined) visit(history);
    } else this.#keys.visit(query.key, query.end === "" ? undefined : query.end, visit);
    return { kvs, count, revision: current };
  }

  begin(): WriteTransaction {
    this.#open?.rollback();
    this.#open = new Transaction(this);
    return this.#open;
  }

  /** Takes back the newest version of a key: of a transaction that nobody committed. */
  undo(kv: KeyValue): void {
    const { versions } = this.#keys.get(kv.key)!;
    versions.pop();
    if (versions.length === 0) this.#keys.delete(kv.key);
    this.#sizeBytes -= sizeOf(kv);
  }

  /** The newest version of a key, tombstones too. */
  newest(key: string): KeyValue | undefined {
    return this.#keys.get(key)?.versions.at(-1);
  }

  write(kv: KeyValue): void {
    const history = this.#keys.get(kv.key);
    if (history === undefined) this.#keys.set(kv.key, { owner: this.#owner, versions: [kv] });
    else this.#ownHistory(kv.key, history).versions.push(kv);
    this.#sizeBytes += sizeOf(kv);
  }

  #ownHistory(key: string, history: KeyHistory): KeyHistory {
    if (history.owner === this.#owner) return history;
    const own = { owner: this.#owner, versions: history.versions.slice() };
    this.#keys.set(key, own);
    return own;
  }

  advance(changes: readonly KeyValue[]): void {
    this.#open = undefined;
    this.#log.append(changes);
    this.#revision++;
  }

  changesAt(revision: number): readonly KeyValue[] {
    return this.#log.at(revision);
  }

  compact(revision: number): void {
    if (revision <= this.#compacted) throw new EtcdError("Compacted");
    if (revision > this.#revision) throw new EtcdError("FutureRevision");
    // Garbage can only be under keys that changed since the last compaction, so the cost is what
    // happened since then, not what the store holds.
    const from = Math.max(this.#compacted, this.#log.first);
    for (let at = from; at <= revision; at++) {
      for (const { key } of this.#log.at(at)) this.#trim(key, revision);
    }
    this.#compacted = revision;
    this.#log.forgetBefore(revision);
  }

  /** Drops the versions that a newer one at or before `revision` hides, and old tombstones. */
  #trim(key: string, revision: number): void {
    const history = this.#keys.get(key);
    if (history === undefined) return;
    const { versions } = history;
    let keep = lastAtOrBefore(versions, revision);
    if (keep < 0) return;
    if (isTombstone(versions[keep]!)) keep++;
    if (keep === 0) return;
    for (let i = 0; i < keep; i++) this.#sizeBytes -= sizeOf(versions[i]!);
    if (keep === versions.length) this.#keys.delete(key);
    else this.#ownHistory(key, history).versions.splice(0, keep);
  }

  *versions(): Iterable<KeyValue> {
    const logFrom = Math.max(this.#compacted, firstRevision + 1);
    for (const history of this.#keys.values()) {
      for (const kv of history.versions) if (kv.modRevision < logFrom) yield kv;
    }
    for (let at = logFrom; at <= this.#revision; at++) {
      // What compaction dropped may still stand in the log's oldest chunk.
      for (const kv of this.#log.at(at)) if (this.#holds(kv)) yield kv;
    }
  }

  #holds(kv: KeyValue): boolean {
    return kv.modRevision > this.#compacted || !isTombstone(kv);
  }

  restore({ revision, compactedRevision, versions }: StoreContent): void {
    this.#compacted = compactedRevision;
    // Versions that compaction kept may be older than the log begins.
    const logFrom = Math.max(compactedRevision, firstRevision + 1);
    this.#log = new RevisionLog(logFrom);
    let pending: KeyValue[] = [];
    let next = logFrom;
    for (const kv of versions) {
      if (kv.modRevision >= logFrom) {
        for (; next < kv.modRevision; next++) {
          this.#log.append(pending);
          pending = [];
        }
        pending.push(kv);
      }
      this.write(kv);
    }
    for (; next <= revision; next++) {
      this.#log.append(pending);
      pending = [];
    }
    this.#revision = revision;
  }
}

class Transaction implements WriteTransaction {
  readonly changes: KeyValue[] = [];
  readonly revision: number;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.revision = store.revision + 1;
  }

  range(query: RangeQuery): RangeResult {
    return this.#store.rangeAt(query, this.#seen);
  }

  get #seen(): number {
    return this.changes.length > 0 ? this.revision : this.revision - 1;
  }

  put(key: string, value: Uint8Array, lease: bigint): KeyValue {
    const before = this.#store.newest(key);
    const isNew = before === undefined || isTombstone(before);
    return this.#write({
      key,
      // A view on a request would hold all of it in memory.
      value: ownBytes(value),
      createRevision: isNew ? this.revision : before.createRevision,
      modRevision: this.revision,
      sub: this.changes.length,
      version: isNew ? 1 : before.version + 1,
      lease,
    });
  }

  deleteRange(span: KeySpan): number {
    const { kvs } = this.range(span);
    for (const { key } of kvs) {
      this.#write({
        key,
        value: noValue,
        createRevision: 0,
        modRevision: this.revision,
        sub: this.changes.length,
        version: 0,
        lease: 0n,
      });
    }
    return kvs.length;
  }

  #write(kv: KeyValue): KeyValue {
    this.#store.write(kv);
    this.changes.push(kv);
    return kv;
  }

  commit(): void {
    if (this.changes.length > 0) this.#store.advance(this.changes);
  }

  /** As if it had never been: what was dropped without a commit. */
  rollback(): void {
    for (const kv of [...this.changes].reverse()) this.#store.undo(kv);
    this.changes.length = 0;
  }
}

function sizeOf(kv: KeyValue): number {
  return kv.key.length + kv.value.length + versionOverheadBytes;
}

function lastAtOrBefore(versions: readonly KeyValue[], revision: number): number {
  let at = versions.length - 1;
  while (at >= 0 && versions[at]!.modRevision > revision) at--;
  return at;
}

function versionAt(versions: readonly KeyValue[], revision: number): KeyValue | undefined {
  const kv = versions[lastAtOrBefore(versions, revision)];
  return kv === undefined || isTombstone(kv) ? undefined : kv;
}
