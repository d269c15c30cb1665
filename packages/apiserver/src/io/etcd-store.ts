/**
 * The object store over etcd v3: one watch on /registry/ feeds every resource's cache.
 *
 * One watch for all resources means one order of events: when an event of revision R has come,
 * every cache is at R. A fresh read is then one tiny range (asked once for all who wait) and, as a
 * rule, no waiting at all.
 *
 * @hop apiserver.store: an object's new version is committed to etcd
 * Errors  RpcError becomes a StatusError 500 with etcd's text, as upstream's
 * Source  staging/src/k8s.io/apiserver/pkg/storage/etcd3/{store,watcher,compact}.go
 */
import { type Clock, type KubeObject, type Log, sleep, timeout } from "@nanokube/machinery";
import { type Channel, createClient, etcd } from "@nanokube/rpc";
import type { StoreOperation } from "../core/cache/cache-counts.ts";
import { KeptEncodings } from "../core/cache/kept-encodings.ts";
import { ResourceCache } from "../core/cache/resource-cache.ts";
import { type StorageCodec, StoredObject, takeEncoded } from "../core/cache/stored-object.ts";
import { isSealed } from "../core/encryption/sealer.ts";
import { usualPrefix } from "../core/storage/keys.ts";
import {
  KeyChanged,
  KeyExists,
  type ObjectStore,
  type PastPage,
  type WriteOptions,
} from "../core/storage/store.ts";
import { countedRequest } from "./counted-request.ts";
import { compactRegularly } from "./etcd-compaction.ts";
import { storageError } from "./etcd-errors.ts";
import { type EtcdEvent, type KeyValue, prefixEnd } from "./etcd-key.ts";
import { EtcdLeases } from "./etcd-leases.ts";
import { SharedProbe } from "./etcd-probe.ts";
import { placeOf } from "./key-place.ts";
import { type OwnWrite, OwnWrites } from "./own-writes.ts";
import { firstContact, patient } from "./patient-store.ts";
import { readEverything } from "./read-everything.ts";
import { RevisionGate } from "./revision-gate.ts";
import { SealedValues, type Sealing } from "./sealed-values.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const modRevisionTarget = 2;
/** After this long without news the watch is asked where it stands. */
const progressAfterMs = 100;
const reconnectMs = 250;

export interface EtcdStoreOptions {
  prefix?: string | undefined;
  etcd: Channel;
  clock: Clock;
  log: Log;
  /** For resources met in the store before anybody registered them (custom resources). */
  customCodec: StorageCodec;
  /** How long requests wait for an etcd that is away; upstream's minute when absent. */
  timeoutMs?: number | undefined;
  /** How values are sealed in the store; as they are when absent. */
  encryption?: Sealing | undefined;
}

export class EtcdStore implements ObjectStore {
  readonly #kv;
  readonly #watch;
  readonly leases: EtcdLeases;
  readonly #options: EtcdStoreOptions;
  readonly #caches = new Map<string, ResourceCache>();
  readonly #values: SealedValues;
  readonly #encodings = new KeptEncodings();
  readonly #gate = new RevisionGate();
  readonly #stop = new AbortController();
  readonly #own = new OwnWrites();
  compacted = 0;
  progressNotes = 0;
  #askProgress: (() => void) | undefined;
  readonly #probe = new SharedProbe(async () => {
    const asked = storageError(this.#kv.range({ key: encoder.encode("/"), countOnly: true }));
    return (await asked).header!.revision;
  });
  #synced = false;
  readonly prefix: string;

  constructor(options: EtcdStoreOptions) {
    this.#options = options;
    this.prefix = `${options.prefix ?? usualPrefix}/`;
    this.#values = new SealedValues(options.encryption, options.log);
    const kv = createClient(options.etcd, etcd.KV);
    this.#kv = this.#values.prepared(patient(kv, options.timeoutMs));
    this.#watch = createClient(options.etcd, etcd.Watch);
    this.leases = new EtcdLeases(createClient(options.etcd, etcd.Lease), options.clock);
  }

  get revision(): number {
    return this.#gate.revision;
  }

  /** True while the caches follow etcd. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Makes known how a resource is stored; must precede start() for built-in ones. */
  register(prefix: string, codec: StorageCodec): ResourceCache {
    const known = this.#caches.get(prefix);
    if (known !== undefined) {
      known.codec = codec;
      return known;
    }
    const cache = new ResourceCache(prefix, codec, this.#encodings);
    cache.beginHistory(this.revision);
    this.#caches.set(prefix, cache);
    return cache;
  }

  /** Every write writes: what is stored would be sealed otherwise now. */
  sealedOtherwise(): void {
    for (const cache of this.#caches.values()) {
      for (const object of cache.scan()) object.stale = true;
    }
  }

  cacheFor(prefix: string): ResourceCache {
    return this.#caches.get(prefix) ?? this.#adopt(prefix);
  }

  #pathOf(key: Uint8Array): string {
    return decoder.decode(key).slice(this.prefix.length);
  }

  readonly #adopt = (prefix: string): ResourceCache =>
    this.register(prefix, this.#options.customCodec);

  /** Loads everything, then follows; resolves when the caches are complete. */
  async start(): Promise<void> {
    await firstContact(this.#kv);
    const revision = await this.#loadAll();
    void this.#follow(revision);
    const onRound = (compacted: number) => {
      this.compacted = Math.max(this.compacted, compacted);
      this.#askProgress?.();
    };
    void compactRegularly({
      kv: this.#kv,
      ...this.#options,
      signal: this.#stop.signal,
      onRound,
    });
  }

  close(): void {
    this.#stop.abort();
    this.#gate.close();
  }

  async catchUp(): Promise<void> {
    await this.#reach(await this.#probe.answer());
  }

  async waitFor(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.revision >= revision) return true;
    const { clock } = this.#options;
    const nudge = clock.setTimeout(() => this.#askProgress?.(), progressAfterMs);
    try {
      return await this.#gate.reachedWithin(revision, timeoutMs, clock);
    } finally {
      clock.clearTimeout(nudge);
    }
  }

  async read(cache: ResourceCache, key: string): Promise<StoredObject | undefined> {
    const sent = this.#kv.range({ key: this.#keyBytes(cache, key) });
    const response = await this.#asked(cache, "get", sent);
    const kv = response.kvs[0];
    return kv === undefined ? undefined : this.#object(cache, kv as KeyValue);
  }

  async create(
    cache: ResourceCache,
    key: string,
    tree: KubeObject,
    options: WriteOptions = {},
  ): Promise<StoredObject> {
    const bytes = this.#keyBytes(cache, key);
    const value = takeEncoded(cache.codec, tree);
    const lease = await this.leases.forTTL(options.ttlSeconds);
    const sealed = this.#values.seal(cache.prefix, bytes, value);
    return this.#write({ cache, key, tree, value, sealed, lease }, async () => {
      const response = await this.#asked(
        cache,
        "create",
        this.#kv.txn({
          compare: [{ result: 0, target: modRevisionTarget, key: bytes, modRevision: 0 }],
          success: [{ requestPut: { key: bytes, value: sealed, lease } }],
        }),
      );
      if (!response.succeeded) throw new KeyExists(key);
      return response.header!.revision;
    });
  }

  async replace(
    cache: ResourceCache,
    current: StoredObject,
    tree: KubeObject,
    options: WriteOptions = {},
  ): Promise<StoredObject> {
    const key = this.#keyBytes(cache, current.key);
    const value = takeEncoded(cache.codec, tree);
    const lease =
      options.ttlSeconds === undefined
        ? current.lease
        : await this.leases.forTTL(options.ttlSeconds);
    const sealed = this.#values.seal(cache.prefix, key, value);
    return this.#write({ cache, key: current.key, tree, value, sealed, lease }, async () => {
      const response = await this.#asked(
        cache,
        "update",
        this.#kv.txn({
          compare: [{ result: 0, target: modRevisionTarget, key, modRevision: current.revision }],
          success: [{ requestPut: { key, value: sealed, lease } }],
          failure: [{ requestRange: { key } }],
        }),
      );
      if (!response.succeeded) throw new KeyChanged(this.#refused(cache, response));
      return response.header!.revision;
    });
  }

  async remove(cache: ResourceCache, current: StoredObject): Promise<StoredObject> {
    const key = this.#keyBytes(cache, current.key);
    const response = await this.#asked(
      cache,
      "delete",
      this.#kv.txn({
        compare: [{ result: 0, target: modRevisionTarget, key, modRevision: current.revision }],
        success: [{ requestDeleteRange: { key } }],
        failure: [{ requestRange: { key } }],
      }),
    );
    if (!response.succeeded) throw new KeyChanged(this.#refused(cache, response));
    const revision = response.header!.revision;
    this.#hop(cache, current.key, revision);
    return current.at(revision);
  }

  async listAt(
    cache: ResourceCache,
    prefix: string,
    start: string,
    limit: number,
    revision: number,
  ): Promise<PastPage> {
    const from = start > prefix ? start : prefix;
    const response = await this.#asked(
      cache,
      "list",
      this.#kv.range({
        key: this.#keyBytes(cache, from),
        rangeEnd: prefixEnd(this.#keyBytes(cache, prefix)),
        limit,
        revision,
      }),
    );
    const objects = response.kvs.map((kv) => this.#object(cache, kv as KeyValue));
    return { objects, remaining: Math.max(0, response.count - objects.length) };
  }

  #asked<T>(cache: ResourceCache, what: StoreOperation, sent: Promise<T>): Promise<T> {
    return countedRequest(cache.counts.storeOf(what), this.#options.clock, sent);
  }

  /** `send` gives the revision; what it throws, the caller gets. */
  async #write(write: OwnWrite, send: () => Promise<number>): Promise<StoredObject> {
    this.#own.begin(write);
    let revision: number;
    try {
      revision = await send();
    } catch (error) {
      this.#own.end(write);
      throw error;
    }
    this.#hop(write.cache, write.key, revision);
    return this.#own.answered(write, revision, this.revision < revision && this.#synced);
  }

  #hop(cache: ResourceCache, key: string, revision: number): void {
    this.#options.log.debug(
      { hop: "apiserver.store", object: cache.prefix + key, resourceVersion: String(revision) },
      "hop",
    );
  }

  #refused(
    cache: ResourceCache,
    response: { responses: readonly { responseRange?: { kvs: readonly unknown[] } }[] },
  ): StoredObject | undefined {
    const kv = response.responses[0]?.responseRange?.kvs[0];
    return kv === undefined ? undefined : this.#object(cache, kv as KeyValue);
  }

  #object(cache: ResourceCache, kv: KeyValue): StoredObject {
    const key = decoder.decode(kv.key).slice(this.prefix.length + cache.prefix.length);
    const { value, stale } = this.#values.open(cache.prefix, kv);
    const object = new StoredObject(key, kv.modRevision, value, cache.codec, kv.lease ?? 0n);
    object.stale = stale;
    if (isSealed(value)) object.reopen = () => this.#values.open(cache.prefix, kv).value;
    return object;
  }

  #keyBytes(cache: ResourceCache, key: string): Uint8Array {
    return encoder.encode(this.prefix + cache.prefix + key);
  }

  async #reach(revision: number): Promise<void> {
    if (this.revision >= revision || (await this.waitFor(revision, 3_000))) return;
    throw timeout("the watch cache did not catch up with etcd in time");
  }

  async #loadAll(): Promise<number> {
    const revision = await readEverything(this.#kv, encoder.encode(this.prefix), (kv) => {
      const place = placeOf(this.#caches, this.#pathOf(kv.key), this.#adopt);
      place?.cache.load(this.#object(place.cache, kv));
    });
    for (const cache of this.#caches.values()) {
      cache.beginHistory(revision);
      cache.counts.fromStore.add(cache.size, cache.size, cache.size);
    }
    this.#gate.advance(revision);
    this.#synced = true;
    return revision;
  }

  async #follow(from: number): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stop;
    let compacted = false;
    while (!signal.aborted) {
      try {
        if (compacted) {
          for (const cache of this.#caches.values()) cache.reset();
          await this.#loadAll();
          compacted = false;
        }
        this.#own.clear();
        compacted = await this.#watchOnce(Math.max(from, this.revision) + 1);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ error: String(error) }, "watch on etcd broken, will be made again");
      }
      this.#askProgress = undefined;
      if (!signal.aborted) await sleep(clock, reconnectMs, signal).catch(() => undefined);
    }
  }

  /** True when etcd has forgotten the revision and everything must be loaded again. */
  async #watchOnce(startRevision: number): Promise<boolean> {
    const stream = this.#watch.watch({ signal: this.#stop.signal });
    const key = encoder.encode(this.prefix);
    stream.write({
      createRequest: {
        key,
        rangeEnd: prefixEnd(key),
        startRevision,
        progressNotify: true,
      },
    });
    this.#askProgress = () => stream.write({ progressRequest: {} });
    try {
      for await (const response of stream.responses) {
        if (response.compactRevision > 0) return true;
        if (response.canceled) throw new Error(`watch cancelled: ${response.cancelReason}`);
        const now = this.#options.clock.now();
        const awaited = this.#values.prepareEvents(response.events as readonly EtcdEvent[]);
        if (awaited !== undefined) await awaited;
        for (const event of response.events) this.#apply(event as EtcdEvent, now);
        // A fragment would end inside a revision; etcd sends none unless asked to.
        if (!response.created && response.header !== undefined) {
          if (response.events.length === 0) this.progressNotes++;
          this.#gate.advance(
            response.events.length > 0
              ? (response.events.at(-1) as EtcdEvent).kv.modRevision
              : response.header.revision,
          );
        }
      }
    } finally {
      stream.cancel();
    }
    return false;
  }

  #apply(event: EtcdEvent, nowMs: number): void {
    const place = placeOf(this.#caches, this.#pathOf(event.kv.key), this.#adopt);
    if (place === undefined) return;
    const { cache, key } = place;
    if (event.type === 1) cache.delete(key, event.kv.modRevision, nowMs);
    else {
      const own = this.#own.eventOf(cache, key, event.kv);
      cache.put(own ?? this.#object(cache, event.kv), nowMs);
    }
  }
}
