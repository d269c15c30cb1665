/**
 * Feeds the owner graph from informers over every resource that can be listed, watched and deleted,
 * as discovery names them now (asked again every 30 s), and lets workers look at what the graph
 * points to.
 *
 * Informers that another controller has are shared; others keep metadata only.
 *
 * Source  pkg/controller/garbagecollector/graph_builder.go, garbagecollector.go
 */
import {
  type Client,
  createEventRecorder,
  createInformer,
  groupResourceOf,
  type ResourceRef,
  runWorkers,
  WorkQueue,
} from "@nanokube/client";
import { type Clock, sleep } from "@nanokube/machinery";
import { collect } from "../core/gc/collect.ts";
import { OwnerGraph } from "../core/gc/graph.ts";
import type { DiscoveredResource } from "../core/steps.ts";
import { discoverResources } from "./discover.ts";
import { createExecutor } from "./executor.ts";
import { metadataOnly } from "./metadata-only.ts";
import { drive, type RunnerOptions } from "./runner.ts";

export const garbageCollectorName = "garbage-collector-controller";

const discoverEveryMs = 30_000;
const syncMaxMs = 30_000;
const workers = 20;
const verbsNeeded = ["delete", "list", "watch"];
/** Many, short-lived, and owned by nobody. */
const ignored: ReadonlySet<string> = new Set(["events", "events.events.k8s.io"]);

export interface GarbageCollectorOptions extends RunnerOptions {
  /** Watches what no other controller does. */
  watchClient: Client;
  /** Resources that other controllers have informers of. */
  isShared(resource: ResourceRef): boolean;
}

export async function runGarbageCollector(
  options: GarbageCollectorOptions,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, random } = options;
  const log = options.log.child({ controller: garbageCollectorName });
  const queue = new WorkQueue<string>({ clock });
  const recorder = createEventRecorder({
    client,
    component: garbageCollectorName,
    clock,
    random,
    log,
    signal,
  });
  const executor = createExecutor({
    client,
    recorder,
    log,
    controller: garbageCollectorName,
    signal,
  });
  const graph = new OwnerGraph();
  const kinds = new Map<string, ResourceRef>();
  const monitors = createMonitors(options, graph, queue);
  signal.addEventListener("abort", () => queue.shutDown(), { once: true });

  const resourceOf = (apiVersion: string, kind: string) =>
    kinds.get(`${apiVersion.includes("/") ? apiVersion.split("/")[0] : ""}/${kind}`);
  const discover = async () => {
    const resources = await discoverResources(client, signal);
    kinds.clear();
    for (const resource of resources) kinds.set(`${resource.group}/${resource.kind}`, resource);
    await monitors.follow(resources.filter(isCollectable), signal);
  };

  await untilDone(discover, clock, signal, (error) =>
    log.warn({ err: error }, "discovery failed, will retry"),
  );
  void repeat(discover, clock, signal, (error) =>
    log.warn({ err: error }, "discovery failed, will retry"),
  );
  await runWorkers({
    queue,
    workers,
    work: async (uid) => {
      if (signal.aborted) return undefined;
      const look = await drive(collect(uid, { graph, resourceOf }), executor, () => {});
      for (const other of look) queue.add(other);
      return undefined;
    },
    onError: (error, uid) => {
      if (!signal.aborted) log.debug({ uid, err: error }, "collecting failed, will retry");
    },
  });
}

function isCollectable(resource: DiscoveredResource): boolean {
  return (
    !ignored.has(groupResourceOf(resource)) &&
    verbsNeeded.every((verb) => resource.verbs.includes(verb))
  );
}

interface Monitors {
  /** Resolves when all of these have been listed. */
  follow(resources: readonly ResourceRef[], signal: AbortSignal): Promise<void>;
}

function createMonitors(
  options: GarbageCollectorOptions,
  graph: OwnerGraph,
  queue: WorkQueue<string>,
): Monitors {
  const { watchClient: client, clock, random, log, informers, isShared } = options;
  const stops = new Map<string, () => void>();
  const look = (uids: readonly string[]) => {
    for (const uid of uids) queue.add(uid);
  };

  const follow = async (resource: ResourceRef, signal: AbortSignal) => {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const informer = isShared(resource)
      ? informers.for(resource)
      : createInformer({ client, resource, clock, random, log, transform: metadataOnly });
    const seen = new Set<string>();
    const unsubscribe = informer.onEvent({
      add: (object) => {
        seen.add(object.metadata?.uid ?? "");
        look(graph.observe(object, resource));
      },
      update: (old, object) => {
        // Deleted and made again while nobody looked.
        if (old.metadata?.uid !== object.metadata?.uid) look(graph.forget(old.metadata?.uid ?? ""));
        seen.add(object.metadata?.uid ?? "");
        look(graph.observe(object, resource));
      },
      delete: (object) => {
        seen.delete(object.metadata?.uid ?? "");
        look(graph.forget(object.metadata?.uid ?? ""));
      },
    });
    stops.set(groupResourceOf(resource), () => {
      unsubscribe();
      stop.abort();
      // The kind is gone, and all its objects with it.
      for (const uid of seen) look(graph.forget(uid));
    });
    if (!isShared(resource)) informer.start(both);
    // One kind that cannot be listed must not keep all others from being collected.
    const enough = new AbortController();
    const late = sleep(clock, syncMaxMs, AbortSignal.any([both, enough.signal])).catch(() => {});
    await Promise.race([informer.waitForSync(), late]);
    enough.abort();
  };

  return {
    async follow(resources, signal) {
      const wanted = new Map(resources.map((resource) => [groupResourceOf(resource), resource]));
      for (const [key, stop] of stops) {
        if (wanted.has(key)) continue;
        stops.delete(key);
        stop();
      }
      const added = [...wanted].filter(([key]) => !stops.has(key));
      await Promise.all(added.map(([, resource]) => follow(resource, signal)));
    },
  };
}

async function untilDone(
  run: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await run();
      return;
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await sleep(clock, 1000, signal).catch(() => {});
    }
  }
}

async function repeat(
  run: () => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, discoverEveryMs, signal).catch(() => {});
    if (signal.aborted) return;
    await run().catch(onError);
  }
}
