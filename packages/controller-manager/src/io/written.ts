/**
 * Read your own writes: a key is not looked at again before the caches show what was written for
 * it.
 *
 * Without it a controller that created three pods would look at a cache that has none of them yet
 * and create three more. It stands in for upstream's expectations; like those it gives up after
 * five minutes, for a cache may have missed a write.
 *
 * Rule    versions of one server are numbers that grow (KEP-5504), so a cache has seen a write once
 *         its own version is not smaller; a deletion without a version is seen when the object is
 *         gone, going, or another
 * Source  pkg/controller/controller_utils.go ControllerExpectations;
 *         pkg/controller/util/consistency
 */
import {
  type ApiObject,
  groupResourceOf,
  type ResourceRef,
  type SharedInformer,
} from "@nanokube/client";
import type { Clock, TimerHandle } from "@nanokube/machinery";
import type { Effect, Outcome } from "../core/steps.ts";

const giveUpMs = 300_000;

interface Pending {
  informer: SharedInformer;
  seen(): boolean;
}

export interface WrittenOptions {
  clock: Clock;
  informerOf(resource: ResourceRef): SharedInformer | undefined;
  /** The caches show all that was written for the key. */
  onSeen(key: string): void;
}

export class Written {
  readonly #options: WrittenOptions;
  readonly #pending = new Map<string, { writes: Pending[]; timer: TimerHandle; due: boolean }>();

  constructor(options: WrittenOptions) {
    this.#options = options;
  }

  record(key: string, effects: readonly Effect[], outcomes: readonly Outcome[]): void {
    for (const [index, effect] of effects.entries()) {
      const object = outcomes[index]?.object;
      if (object === undefined || !("resource" in effect)) continue;
      if (effect.do === "get" || effect.do === "list" || effect.do === "deleteCollection") continue;
      const informer = this.#options.informerOf(effect.resource);
      if (informer === undefined) continue;
      const seen =
        effect.do === "delete"
          ? () => deletionSeen(informer, effect, object)
          : () => versionSeen(informer, object.metadata?.resourceVersion);
      if (!seen()) this.#add(key, { informer, seen });
    }
  }

  /** May the key be worked on? If not, `onSeen` tells when. */
  ready(key: string): boolean {
    const entry = this.#pending.get(key);
    if (entry === undefined) return true;
    entry.due = true;
    return false;
  }

  /** To be called when a cache changed. */
  progress(informer: SharedInformer): void {
    for (const [key, entry] of this.#pending) {
      if (!entry.writes.some((write) => write.informer === informer)) continue;
      entry.writes = entry.writes.filter((write) => !write.seen());
      if (entry.writes.length === 0) this.#forget(key);
    }
  }

  clear(): void {
    for (const { timer } of this.#pending.values()) this.#options.clock.clearTimeout(timer);
    this.#pending.clear();
  }

  #add(key: string, write: Pending): void {
    const entry = this.#pending.get(key);
    if (entry !== undefined) {
      entry.writes.push(write);
      return;
    }
    const timer = this.#options.clock.setTimeout(() => this.#forget(key), giveUpMs);
    this.#pending.set(key, { writes: [write], timer, due: false });
  }

  #forget(key: string): void {
    const entry = this.#pending.get(key);
    if (entry === undefined) return;
    this.#pending.delete(key);
    this.#options.clock.clearTimeout(entry.timer);
    if (entry.due) this.#options.onSeen(key);
  }
}

function versionSeen(informer: SharedInformer, resourceVersion: string | undefined): boolean {
  if (resourceVersion === undefined) return true;
  return Number(informer.lastSyncResourceVersion()) >= Number(resourceVersion);
}

function deletionSeen(
  informer: SharedInformer,
  effect: Extract<Effect, { do: "delete" }>,
  answer: ApiObject,
): boolean {
  // Graceful deletion and finalizers answer with the object as it is kept.
  const version = answer.kind === "Status" ? undefined : answer.metadata?.resourceVersion;
  if (version !== undefined && versionSeen(informer, version)) return true;
  const cached = informer.indexer.get(effect.namespace, effect.name);
  return (
    cached === undefined ||
    cached.metadata?.deletionTimestamp !== undefined ||
    (effect.uid !== undefined && cached.metadata?.uid !== effect.uid)
  );
}

/** The same resource whatever its version: one informer serves both. */
export function resourceKey(resource: ResourceRef): string {
  return groupResourceOf(resource);
}
