/**
 * Runs one controller: informers wake keys, workers drive the reconciler's steps, failures come
 * back slower each time.
 */
import {
  type ApiObject,
  type Client,
  createEventRecorder,
  createInformer,
  type InformerFactory,
  isConflict,
  isReason,
  type ResourceRef,
  runWorkers,
  type SharedInformer,
  WorkQueue,
} from "@nanokube/client";
import type { Clock, Log, Random } from "@nanokube/machinery";
import type { Caches, Controller } from "../core/controller.ts";
import type { Steps } from "../core/steps.ts";
import { createExecutor, type Executor } from "./executor.ts";
import { metadataOnly } from "./metadata-only.ts";
import { resourceKey, Written } from "./written.ts";

export interface RunnerOptions {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  random: Random;
  log: Log;
}

const workersUnlessTold = 5;

/** Resolves when the signal came and the last key was let go. */
export async function runController(
  controller: Controller,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, random } = options;
  const log = options.log.child({ controller: controller.name });
  const queue = new WorkQueue<string>({ clock });
  const recorder = createEventRecorder({
    client,
    component: controller.component ?? controller.name,
    clock,
    random,
    log,
    signal,
  });
  const follow = createFollower(signal);
  const executor = createExecutor({
    client,
    recorder,
    log,
    controller: controller.name,
    answer: controller.answer,
    follow: (resource) => follow(controller, options, { queue, caches, informers }, resource),
    signal,
  });
  const informers = new Map<string, SharedInformer>();
  const caches: Caches = {
    of: (resource) => {
      const informer = informers.get(resourceKey(resource));
      if (informer === undefined) {
        throw new Error(`${controller.name} does not watch ${resourceKey(resource)}`);
      }
      return informer.indexer as never;
    },
  };
  const written = new Written({
    clock,
    informerOf: (resource: ResourceRef) => informers.get(resourceKey(resource)),
    onSeen: (key) => queue.add(key),
  });

  const unsubscribe = subscribe(controller, options, { queue, caches, informers, written });
  signal.addEventListener("abort", () => queue.shutDown(), { once: true });
  await Promise.race([synced(informers), aborted(signal)]);
  if (signal.aborted) {
    unsubscribe();
    return;
  }
  for (const key of controller.initialKeys ?? []) queue.add(key);

  await runWorkers({
    queue,
    workers: controller.workers ?? workersUnlessTold,
    work: async (key) => {
      if (signal.aborted || !written.ready(key)) return undefined;
      const steps = controller.reconcile(key, { caches, nowMs: clock.now(), random });
      return drive(steps, executor, (effects, outcomes) => written.record(key, effects, outcomes));
    },
    onError: (error, key) => {
      if (signal.aborted) return;
      // Losing a race is no news: the next look has the newer state.
      const expected = isConflict(error) || isReason(error, "NotFound");
      log[expected ? "debug" : "warn"]({ key, err: error }, "reconcile failed, will retry");
    },
  });
  unsubscribe();
  written.clear();
}

export async function drive<R>(
  steps: Steps<R>,
  executor: Executor,
  record: (
    ...batch: [
      effects: Parameters<Executor["perform"]>[0],
      outcomes: Awaited<ReturnType<Executor["perform"]>>,
    ]
  ) => void,
): Promise<R> {
  let step = steps.next();
  while (!step.done) {
    const outcomes = await executor.perform(step.value);
    record(step.value, outcomes);
    step = steps.next(outcomes);
  }
  return step.value;
}

interface Wiring {
  queue: WorkQueue<string>;
  caches: Caches;
  informers: Map<string, SharedInformer>;
  written: Written;
}

function subscribe(controller: Controller, options: RunnerOptions, wiring: Wiring): () => void {
  const { queue, caches, informers, written } = wiring;
  const subscriptions: (() => void)[] = [];
  // All informers stand before the first handler is told anything: keys() may look into any cache.
  for (const { resource, indexers } of controller.watches) {
    const informer = options.informers.for(resource, { indexers });
    informer.indexer.addIndexers(indexers);
    informers.set(resourceKey(resource), informer);
  }
  for (const { resource, keys, isNews } of controller.watches) {
    const informer = informers.get(resourceKey(resource))!;
    const wake = (object: Parameters<typeof keys>[0]) => {
      for (const key of keys(object, caches, options.clock.now())) queue.add(key);
    };
    subscriptions.push(
      informer.onEvent({
        add: (object) => {
          written.progress(informer);
          wake(object);
        },
        update: (old, object) => {
          written.progress(informer);
          if (isNews?.(old, object) === false) return;
          wake(old);
          wake(object);
        },
        delete: (object) => {
          written.progress(informer);
          wake(object);
        },
        progress: () => written.progress(informer),
      }),
    );
  }
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/** One informer a resource, of metadata only, started with the first wish for it. */
function createFollower(signal: AbortSignal) {
  const following = new Map<string, Promise<void>>();
  return (
    controller: Controller,
    options: RunnerOptions,
    { queue, caches, informers }: Omit<Wiring, "written">,
    resource: ResourceRef,
  ): Promise<void> => {
    const key = resourceKey(resource);
    const before = following.get(key);
    if (before !== undefined) return before;
    if (informers.has(key)) return Promise.resolve();
    const { client, clock, random, log } = options;
    const informer = createInformer({
      client,
      resource,
      clock,
      random,
      log,
      transform: metadataOnly,
    });
    const wake = (object: ApiObject) => {
      for (const name of controller.followed?.(object, caches) ?? []) queue.add(name);
    };
    informer.onEvent({ add: wake, delete: wake });
    informers.set(key, informer);
    informer.start(signal);
    const done = informer.waitForSync();
    following.set(key, done);
    return done;
  };
}

async function synced(informers: ReadonlyMap<string, SharedInformer>): Promise<void> {
  await Promise.all([...informers.values()].map((informer) => informer.waitForSync()));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
