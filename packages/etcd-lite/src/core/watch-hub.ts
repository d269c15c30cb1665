/**
 * Who wants to hear of which change, and who has heard how much.
 *
 * Pure: changes come in, deliveries go out. A watch is *synced* when it has seen everything up to
 * the store's revision; it then gets new changes as they happen. A watch that starts in the past,
 * or on a stream that was blocked, is *behind*: catchUp() reads what it missed from the store, in
 * portions.
 *
 * Promises  per watch: in order of revision, each change once, none missed, a transaction whole
 * Errors    (as text, for cancel_reason) a span that is empty, an id taken twice
 * Source    etcd v3.6 server/storage/mvcc/watchable_store.go, watcher.go
 */
import { isInSpan, isTombstone, type KeySpan, type KeyValue } from "./key-value.ts";
import type { MvccStore } from "./mvcc-store.ts";

export interface WatchSpec extends KeySpan {
  /** 0 lets the stream choose. */
  readonly id: number;
  /** 0 is "from now on". */
  readonly startRevision: number;
  readonly noPut: boolean;
  readonly noDelete: boolean;
}

export interface Delivery {
  readonly watchId: number;
  /** The store's revision that this delivery takes the watch to; 0 when compacted. */
  readonly revision: number;
  readonly changes: readonly KeyValue[];
  /** Set: the watch is over, what it missed is forgotten. */
  readonly compactRevision?: number;
}

export interface WatchStream {
  /** The id of the new watch, or why there is none. */
  create(spec: WatchSpec): number | { readonly refused: string };
  cancel(id: number): boolean;
  /** Takes up to a portion of what was missed; `isCaughtUp` tells whether more is waiting. */
  catchUp(): Delivery[];
  readonly isCaughtUp: boolean;
  /** Deliveries are not wanted now: watches fall behind instead of filling memory. */
  block(): void;
  unblock(): void;
  /** True when this watch has seen everything and has begun. */
  isSynced(id: number): boolean;
  /** True when all have: then the store's revision is a bookmark for the whole stream. */
  isAllSynced(): boolean;
  readonly isEmpty: boolean;
  close(): void;
}

export interface WatchHub {
  /** `onBehind`: catchUp() has something to give, without anybody having asked for it. */
  open(deliver: (delivery: Delivery) => void, onBehind?: () => void): WatchStream;
  /** Tells the watches of a committed transaction. */
  notify(revision: number, changes: readonly KeyValue[]): void;
  /**
   * The store is another one. Further on: all have something to catch up with. Further back: who
   * has seen what is undone now is told that its past is compacted, and has to look anew.
   */
  rebase(store: MvccStore): void;
  readonly watchCount: number;
  readonly streamCount: number;
  /** Watches that have something to catch up with. */
  readonly behindCount: number;
}

interface Watch extends WatchSpec {
  readonly stream: Stream;
  /** The next revision this watch is to hear of. */
  next: number;
  isBehind: boolean;
  isCompacted: boolean;
}

/** Revisions with something to tell in one delivery: etcd's watchBatchMaxRevs. */
const portionRevisions = 1000;
/** Revisions looked at for one delivery, so that a watch far behind holds nobody up. */
const scannedRevisionsMax = 20_000;

export function createWatchHub(store: MvccStore): WatchHub {
  return new Hub(store);
}

class Hub implements WatchHub {
  store: MvccStore;
  readonly #streams = new Set<Stream>();
  readonly #byKey = new Map<string, Set<Watch>>();
  readonly #ranges = new Set<Watch>();
  #count = 0;

  constructor(store: MvccStore) {
    this.store = store;
  }

  get watchCount(): number {
    return this.#count;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get behindCount(): number {
    let count = 0;
    for (const stream of this.#streams) count += stream.behindCount;
    return count;
  }

  open(deliver: (delivery: Delivery) => void, onBehind: () => void = () => {}): WatchStream {
    const stream = new Stream(this, deliver, onBehind);
    this.#streams.add(stream);
    return stream;
  }

  closed(stream: Stream): void {
    this.#streams.delete(stream);
  }

  rebase(store: MvccStore): void {
    this.store = store;
    for (const stream of this.#streams) stream.rebase();
  }

  add(watch: Watch): void {
    this.#count++;
    if (watch.end !== undefined) {
      this.#ranges.add(watch);
      return;
    }
    const set = this.#byKey.get(watch.key);
    if (set === undefined) this.#byKey.set(watch.key, new Set([watch]));
    else set.add(watch);
  }

  remove(watch: Watch): void {
    this.#count--;
    if (watch.end !== undefined) {
      this.#ranges.delete(watch);
      return;
    }
    const set = this.#byKey.get(watch.key);
    set?.delete(watch);
    if (set?.size === 0) this.#byKey.delete(watch.key);
  }

  notify(revision: number, changes: readonly KeyValue[]): void {
    const told = new Map<Watch, KeyValue[]>();
    for (const change of changes) {
      const exact = this.#byKey.get(change.key);
      if (exact !== undefined) for (const watch of exact) collect(told, watch, change);
      for (const watch of this.#ranges) {
        if (isInSpan(watch, change.key)) collect(told, watch, change);
      }
    }
    for (const [watch, found] of told) watch.stream.tell(watch, revision, found);
  }
}

function collect(told: Map<Watch, KeyValue[]>, watch: Watch, change: KeyValue): void {
  if (watch.isBehind || change.modRevision < watch.next) return;
  const found = told.get(watch);
  if (found === undefined) told.set(watch, [change]);
  else found.push(change);
}

function isWanted(watch: Watch, change: KeyValue): boolean {
  return isTombstone(change) ? !watch.noDelete : !watch.noPut;
}

/** What one watch gets of a pass. */
interface Portion {
  readonly watch: Watch;
  readonly changes: KeyValue[];
  /** Revisions of which it got something. */
  told: number;
}

/** A watch of one key needs no log where the store knows the key's own history. */
function collectOwn(portion: Portion, store: MvccStore): boolean {
  const { watch } = portion;
  if (watch.end !== undefined || store.changesOf === undefined) return false;
  const all = store.changesOf(watch.key, watch.next);
  const changes = all.slice(0, portionRevisions);
  watch.next = changes.length < all.length ? changes.at(-1)!.modRevision + 1 : store.revision + 1;
  for (const change of changes) if (isWanted(watch, change)) portion.changes.push(change);
  return true;
}

/** The changes of the next revision, as far as the watch wants them. */
function collectPast(portion: Portion, changes: readonly KeyValue[]): void {
  const { watch } = portion;
  const before = portion.changes.length;
  for (const change of changes) {
    if (isInSpan(watch, change.key) && isWanted(watch, change)) portion.changes.push(change);
  }
  if (portion.changes.length > before) portion.told++;
  watch.next++;
}

class Stream implements WatchStream {
  readonly #hub: Hub;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #onBehind: () => void;
  readonly #watches = new Map<number, Watch>();
  /** Those of them that have something to catch up with. */
  readonly #behind = new Set<Watch>();
  #nextId = 0;
  #isBlocked = false;

  constructor(hub: Hub, deliver: (delivery: Delivery) => void, onBehind: () => void) {
    this.#hub = hub;
    this.#deliver = deliver;
    this.#onBehind = onBehind;
  }

  rebase(): void {
    const { revision } = this.#hub.store;
    for (const watch of this.#watches.values()) {
      if (watch.next > revision + 1) this.#deliver(this.#compacted(watch, revision));
      else if (watch.next <= revision) this.#fallBehind(watch);
    }
    this.#onBehind();
  }

  #fallBehind(watch: Watch): void {
    if (watch.isCompacted) return;
    watch.isBehind = true;
    this.#behind.add(watch);
  }

  get isEmpty(): boolean {
    return this.#watches.size === 0;
  }

  get behindCount(): number {
    return this.#behind.size;
  }

  create(spec: WatchSpec): number | { readonly refused: string } {
    if (spec.end !== undefined && spec.end !== "" && spec.key >= spec.end) {
      return { refused: "mvcc: watcher range is empty" };
    }
    let { id } = spec;
    if (id === 0) {
      while (this.#watches.has(this.#nextId)) this.#nextId++;
      id = this.#nextId++;
    } else if (this.#watches.has(id)) {
      return { refused: "mvcc: duplicate watch ID provided on the WatchStream" };
    }
    const current = this.#hub.store.revision;
    const isBehind = spec.startRevision !== 0 && spec.startRevision <= current;
    const next = isBehind ? spec.startRevision : Math.max(spec.startRevision, current + 1);
    const watch: Watch = { ...spec, id, stream: this, next, isBehind, isCompacted: false };
    this.#watches.set(id, watch);
    if (isBehind) this.#behind.add(watch);
    this.#hub.add(watch);
    return id;
  }

  cancel(id: number): boolean {
    const watch = this.#watches.get(id);
    if (watch === undefined) return false;
    this.#watches.delete(id);
    this.#behind.delete(watch);
    this.#hub.remove(watch);
    return true;
  }

  close(): void {
    for (const id of [...this.#watches.keys()]) this.cancel(id);
    this.#hub.closed(this);
  }

  block(): void {
    this.#isBlocked = true;
  }

  unblock(): void {
    this.#isBlocked = false;
  }

  tell(watch: Watch, revision: number, found: readonly KeyValue[]): void {
    if (this.#isBlocked) {
      // It had seen all before: what it may have missed begins here, however long it was quiet.
      watch.next = Math.max(watch.next, revision);
      this.#fallBehind(watch);
      return;
    }
    watch.next = revision + 1;
    const changes = found.filter((change) => isWanted(watch, change));
    if (changes.length > 0) this.#deliver({ watchId: watch.id, revision, changes });
  }

  /** One pass over the log for all watches that are behind, however many they are. */
  catchUp(): Delivery[] {
    const { store } = this.#hub;
    const deliveries: Delivery[] = [];
    const portions: Portion[] = [];
    for (const watch of this.#behind) {
      if (watch.next < store.compactedRevision)
        deliveries.push(this.#compacted(watch, store.compactedRevision));
      else portions.push({ watch, changes: [], told: 0 });
    }
    const scanned = portions.filter((portion) => !collectOwn(portion, store));
    const from = scanned.reduce((least, { watch }) => Math.min(least, watch.next), Infinity);
    const stop = Math.min(store.revision, from + scannedRevisionsMax);
    for (let at = from; at <= stop; at++) {
      const changes = store.changesAt(at);
      for (const portion of scanned) {
        if (portion.watch.next === at && portion.told < portionRevisions)
          collectPast(portion, changes);
      }
    }
    const { revision } = store;
    for (const { watch, changes } of portions) {
      if (watch.next > revision) {
        watch.isBehind = false;
        this.#behind.delete(watch);
      }
      if (changes.length > 0) deliveries.push({ watchId: watch.id, revision, changes });
    }
    return deliveries;
  }

  #compacted(watch: Watch, compactRevision: number): Delivery {
    watch.isCompacted = true;
    this.#behind.delete(watch);
    return { watchId: watch.id, revision: 0, changes: [], compactRevision };
  }

  get isCaughtUp(): boolean {
    return this.#behind.size === 0;
  }

  isSynced(id: number): boolean {
    const watch = this.#watches.get(id);
    return watch !== undefined && this.#hasBegun(watch);
  }

  isAllSynced(): boolean {
    return [...this.#watches.values()].every((watch) => this.#hasBegun(watch));
  }

  #hasBegun(watch: Watch): boolean {
    return !watch.isBehind && this.#hub.store.revision >= watch.startRevision;
  }
}
