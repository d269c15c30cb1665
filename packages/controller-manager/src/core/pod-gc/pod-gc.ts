/**
 * Pod garbage: pods that nobody else would delete. Every 20 s:
 * - ended pods beyond a number (12500), the oldest first
 * - pods of a node that is gone for 40 s
 * - pods that are to be deleted but never had a node
 * - pods that are to be deleted on a node that is out of service
 *
 * Source  pkg/controller/podgc/gc_controller.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import { isNotFound, nodes, pods } from "@nanokube/client";
import { findCondition } from "../conditions.ts";
import { type Context, type Controller, watch } from "../controller.ts";
import { isPodTerminal } from "../pod.ts";
import { patchStatus, read, remove, type Steps } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";

const everyMs = 20_000;
const quarantineMs = 40_000;
const terminatedPodThreshold = 12_500;
const outOfService = "node.kubernetes.io/out-of-service";

/** Its own state is since when a node is missed. */
export function createPodGCController(threshold = terminatedPodThreshold): Controller {
  const missedSince = new Map<string, number>();
  return {
    name: "pod-garbage-collector-controller",
    workers: 1,
    watches: [watch(pods, () => []), watch(nodes, () => [])],
    initialKeys: ["all"],
    reconcile: (_, context) => reconcilePodGC(context, missedSince, threshold),
  };
}

export function* reconcilePodGC(
  { caches, nowMs }: Context,
  missedSince: Map<string, number>,
  threshold: number,
): Steps<number> {
  const all = caches.of(pods).list();
  yield* deleteEnded(all, threshold);
  yield* deleteOutOfService(all, (name) => caches.of(nodes).get("", name), nowMs);
  const gone = yield* goneNodes(all, (name) => caches.of(nodes).get("", name), missedSince, nowMs);
  const message = "PodGC: node no longer exists";
  for (const pod of all.filter(({ spec }) => gone.has(spec?.nodeName ?? ""))) {
    yield* deleteForced(pod, nowMs, message);
  }
  for (const pod of all) {
    const unscheduled = pod.metadata?.deletionTimestamp !== undefined && !pod.spec?.nodeName;
    if (unscheduled) yield* remove(pods, pod, { gracePeriodSeconds: 0 });
  }
  return everyMs;
}

function* deleteEnded(all: readonly Pod[], threshold: number): Steps {
  const ended = all.filter(isPodTerminal);
  const surplus = ended.length - threshold;
  if (threshold <= 0 || surplus <= 0) return;
  const age = (pod: Pod) => parseTime(pod.metadata?.creationTimestamp);
  for (const pod of ended.sort((a, b) => age(a) - age(b)).slice(0, surplus)) {
    yield* remove(pods, pod, { gracePeriodSeconds: 0 });
  }
}

function* deleteOutOfService(
  all: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  nowMs: number,
): Steps {
  for (const pod of all) {
    if (pod.metadata?.deletionTimestamp === undefined || !pod.spec?.nodeName) continue;
    const node = nodeOf(pod.spec.nodeName);
    const ready = findCondition(node?.status?.conditions, "Ready")?.status === "True";
    const isOut = node?.spec?.taints?.some(({ key }) => key === outOfService);
    if (node !== undefined && !ready && isOut) yield* deleteForced(pod, nowMs);
  }
}

function* goneNodes(
  all: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
  missedSince: Map<string, number>,
  nowMs: number,
): Steps<ReadonlySet<string>> {
  const missed = new Set<string>();
  for (const { spec } of all) {
    if (spec?.nodeName && nodeOf(spec.nodeName) === undefined) missed.add(spec.nodeName);
  }
  for (const name of missedSince.keys()) if (!missed.has(name)) missedSince.delete(name);
  const gone = new Set<string>();
  for (const name of missed) {
    const since = missedSince.get(name) ?? nowMs;
    missedSince.set(name, since);
    if (nowMs - since < quarantineMs) continue;
    // The cache may be what is wrong.
    if ((yield* read(nodes, "", name)) === undefined) gone.add(name);
  }
  return gone;
}

/** Nobody will report how it ended: Failed, with the reason as a condition. */
function* deleteForced(pod: Pod, nowMs: number, disruption?: string): Steps {
  if (!isPodTerminal(pod)) {
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: disruption,
      lastTransitionTime: formatTime(nowMs),
    };
    const { error } = yield* patchStatus(pods, pod, {
      phase: "Failed",
      ...(disruption === undefined ? {} : { conditions: [condition] }),
    });
    if (isNotFound(error)) return;
    if (error !== undefined) throw error;
  }
  yield* remove(pods, pod, { gracePeriodSeconds: 0 });
}
