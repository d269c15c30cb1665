/**
 * What a controller is: the resources it watches, the key that an object of each wakes, and the
 * reconciler of a key.
 *
 * A reconciler is told nothing but the key. It reads caches, compares, yields effects; run again on
 * the same caches it yields the same, and on caches that show its wish fulfilled, nothing. The
 * runner in `io/` gives it two promises: a key is worked on by one at a time, and never before the
 * caches show what the last run wrote.
 *
 * Units   nowMs since the epoch; a reconciler may come back with milliseconds after which it wants
 *         to look again
 */
import type { ApiObject, IndexFunc, Lister, ResourceRef } from "@nanokube/client";
import { keyOf } from "@nanokube/client";
import type { Random } from "@nanokube/machinery";
import type { Steps } from "./steps.ts";

export interface Caches {
  of<T extends ApiObject>(resource: ResourceRef<T>): Lister<T>;
}

export interface Context {
  caches: Caches;
  nowMs: number;
  random: Random;
}

export interface Watch {
  resource: ResourceRef;
  indexers: Readonly<Record<string, IndexFunc<ApiObject>>>;
  /** The keys that a change of this object concerns; asked with the old state and the new. */
  keys(object: ApiObject, caches: Caches, nowMs: number): Iterable<string>;
  /** Is an update worth a look? Every one is, when absent. */
  isNews?(old: ApiObject, object: ApiObject): boolean;
}

export interface Controller {
  /** Upstream's: what stands in --controllers. */
  name: string;
  /** The source of its events, where upstream's is not the name. */
  component?: string;
  watches: readonly Watch[];
  workers?: number;
  /** Woken when all caches are filled, whatever is in them. */
  initialKeys?: readonly string[];
  /** The keys that one that comes or goes among the followed resources concerns. */
  followed?(object: ApiObject, caches: Caches): Iterable<string>;
  /** Answers its questions; given by `io/`. */
  answer?: (question: unknown, signal: AbortSignal) => Promise<unknown>;
  reconcile(key: string, context: Context): Steps<number | undefined>;
}

export function watch<T extends ApiObject>(
  resource: ResourceRef<T>,
  keys: (object: T, caches: Caches, nowMs: number) => Iterable<string>,
  indexers: Readonly<Record<string, IndexFunc<T>>> = {},
): Watch {
  return { resource, keys, indexers } as unknown as Watch;
}

/** The object itself is the key. */
export function watchOwn<T extends ApiObject>(
  resource: ResourceRef<T>,
  indexers: Readonly<Record<string, IndexFunc<T>>> = {},
): Watch {
  return watch(resource, (object) => [keyOf(object)], indexers);
}
