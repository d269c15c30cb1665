/**
 * Node lifecycle: a node that is silent for too long becomes Unknown, its pods not ready, and it
 * gets the taints by which its pods are evicted.
 *
 * When no node at all is ready, it is more likely that we are cut off than that all died: nobody is
 * evicted then.
 *
 * Source  pkg/controller/nodelifecycle/node_lifecycle_controller.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import { isNotFound, leases, nodes, pods } from "@nanokube/client";
import { findCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { isPodReady } from "../pod.ts";
import { note, patchStatus, type Steps, update, updateStatus } from "../steps.ts";
import { formatTime } from "../time.ts";
import { type Health, observe, silentConditions } from "./health.ts";
import { taintsWanted } from "./taints.ts";

export interface NodeLifecycleOptions {
  /** A node that was heard of may be silent this long; 50 s. */
  nodeMonitorGracePeriodMs?: number | undefined;
  /** One that never was, this long after its creation; 60 s. */
  nodeStartupGracePeriodMs?: number | undefined;
  /** 5 s. */
  nodeMonitorPeriodMs?: number | undefined;
}

const leaseNamespace = "kube-node-lease";

export const podsByNode = {
  node: (pod: Pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []),
};

/** Its own state is when each node was last heard of. */
export function createNodeLifecycleController(options: NodeLifecycleOptions = {}): Controller {
  const healths = new Map<string, Health>();
  return {
    name: "node-lifecycle-controller",
    component: "node-controller",
    workers: 8,
    watches: [
      watchOwn(nodes),
      watch(leases, ({ metadata }) =>
        metadata?.namespace === leaseNamespace ? [metadata.name ?? ""] : [],
      ),
      watch(pods, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []), podsByNode),
    ],
    reconcile: (key, context) => reconcileNode(key, context, healths, options),
  };
}

export function* reconcileNode(
  name: string,
  context: Context,
  healths: Map<string, Health>,
  options: NodeLifecycleOptions,
): Steps<number | undefined> {
  const { caches, nowMs } = context;
  let node = caches.of(nodes).get("", name);
  if (node === undefined) {
    healths.delete(name);
    return undefined;
  }
  const health = observe(
    healths.get(name),
    node,
    caches.of(leases).get(leaseNamespace, name),
    nowMs,
  );
  healths.set(name, health);

  const known = findCondition(node.status?.conditions, "Ready") !== undefined;
  const graceMs = known
    ? (options.nodeMonitorGracePeriodMs ?? 50_000)
    : (options.nodeStartupGracePeriodMs ?? 60_000);
  const silent = nowMs > health.heardMs + graceMs;
  if (silent) node = yield* markSilent(node, nowMs);
  const status = findCondition(node.status?.conditions, "Ready")?.status;
  if (known && status !== "True") yield* markPodsNotReady(node, context);

  const taints = taintsWanted(node, someNodeIsReady(caches), nowMs);
  if (taints !== undefined) {
    node = yield* update(
      nodes,
      { ...node, spec: { ...node.spec, taints } },
      "node-lifecycle.taint",
    );
  }
  // Looked at when its time would be over, and at least every period: others may decide whether it
  // is evicted.
  const periodMs = options.nodeMonitorPeriodMs ?? 5_000;
  return silent ? periodMs : Math.min(periodMs, health.heardMs + graceMs - nowMs + 1);
}

/**
 * @hop node-lifecycle.silent: a node whose heartbeat and lease stand still for the grace period
 * becomes Unknown.
 */
function* markSilent(node: Node, nowMs: number): Steps<Node> {
  const conditions = silentConditions(node, nowMs);
  if (conditions === undefined) return node;
  const next = yield* updateStatus(nodes, { ...node, status: { ...node.status, conditions } });
  const name = node.metadata?.name;
  // Upstream's events are about a node by its name as uid.
  const about = { apiVersion: "v1", kind: "Node", metadata: { name, uid: node.metadata?.uid } };
  yield* note(about, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
  return next;
}

function someNodeIsReady(caches: Caches): boolean {
  return caches
    .of(nodes)
    .list()
    .some((node) => findCondition(node.status?.conditions, "Ready")?.status === "True");
}

/** Nobody is there to say so: an endpoint on a dead node must not get traffic. */
function* markPodsNotReady(node: Node, { caches, nowMs }: Context): Steps {
  const name = node.metadata?.name ?? "";
  for (const pod of caches.of(pods).byIndex("node", name).filter(isPodReady)) {
    const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(nowMs) };
    const { error } = yield* patchStatus(pods, pod, { conditions: [condition] });
    if (error !== undefined && !isNotFound(error)) throw error;
    if (error === undefined) yield* note(pod, "Warning", "NodeNotReady", "Node is not ready");
  }
}
