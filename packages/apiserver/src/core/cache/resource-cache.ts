/**
 * Every live object of one resource, its recent history, and those who watch it.
 *
 * Fed with etcd's events in revision order by io/etcd-store.ts. Reads are synchronous: whoever
 * needs
 * a fresh answer first awaits the store's `catchUp()`.
 *
 * Units   revision    etcd's; the resourceVersion of objects and lists
 * Errors  410 Expired when a watch asks for events that are no longer held
 * Source  staging/src/k8s.io/apiserver/pkg/storage/cacher/{cacher,watch_cache,cache_watcher}.go
 */
import { expired, type KubeObject } from "@nanokube/machinery";
import { CacheCounts } from "./cache-counts.ts";
import { KeptEncodings } from "./kept-encodings.ts";
import { KeptLists } from "./kept-lists.ts";
import { SortedKeys } from "./sorted-keys.ts";
import type { StorageCodec, StoredObject } from "./stored-object.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED";

export interface CacheEvent {
  revision: number;
  /** Absent for a deletion. */
  object: StoredObject | undefined;
  previous: StoredObject | undefined;
  /** Frames made for this event, one per wire form, shared by all who watch when it comes. */
  frames?: Map<string, Uint8Array> | undefined;
  /** `previous` under this event's revision, made once. */
  gone?: StoredObject;
}

export interface CacheWatcher {
  /** "", "NAMESPACE/" or "NAMESPACE/NAME": whose changes it is told of; absent: hardly any. */
  readonly interest?: string | undefined;
  onEvent(event: CacheEvent): void;
  /** The cache was rebuilt and history is lost: the watcher has to end with 410. */
  onReset(): void;
}

/** Events kept at least, and at most while they are fresh. */
const historyMin = 100;
export const historyMax = 100_000;
const historyFreshMs = 75_000;

const sampleMax = 16;

export class ResourceCache {
  readonly prefix: string;
  codec: StorageCodec;
  /** Other forms of the objects here; a store's caches share one. */
  readonly encodings: KeptEncodings;
  /** Whole lists, until the next change. */
  readonly lists = new KeptLists();
  readonly counts = new CacheCounts();
  /** Changes that etcd has told of. */
  eventsReceived = 0;
  readonly #objects = new Map<string, StoredObject>();
  readonly #keys = new SortedKeys();
  readonly #watchers = new Set<CacheWatcher>();
  /** What the server itself lists on every write, by namespace, until anything changes. */
  readonly shortLists = new Map<string, readonly KubeObject[]>();
  /** How many watchers have which interest. */
  readonly #interests = new Map<string, number>();
  #history: { event: CacheEvent; atMs: number }[] = [];
  /** Every event after this revision is in the history. */
  #completeSince = 0;
  /** The newest event: what the cache holds is also the state at any later revision. */
  #changedAt = 0;

  constructor(prefix: string, codec: StorageCodec, encodings = new KeptEncodings()) {
    this.prefix = prefix;
    this.codec = codec;
    this.encodings = encodings;
  }

  get size(): number {
    return this.#objects.size;
  }

  get changedAt(): number {
    return this.#changedAt;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** Objects whose key begins with `prefix`, in key order, from key `start` on. */
  *scan(prefix = "", start = ""): Generator<StoredObject> {
    for (const key of this.#keys.from(start, prefix)) {
      const object = this.#objects.get(key);
      if (object !== undefined) yield object;
    }
  }

  /** How many objects `scan` would give, without a look at each. */
  count(prefix: string, start: string): number {
    return this.#keys.count(start, prefix);
  }

  /** Loading: no event, no history. */
  load(object: StoredObject): void {
    this.#objects.set(object.key, object);
    this.#keys.add(object.key);
    this.shortLists.clear();
  }

  /** Called once loading is done, and again after a rebuild. */
  beginHistory(revision: number): void {
    this.#history = [];
    this.#completeSince = revision;
    // Before the store was read there is nothing to begin from.
    if (revision > 0) this.counts.initializations++;
    this.#changedAt = revision;
  }

  reset(): void {
    this.lists.clear();
    this.shortLists.clear();
    for (const key of [...this.#objects.keys()]) this.#keys.delete(key);
    this.#objects.clear();
    for (const watcher of [...this.#watchers]) watcher.onReset();
    this.#watchers.clear();
    this.#interests.clear();
  }

  put(object: StoredObject, nowMs: number): void {
    const previous = this.#objects.get(object.key);
    if (previous !== undefined && previous.revision >= object.revision) return;
    this.#objects.set(object.key, object);
    if (previous === undefined) this.#keys.add(object.key);
    this.#publish({ revision: object.revision, object, previous }, nowMs);
  }

  delete(key: string, revision: number, nowMs: number): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    this.#keys.delete(key);
    this.#publish({ revision, object: undefined, previous }, nowMs);
  }

  /** Joins from the present: everything after the caller's own reading of the cache. */
  watch(watcher: CacheWatcher): () => void {
    this.#watchers.add(watcher);
    this.#count(watcher, 1);
    return () => {
      if (this.#watchers.delete(watcher)) this.#count(watcher, -1);
    };
  }

  /** Watchers who may be told of a change of this object, or of this namespace. */
  watchersOf(namespace: string, name: string): number {
    const of = (interest: string): number => this.#interests.get(interest) ?? 0;
    const inNamespace = namespace === "" ? 0 : of(`${namespace}/`);
    return of("") + inNamespace + (name === "" ? 0 : of(`${namespace}/${name}`));
  }

  /** Of those that are looked at: as many as say how large the others are. */
  averageBytes(): number {
    let [sum, seen] = [0, 0];
    for (const { sizeBytes } of this.#objects.values()) {
      sum += sizeBytes;
      if (++seen === sampleMax) break;
    }
    return seen === 0 ? 0 : Math.ceil(sum / seen);
  }

  #count({ interest }: CacheWatcher, change: 1 | -1): void {
    if (interest === undefined) return;
    const count = (this.#interests.get(interest) ?? 0) + change;
    if (count === 0) this.#interests.delete(interest);
    else this.#interests.set(interest, count);
  }

  /** Joins from the past: hands over what happened after `revision`, then what happens. */
  watchSince(revision: number, watcher: CacheWatcher): () => void {
    if (revision < this.#completeSince) {
      throw expired(`too old resource version: ${revision} (${this.#completeSince})`);
    }
    for (const { event } of this.#history.slice(this.#after(revision))) watcher.onEvent(event);
    return this.watch(watcher);
  }

  #after(revision: number): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#history[middle]!.event.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #publish(event: CacheEvent, nowMs: number): void {
    this.eventsReceived++;
    this.#changedAt = event.revision;
    this.lists.clear();
    this.shortLists.clear();
    this.#history.push({ event, atMs: nowMs });
    if (this.#history.length >= 2 * historyMin) this.#trim(nowMs);
    for (const watcher of this.#watchers) watcher.onEvent(event);
    // Whoever comes later and watches from before it has its own frame made.
    event.frames = undefined;
    event.object?.settle();
    if (event.previous !== undefined) this.encodings.forget(event.previous);
  }

  /** Drops stale events in bulk, so that the cost per event stays constant. */
  #trim(nowMs: number): void {
    const history = this.#history;
    let drop = Math.max(0, history.length - historyMax);
    const keepFrom = history.length - historyMin;
    while (drop < keepFrom && nowMs - history[drop]!.atMs > historyFreshMs) drop++;
    if (drop < historyMin && drop < history.length / 4) return;
    this.#completeSince = history[drop - 1]!.event.revision;
    this.#history = history.slice(drop);
  }
}

/** What one watcher sees of an event, given what its selector matches. */
export function eventFor(
  event: CacheEvent,
  matches: (object: StoredObject) => boolean,
): { type: EventType; object: StoredObject } | undefined {
  const now = event.object !== undefined && matches(event.object);
  const before = event.previous !== undefined && matches(event.previous);
  if (now) return { type: before ? "MODIFIED" : "ADDED", object: event.object! };
  if (!before) return undefined;
  event.gone ??= event.previous!.at(event.revision);
  return { type: "DELETED", object: event.gone };
}
