/**
 * A shared informer: one reflector, one indexer, many handlers.
 *
 * Handlers run in the order they were added, each event once; one that throws is logged and stops
 * nobody else. A handler added late gets an `add` for everything that is there.
 *
 * Source  client-go tools/cache/shared_informer.go
 */
import {
  type Clock,
  type Log,
  nullLog,
  type Random,
  systemClock,
  systemRandom,
} from "@nanokube/machinery";
import type { Client } from "./client.ts";
import { Indexer, type IndexFunc } from "./indexer.ts";
import { runReflector } from "./reflector.ts";
import {
  type ApiObject,
  apiVersionOf,
  groupResourceOf,
  keyOf,
  type ResourceRef,
} from "./resource-ref.ts";
import type { WatchEvent } from "./watch-stream.ts";

export interface EventHandler<T extends ApiObject> {
  add?(object: T, isInInitialList: boolean): void;
  update?(old: T, object: T): void;
  /**
   * The last state that was seen; what was deleted while the watch was broken comes as
   * it was before.
   */
  delete?(object: T): void;
  /**
   * The cache has seen all up to `lastSyncResourceVersion()`, although it may have changed nothing:
   * a list, a bookmark.
   */
  progress?(): void;
}

export interface SharedInformer<T extends ApiObject = ApiObject> {
  readonly ref: ResourceRef<T>;
  readonly indexer: Indexer<T>;
  /** Runs until the signal; a second call does nothing. */
  start(signal: AbortSignal): void;
  /** The first list is in the indexer, and every handler has seen it. */
  hasSynced(): boolean;
  waitForSync(): Promise<void>;
  /** Gives back what removes the handler. */
  onEvent(handler: EventHandler<T>): () => void;
  /** Of the last list or event. */
  lastSyncResourceVersion(): string;
}

export interface InformerOptions<T extends ApiObject> {
  client: Client;
  resource: ResourceRef<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexers?: Readonly<Record<string, IndexFunc<T>>> | undefined;
  /** What is kept of an object: drop here what nobody reads. */
  transform?: ((object: T) => T) | undefined;
  /** Every so often all objects are handed out again as updates; absent is never. */
  resyncMs?: number | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  log?: Log | undefined;
}

export function createInformer<T extends ApiObject>(
  options: InformerOptions<T>,
): SharedInformer<T> {
  const { client, resource, namespace, transform = (object) => object, resyncMs } = options;
  const { clock = systemClock, random = systemRandom, log = nullLog } = options;
  const indexer = new Indexer<T>(options.indexers);
  const handlers = new Set<EventHandler<T>>();
  const apiVersion = apiVersionOf(resource);
  let synced = false;
  let started = false;
  let version = "";
  let resolveSynced: () => void;
  const whenSynced = new Promise<void>((resolve) => {
    resolveSynced = resolve;
  });

  const tell = (call: (handler: EventHandler<T>) => void) => {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        log.error({ resource: groupResourceOf(resource), err: error }, "event handler failed");
      }
    }
  };
  const store = (raw: T, initial: boolean) => {
    raw.apiVersion ??= apiVersion;
    if (resource.kind !== undefined) raw.kind ??= resource.kind;
    const object = transform(raw);
    const old = indexer.set(object);
    if (old === undefined) tell((handler) => handler.add?.(object, initial));
    else tell((handler) => handler.update?.(old, object));
  };
  const drop = (key: string, last?: T) => {
    const old = indexer.delete(key);
    if (old !== undefined) tell((handler) => handler.delete?.(last ?? old));
  };

  const sink = {
    replace(objects: T[], resourceVersion: string) {
      version = resourceVersion;
      const kept = new Set(objects.map(keyOf));
      for (const key of indexer.keys()) if (!kept.has(key)) drop(key);
      for (const object of objects) store(object, !synced);
      synced = true;
      resolveSynced();
      tell((handler) => handler.progress?.());
    },
    bookmark(resourceVersion: string) {
      version = resourceVersion;
      tell((handler) => handler.progress?.());
    },
    event({ type, object }: WatchEvent<T>) {
      version = object.metadata?.resourceVersion ?? version;
      if (type === "DELETED") drop(keyOf(object), transform(object));
      else store(object, false);
    },
  };

  const resync = (signal: AbortSignal) => {
    if (resyncMs === undefined || resyncMs <= 0) return;
    const again = () => {
      if (signal.aborted) return;
      for (const object of indexer.list()) tell((handler) => handler.update?.(object, object));
      timer = clock.setTimeout(again, resyncMs);
    };
    let timer = clock.setTimeout(again, resyncMs);
    signal.addEventListener("abort", () => clock.clearTimeout(timer), { once: true });
  };

  return {
    ref: resource,
    indexer,
    start(signal) {
      if (started) return;
      started = true;
      const all = client.resource(resource);
      resync(signal);
      void runReflector(
        {
          resource: namespace === undefined ? all : all.namespace(namespace),
          sink,
          clock,
          random,
          log,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
        signal,
      );
    },
    hasSynced: () => synced,
    waitForSync: () => whenSynced,
    onEvent(handler) {
      handlers.add(handler);
      for (const object of indexer.list()) handler.add?.(object, true);
      return () => handlers.delete(handler);
    },
    lastSyncResourceVersion: () => version,
  };
}
