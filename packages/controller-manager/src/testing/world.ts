/**
 * A server, caches that lag behind it, and controllers on them, all in one thread and moved by
 * hand: for tests that look at every state in between.
 *
 * `step(random)` does one thing of what could happen next: a cache sees a few more events, a
 * controller works on one of its keys, or somebody else (`others`) acts. Events may come late, in
 * bunches; a key may be woken twice.
 */
import {
  type ApiObject,
  groupResourceOf,
  Indexer,
  keyOf,
  type ResourceRef,
} from "@nanokube/client";
import { deepClone, failure, type Random } from "@nanokube/machinery";
import type { Caches, Controller } from "../core/controller.ts";
import type { DiscoveredResource, Effect, Outcome, Write } from "../core/steps.ts";
import { formatTime } from "../core/time.ts";

interface Event {
  resource: string;
  object: ApiObject;
  deleted: boolean;
  version: number;
}

interface Running {
  controller: Controller;
  dirty: Set<string>;
  due: Map<string, number>;
  /** The version up to which caches must be before a key is worked on again. */
  wrote: Map<string, number>;
}

interface Scaled extends ApiObject {
  spec?: { replicas?: number; selector?: { matchLabels?: Record<string, string> } };
}

/** The scale subresource of a workload. */
function scaleOf(object: ApiObject): ApiObject {
  const { replicas, selector } = (object as Scaled).spec ?? {};
  const labels = Object.entries(selector?.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  return {
    metadata: object.metadata ?? {},
    spec: { replicas },
    status: { replicas, selector: labels.join() },
  } as ApiObject;
}

export class World {
  nowMs = Date.UTC(2026, 0, 1);
  readonly notes: string[] = [];
  /** Errors that came out of reconcilers: each is tried again. */
  readonly failures: Error[] = [];
  /** What discovery answers. */
  discovered: DiscoveredResource[] = [];
  /** What is asked before every write; an error refuses it. */
  refuse: ((effect: Write) => Error | undefined) | undefined;
  readonly #objects = new Map<string, Map<string, ApiObject>>();
  readonly #caches = new Map<string, Indexer>();
  readonly #events: Event[] = [];
  readonly #running: Running[] = [];
  #seen = 0;
  #version = 0;
  #names = 0;

  constructor(...controllers: Controller[]) {
    for (const controller of controllers) {
      this.#running.push({ controller, dirty: new Set(), due: new Map(), wrote: new Map() });
      for (const { resource, indexers } of controller.watches) {
        const cache = this.#caches.get(groupResourceOf(resource)) ?? new Indexer();
        cache.addIndexers(indexers);
        this.#caches.set(groupResourceOf(resource), cache);
      }
      for (const key of controller.initialKeys ?? []) this.#running.at(-1)!.dirty.add(key);
    }
  }

  get caches(): Caches {
    return { of: (resource) => this.#caches.get(groupResourceOf(resource)) as never };
  }

  list<T extends ApiObject>(resource: ResourceRef<T>): T[] {
    return [...this.#of(groupResourceOf(resource)).values()] as T[];
  }

  get<T extends ApiObject>(resource: ResourceRef<T>, key: string): T | undefined {
    return this.#of(groupResourceOf(resource)).get(key) as T | undefined;
  }

  /** Writes as a user would; the server's part (uid, version, generation) is done. */
  put<T extends ApiObject>(resource: ResourceRef<T>, object: T): T {
    const old = this.get(resource, keyOf(object));
    const specChanged =
      JSON.stringify((old as { spec?: unknown })?.spec) !==
      JSON.stringify((object as { spec?: unknown }).spec);
    const { generation = 0 } = old?.metadata ?? {};
    const metadata = {
      creationTimestamp: formatTime(this.nowMs),
      ...object.metadata,
      uid: old?.metadata?.uid ?? `uid-${++this.#names}`,
      generation: generation + (specChanged ? 1 : 0),
    };
    const typed = { ...object, kind: resource.kind, metadata };
    return this.#store(groupResourceOf(resource), deepClone(typed), false) as T;
  }

  remove(resource: ResourceRef, key: string): void {
    const object = this.get(resource, key);
    if (object !== undefined) this.#store(groupResourceOf(resource), object, true);
  }

  /** One thing happens; false when there is nothing left to do but to wait. */
  step(random: Random, others: () => boolean = () => false): boolean {
    const choices: (() => boolean)[] = [];
    if (this.#seen < this.#events.length)
      choices.push(() => this.#deliver(1 + Math.floor(random.next() * 3)));
    const ready = this.#ready();
    if (ready.length > 0)
      choices.push(() => this.#work(ready[Math.floor(random.next() * ready.length)]!, random));
    choices.push(others);
    while (choices.length > 0) {
      const [choice] = choices.splice(Math.floor(random.next() * choices.length), 1);
      if (choice!()) return true;
    }
    return this.#wake();
  }

  /** Until nothing happens any more by itself; time is moved to what waits for it. */
  settle(random: Random, others?: () => boolean, stepsMax = 20_000): void {
    for (let steps = 0; this.step(random, others); steps++) {
      if (steps >= stepsMax) throw new Error("does not come to rest");
    }
  }

  perform(effect: Effect): Outcome {
    if (effect.do === "event") {
      this.notes.push(`${effect.type} ${effect.reason} ${effect.message}`);
      return {};
    }
    if (effect.do === "get") {
      const object = this.#of(groupResourceOf(effect.resource)).get(
        join(effect.namespace, effect.name),
      );
      if (object === undefined) return { error: notFound(effect.name) };
      return { object: effect.subresource === "scale" ? scaleOf(object) : object };
    }
    if (effect.do === "list") {
      const all = [...this.#of(groupResourceOf(effect.resource)).values()];
      const { namespace } = effect;
      return {
        items: all.filter(({ metadata }) => namespace === "" || metadata?.namespace === namespace),
      };
    }
    if (effect.do === "discover") return { resources: this.discovered };
    if (effect.do === "ask") throw new Error(`${effect.do} is not simulated`);
    if (effect.do === "follow") throw new Error("follow is not simulated");
    const error = this.refuse?.(effect);
    return error === undefined ? this.#write(effect) : { error };
  }

  #of(resource: string): Map<string, ApiObject> {
    let objects = this.#objects.get(resource);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(resource, objects);
    }
    return objects;
  }

  #write(effect: Write): Outcome {
    const resource = groupResourceOf(effect.resource);
    if (effect.do === "create") {
      const { generateName, name = `${generateName}${++this.#names}` } =
        effect.object.metadata ?? {};
      const object = { ...effect.object, metadata: { ...effect.object.metadata, name } };
      if (this.#of(resource).has(keyOf(object)))
        return { error: failure(409, "AlreadyExists", `${name} already exists`) };
      return { object: this.put(effect.resource, object) };
    }
    if (effect.do === "deleteCollection" || effect.do === "post")
      throw new Error(`${effect.do} is not simulated`);
    const [namespace, name] =
      effect.do === "update"
        ? [effect.object.metadata?.namespace ?? "", effect.object.metadata?.name ?? ""]
        : [effect.namespace, effect.name];
    const old = this.#of(resource).get(join(namespace, name));
    if (old === undefined) return { error: notFound(name) };
    if (effect.do === "delete") return this.#delete(effect, old);
    return effect.do === "update" ? this.#update(effect, old) : this.#patch(effect, old);
  }

  #update(effect: Extract<Write, { do: "update" }>, old: ApiObject): Outcome {
    const { resourceVersion } = effect.object.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      return { error: failure(409, "Conflict", "the object has been modified") };
    }
    const sent = effect.object as { status?: unknown; metadata?: ApiObject["metadata"] };
    if (effect.subresource === undefined) {
      return {
        object: this.put(effect.resource, {
          ...effect.object,
          status: (old as { status?: unknown }).status,
        } as ApiObject),
      };
    }
    if (effect.subresource === "scale") {
      const { replicas } = (effect.object as Scaled).spec ?? {};
      const spec = { ...(old as Scaled).spec, replicas };
      return { object: this.put(effect.resource, { ...old, spec } as ApiObject) };
    }
    const annotations = sent.metadata?.annotations;
    const metadata = { ...old.metadata, ...(annotations === undefined ? {} : { annotations }) };
    return {
      object: this.#store(
        groupResourceOf(effect.resource),
        { ...old, metadata, status: sent.status } as ApiObject,
        false,
      ),
    };
  }

  /** Owner references and finalizers by strategic merge: what controllers use it for. */
  #patch(effect: Extract<Write, { do: "patch" }>, old: ApiObject): Outcome {
    const { metadata = {}, ...rest } = effect.patch as { metadata?: Record<string, unknown> };
    const {
      ownerReferences,
      ["$deleteFromPrimitiveList/finalizers"]: dropped,
      ...others
    } = metadata as {
      ownerReferences?: { uid?: string; $patch?: string }[];
      "$deleteFromPrimitiveList/finalizers"?: string[];
    };
    const next = { ...old, ...rest, metadata: { ...old.metadata, ...others } };
    if (effect.type === "merge" && metadata.resourceVersion !== undefined) {
      if (metadata.resourceVersion !== old.metadata?.resourceVersion) {
        return { error: failure(409, "Conflict", "the object has been modified") };
      }
    }
    if (ownerReferences !== undefined && effect.type === "merge") {
      next.metadata.ownerReferences = ownerReferences;
    } else if (ownerReferences !== undefined) {
      const named = new Set(ownerReferences.map(({ uid }) => uid));
      const kept = (old.metadata?.ownerReferences ?? []).filter(({ uid }) => !named.has(uid));
      next.metadata.ownerReferences = [
        ...kept,
        ...ownerReferences.filter(({ $patch }) => $patch === undefined),
      ];
    }
    if (dropped !== undefined) {
      next.metadata.finalizers = (old.metadata?.finalizers ?? []).filter(
        (token) => !dropped.includes(token),
      );
    }
    return { object: this.#storeOrDrop(effect.resource, next) };
  }

  #delete(effect: Extract<Write, { do: "delete" }>, old: ApiObject): Outcome {
    if (effect.uid !== undefined && effect.uid !== old.metadata?.uid) {
      return { error: failure(409, "Conflict", "Precondition failed: UID in precondition") };
    }
    const metadata = {
      ...old.metadata,
      deletionTimestamp: old.metadata?.deletionTimestamp ?? formatTime(this.nowMs),
    };
    const pod =
      effect.resource.plural === "pods" && (old as { spec?: { nodeName?: string } }).spec?.nodeName;
    const graceful = pod && effect.gracePeriodSeconds !== 0;
    const { propagationPolicy, resourceVersion } = effect;
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      return {
        error: failure(409, "Conflict", "Precondition failed: ResourceVersion in precondition"),
      };
    }
    const token = { Foreground: "foregroundDeletion", Orphan: "orphan", Background: undefined }[
      propagationPolicy ?? "Background"
    ];
    const finalizers = [...(metadata.finalizers ?? []), ...(token === undefined ? [] : [token])];
    if (finalizers.length > 0) metadata.finalizers = [...new Set(finalizers)];
    const going = { ...old, metadata };
    if (graceful) return { object: this.#store(groupResourceOf(effect.resource), going, false) };
    return { object: this.#storeOrDrop(effect.resource, going) };
  }

  #storeOrDrop(resource: ResourceRef, object: ApiObject): ApiObject {
    const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
    const goes = deletionTimestamp !== undefined && finalizers.length === 0;
    return this.#store(groupResourceOf(resource), object, goes);
  }

  #store(resource: string, object: ApiObject, deleted: boolean): ApiObject {
    const version = ++this.#version;
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(version) },
    };
    if (deleted) this.#of(resource).delete(keyOf(stored));
    else this.#of(resource).set(keyOf(stored), stored);
    this.#events.push({ resource, object: stored, deleted, version });
    return stored;
  }

  #deliver(count: number): boolean {
    for (const { resource, object, deleted } of this.#events.slice(
      this.#seen,
      this.#seen + count,
    )) {
      const cache = this.#caches.get(resource);
      const old = deleted ? cache?.delete(keyOf(object)) : cache?.set(object);
      for (const { controller, dirty } of this.#running) {
        for (const { resource: watched, keys } of controller.watches) {
          if (groupResourceOf(watched) !== resource) continue;
          for (const seen of old === undefined ? [object] : [old, object]) {
            for (const key of keys(seen, this.caches, this.nowMs)) dirty.add(key);
          }
        }
      }
    }
    this.#seen = Math.min(this.#seen + count, this.#events.length);
    return true;
  }

  #ready(): { running: Running; key: string }[] {
    return this.#running.flatMap((running) =>
      [...running.dirty]
        .filter((key) => (running.wrote.get(key) ?? 0) <= this.#seen)
        .map((key) => ({ running, key })),
    );
  }

  #work({ running, key }: { running: Running; key: string }, random: Random): boolean {
    running.dirty.delete(key);
    const before = this.#version;
    try {
      const steps = running.controller.reconcile(key, {
        caches: this.caches,
        nowMs: this.nowMs,
        random,
      });
      let step = steps.next();
      while (!step.done) step = steps.next(step.value.map((effect) => this.perform(effect)));
      if (step.value !== undefined) running.due.set(key, this.nowMs + step.value);
    } catch (error) {
      this.failures.push(error as Error);
      running.due.set(key, this.nowMs + 10);
    }
    if (this.#version > before) running.wrote.set(key, this.#version);
    return true;
  }

  /** Time passes until the next key is due. */
  #wake(): boolean {
    const due = this.#running.flatMap((running) =>
      [...running.due].map(([key, atMs]) => ({ running, key, atMs })),
    );
    const [first] = due.sort((a, b) => a.atMs - b.atMs);
    if (first === undefined) return false;
    this.nowMs = Math.max(this.nowMs, first.atMs);
    first.running.due.delete(first.key);
    first.running.dirty.add(first.key);
    return true;
  }
}

function join(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function notFound(name: string): Error {
  return failure(404, "NotFound", `"${name}" not found`);
}

/** A network that loses some requests on the way: for `world.refuse`. */
export function losing(random: Random, share: number): () => Error | undefined {
  return () => (random.next() < share ? new Error("connection reset by peer") : undefined);
}
