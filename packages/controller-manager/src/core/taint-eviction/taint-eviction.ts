/**
 * Taint eviction: a pod on a node with a NoExecute taint that it does not bear is deleted; one that
 * bears it for some seconds, after those.
 *
 * Source  pkg/controller/tainteviction/taint_eviction.go
 */

import type { Node, Pod, Taint, Toleration } from "@nanokube/api/core/v1";
import { isNotFound, nodes, pods, splitKey } from "@nanokube/client";
import { tolerationToleratesTaint } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { podsByNode } from "../node-lifecycle/node-lifecycle.ts";
import { note, patchStatus, remove, type Steps } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";

/** Its own state is since when it knows a taint that doesn't say when it was added. */
export function createTaintEvictionController(): Controller {
  const since = new Map<string, number>();
  return {
    name: "taint-eviction-controller",
    workers: 8,
    watches: [
      watchOwn(pods, podsByNode),
      watch(nodes, (node, caches) =>
        caches
          .of(pods)
          .byIndex("node", node.metadata?.name ?? "")
          .map((pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`),
      ),
    ],
    reconcile: (key, context) => reconcileTaints(key, context, since),
  };
}

export function* reconcileTaints(
  key: string,
  { caches, nowMs }: Context,
  since: Map<string, number>,
): Steps<number | undefined> {
  const { namespace, name } = splitKey(key);
  const pod = caches.of(pods).get(namespace, name);
  const node = pod?.spec?.nodeName ? caches.of(nodes).get("", pod.spec.nodeName) : undefined;
  const taints = noExecuteTaints(node);
  if (pod === undefined || taints.length === 0) {
    since.delete(key);
    return undefined;
  }
  if (pod.metadata?.deletionTimestamp !== undefined) return undefined;
  const first = since.get(key) ?? nowMs;
  since.set(key, first);
  const atMs = evictionTime(taints, pod.spec?.tolerations ?? [], first);
  if (atMs === Number.POSITIVE_INFINITY) return undefined;
  if (atMs > nowMs) return atMs - nowMs;
  yield* evict(pod, nowMs);
  since.delete(key);
  return undefined;
}

function noExecuteTaints(node: Node | undefined): Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** When the first of the tolerations that are used runs out; at once where one taint has none. */
export function evictionTime(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  knownSinceMs: number,
): number {
  let atMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const bearing = tolerations.filter((toleration) => tolerationToleratesTaint(toleration, taint));
    if (bearing.length === 0) return Number.NEGATIVE_INFINITY;
    const addedMs = taint.timeAdded === undefined ? knownSinceMs : parseTime(taint.timeAdded);
    for (const { tolerationSeconds } of bearing) {
      if (tolerationSeconds === undefined) continue;
      atMs = Math.min(atMs, addedMs + Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return atMs;
}

/** @hop taint-eviction.evict: a pod whose toleration ran out is marked as disrupted and deleted. */
function* evict(pod: Pod, nowMs: number): Steps {
  const { namespace, name } = pod.metadata ?? {};
  yield* note(
    pod,
    "Normal",
    "TaintManagerEviction",
    `Marking for deletion Pod ${namespace}/${name}`,
  );
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    lastTransitionTime: formatTime(nowMs),
  };
  const { error } = yield* patchStatus(pods, pod, { conditions: [condition] });
  if (isNotFound(error)) return;
  if (error !== undefined) throw error;
  yield* remove(pods, pod, { hop: "taint-eviction.evict" });
}
