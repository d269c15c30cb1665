/**
 * What the REST path needs from storage. io/etcd-store.ts provides it over etcd's gRPC API.
 *
 * Errors  KeyExists, KeyChanged for lost races; StatusError 500/503 when the store is away
 * Source  staging/src/k8s.io/apiserver/pkg/storage/interfaces.go
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { StoredObject } from "../cache/stored-object.ts";

export class KeyExists extends Error {}

/** The key is not at the expected revision; `current` is what stands there (undefined: nothing). */
export class KeyChanged extends Error {
  readonly current: StoredObject | undefined;
  constructor(current: StoredObject | undefined) {
    super("key changed");
    this.current = current;
  }
}

export interface PastPage {
  objects: StoredObject[];
  /** Objects behind this page, as etcd counts them. */
  remaining: number;
}

export interface WriteOptions {
  /** Seconds until etcd forgets the object; only events use it. */
  ttlSeconds?: number;
}

export interface ObjectStore {
  /** Where keys begin: "/registry/". */
  readonly prefix: string;
  /** The revision that every cache has reached. */
  readonly revision: number;
  /** What was before it is forgotten, as far as this server knows. */
  readonly compacted: number;
  cacheFor(prefix: string): ResourceCache;
  /** Resolves when the caches hold everything written before the call. */
  catchUp(): Promise<void>;
  /** False when the revision was not reached in time. */
  waitFor(revision: number, timeoutMs: number): Promise<boolean>;
  read(cache: ResourceCache, key: string): Promise<StoredObject | undefined>;
  create(
    cache: ResourceCache,
    key: string,
    tree: KubeObject,
    options?: WriteOptions,
  ): Promise<StoredObject>;
  replace(
    cache: ResourceCache,
    current: StoredObject,
    tree: KubeObject,
    options?: WriteOptions,
  ): Promise<StoredObject>;
  remove(cache: ResourceCache, current: StoredObject): Promise<StoredObject>;
  /** Reads the past from etcd: keys with `prefix` from `start` on, at `revision`. */
  listAt(
    cache: ResourceCache,
    prefix: string,
    start: string,
    limit: number,
    revision: number,
  ): Promise<PastPage>;
}
