/**
 * DaemonSet: one pod on every node that its template fits.
 *
 * Source  pkg/controller/daemon/daemon_controller.go, update.go
 */
import type { ControllerRevision, DaemonSet, DaemonSetStatus } from "@nanokube/api/apps/v1";
import type { Node, Pod } from "@nanokube/api/core/v1";
import {
  controllerRevisions,
  daemonSets,
  isNotFound,
  keyOf,
  nodes,
  pods,
  splitKey,
} from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import {
  claimRevisions,
  revisionLabel,
  truncateHistory,
  updateRevision,
} from "../history/history.ts";
import { scaled } from "../int-or-percent.ts";
import { candidates, claim, selectorFor, watchDependents } from "../ownership.ts";
import { isPodAvailable, isPodReady, nextAvailabilityMs } from "../pod.ts";
import { isNamespaceEnding } from "../replicaset/replicaset.ts";
import { deletion, note, type Steps, slowStart, together, updateStatus } from "../steps.ts";
import { parseTime } from "../time.ts";
import { fits, isUpdated, newDaemonPod, targetNode } from "./daemon-pod.ts";

const burst = 250;

export function createDaemonSetController(): Controller {
  return {
    name: "daemonset-controller",
    watches: [
      watchOwn(daemonSets),
      watchDependents(pods, daemonSets, (owner) => owner.spec?.selector),
      watchDependents(controllerRevisions, daemonSets, (owner) => owner.spec?.selector),
      watch(nodes, (_, caches) => caches.of(daemonSets).list().map(keyOf)),
    ],
    reconcile: reconcileDaemonSet,
  };
}

interface Sync {
  set: DaemonSet;
  hash: string;
  nodes: Node[];
  /** Daemon pods by the node they are for, terminating ones too. */
  byNode: Map<string, Pod[]>;
  nowMs: number;
}

export function* reconcileDaemonSet(key: string, context: Context): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const set = caches.of(daemonSets).get(namespace, name);
  if (set === undefined) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = set.spec?.selector ?? {};
  if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
    yield* note(
      set,
      "Warning",
      "SelectingAll",
      "This daemon set is selecting all pods. A non-empty selector is required.",
    );
    return undefined;
  }
  if (set.metadata?.deletionTimestamp !== undefined) return undefined;

  const revisions = yield* claimRevisions(set, daemonSets, caches);
  const labelOf = (hash: string) => ({ [revisionLabel]: hash });
  const collisions = set.status?.collisionCount ?? 0;
  const { revision } = yield* updateRevision(set, daemonSets, revisions, collisions, labelOf);
  const own = yield* claim({
    owner: set,
    ownerResource: daemonSets,
    resource: pods,
    selector: selectorFor(set.spec?.selector),
    objects: candidates(caches.of(pods), set),
  });
  const sync: Sync = {
    set,
    hash: revision.metadata?.labels?.[revisionLabel] ?? "",
    nodes: caches.of(nodes).list(),
    byNode: groupByNode(own),
    nowMs,
  };
  const failure = yield* converge(sync);
  const status = daemonSetStatus(sync);
  if (!deepEqual(withZeros(status), withZeros(set.status))) {
    yield* updateStatus(daemonSets, { ...set, status });
  }
  yield* truncateHistory(
    revisions,
    liveRevisions(revisions, revision, own),
    set.spec?.revisionHistoryLimit ?? 10,
  );
  if (failure !== undefined) throw failure;
  return nextAvailabilityMs(own, set.spec?.minReadySeconds ?? 0, nowMs);
}

function groupByNode(own: readonly Pod[]): Map<string, Pod[]> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of own) {
    const node = targetNode(pod);
    if (node === undefined) continue;
    const there = byNode.get(node);
    if (there === undefined) byNode.set(node, [pod]);
    else there.push(pod);
  }
  for (const there of byNode.values()) there.sort(byAge);
  return byNode;
}

function byAge(a: Pod, b: Pod): number {
  const scheduled = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  const age = parseTime(a.metadata?.creationTimestamp) - parseTime(b.metadata?.creationTimestamp);
  return scheduled || age || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);
}

function liveRevisions(
  revisions: readonly ControllerRevision[],
  current: ControllerRevision,
  own: readonly Pod[],
): ReadonlySet<string> {
  const hashes = new Set(own.map((pod) => pod.metadata?.labels?.[revisionLabel]));
  const live = revisions.filter(
    (revision) => revision === current || hashes.has(revision.metadata?.labels?.[revisionLabel]),
  );
  return new Set(live.map((revision) => revision.metadata?.name ?? ""));
}

/**
 * @hop daemonset.place: the DaemonSet controller gives each node that fits its pod, and takes it
 * from others.
 */
function* converge(sync: Sync): Steps<Error | undefined> {
  const placing = yield* place(sync);
  const failure = yield* apply(sync, placing);
  if (failure !== undefined || placing.create.length + placing.delete.length > 0) return failure;
  if ((sync.set.spec?.updateStrategy?.type ?? "RollingUpdate") !== "RollingUpdate")
    return undefined;
  return yield* apply(sync, surgeOf(sync) === 0 ? replaceInPlace(sync) : replaceBySurge(sync));
}

interface Placing {
  create: string[];
  delete: Pod[];
}

function* place(sync: Sync): Steps<Placing> {
  const { set, byNode } = sync;
  const placing: Placing = { create: [], delete: [] };
  const known = new Set(sync.nodes.map((node) => node.metadata?.name ?? ""));
  for (const node of sync.nodes) {
    const name = node.metadata?.name ?? "";
    const { shouldRun, shouldContinue } = fits(set, node);
    const there = byNode.get(name) ?? [];
    if (shouldRun && there.length === 0) placing.create.push(name);
    else if (shouldContinue) yield* keepOne(sync, name, { there, shouldRun, placing });
    else placing.delete.push(...there.filter((pod) => !isGoing(pod)));
  }
  // Never scheduled, and its node is gone: nobody else would delete it.
  for (const [name, there] of byNode) {
    if (!known.has(name))
      placing.delete.push(...there.filter((pod) => !pod.spec?.nodeName && !isGoing(pod)));
  }
  return placing;
}

function isGoing(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

function* keepOne(
  sync: Sync,
  node: string,
  { there, shouldRun, placing }: { there: Pod[]; shouldRun: boolean; placing: Placing },
): Steps {
  const { set, hash, nowMs } = sync;
  const running: Pod[] = [];
  for (const pod of there.filter((pod) => !isGoing(pod))) {
    const where = `daemon pod ${keyOf(pod)} on node ${node}`;
    if (pod.status?.phase === "Failed") {
      yield* note(set, "Warning", "FailedDaemonPod", `Found failed ${where}, will try to kill it`);
      placing.delete.push(pod);
    } else if (pod.status?.phase === "Succeeded") {
      yield* note(
        set,
        "Normal",
        "SucceededDaemonPod",
        `Found succeeded ${where}, will try to delete it`,
      );
      placing.delete.push(pod);
    } else running.push(pod);
  }
  if (surgeOf(sync) === 0) {
    placing.delete.push(...running.slice(1));
    return;
  }
  if (running.length === 0 && shouldRun) placing.create.push(node);
  if (running.length <= 1) return;
  const [newest, ...extraNew] = running.filter((pod) => isUpdated(pod, set, hash));
  const [oldest, ...extraOld] = running.filter((pod) => !isUpdated(pod, set, hash));
  placing.delete.push(...extraNew, ...extraOld);
  if (newest === undefined || oldest === undefined) return;
  const replaced =
    !isPodReady(oldest) || isPodAvailable(newest, set.spec?.minReadySeconds ?? 0, nowMs);
  if (replaced) placing.delete.push(oldest);
}

/** Of the nodes wanted now. */
function surgeOf({ set, nodes: all }: Sync): number {
  const wanted = all.filter((node) => fits(set, node).shouldRun).length;
  return scaled(set.spec?.updateStrategy?.rollingUpdate?.maxSurge, wanted, "up");
}

function unavailableOf({ set, nodes: all }: Sync): number {
  const wanted = all.filter((node) => fits(set, node).shouldRun).length;
  const max = scaled(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted, "up");
  // Both zero would never move.
  return max === 0 && surgeOf({ set, nodes: all } as Sync) === 0 ? 1 : max;
}

interface Pair {
  now: Pod | undefined;
  old: Pod | undefined;
  excess: boolean;
}

function pairOn(sync: Sync, there: readonly Pod[]): Pair {
  const alive = there.filter((pod) => !isGoing(pod));
  const [now, ...moreNow] = alive.filter((pod) => isUpdated(pod, sync.set, sync.hash));
  const [old, ...moreOld] = alive.filter((pod) => !isUpdated(pod, sync.set, sync.hash));
  return { now, old, excess: moreNow.length + moreOld.length > 0 };
}

/**
 * maxUnavailable: an old pod goes, then its node gets a new one. Those that serve nobody go at
 * once.
 */
function replaceInPlace(sync: Sync): Placing {
  const available = (pod: Pod) =>
    isPodAvailable(pod, sync.set.spec?.minReadySeconds ?? 0, sync.nowMs);
  const free: Pod[] = [];
  const serving: Pod[] = [];
  let unavailable = 0;
  for (const there of sync.byNode.values()) {
    const { now, old, excess } = pairOn(sync, there);
    const settled = !excess && (now === undefined) !== (old === undefined);
    if (!settled || (now !== undefined && !available(now))) unavailable++;
    else if (old !== undefined && !available(old)) {
      free.push(old);
      unavailable++;
    } else if (old !== undefined) serving.push(old);
  }
  const room = Math.max(0, unavailableOf(sync) - unavailable);
  return { create: [], delete: [...free, ...serving.slice(0, room)] };
}

/** maxSurge: a node gets a new pod beside the old one, which goes when the new one is available. */
function replaceBySurge(sync: Sync): Placing {
  const available = (pod: Pod) =>
    isPodAvailable(pod, sync.set.spec?.minReadySeconds ?? 0, sync.nowMs);
  const running = new Set(
    sync.nodes.filter((node) => fits(sync.set, node).shouldRun).map((node) => node.metadata?.name),
  );
  const placing: Placing = { create: [], delete: [] };
  const waiting: string[] = [];
  let surge = 0;
  for (const [node, there] of sync.byNode) {
    const { now, old, excess } = pairOn(sync, there);
    if (excess) surge++;
    else if (old !== undefined && now === undefined && running.has(node)) {
      (available(old) ? waiting : placing.create).push(node);
    } else if (old !== undefined && now !== undefined) {
      if (available(now)) placing.delete.push(old);
      else surge++;
    }
  }
  placing.create.push(...waiting.slice(0, Math.max(0, surgeOf(sync) - surge)));
  return placing;
}

function* apply({ set, hash }: Sync, placing: Placing): Steps<Error | undefined> {
  const created = yield* slowStart(
    placing.create.slice(0, burst).map((node) => ({
      do: "create" as const,
      resource: pods,
      object: newDaemonPod(set, node, hash),
      hop: "daemonset.place",
    })),
  );
  const goes = placing.delete.slice(0, burst);
  const deleted = yield* together(
    goes.map((pod) => ({ ...deletion(pods, pod), hop: "daemonset.place" })),
  );
  const failures: Error[] = [];
  for (const { object, error } of created) {
    if (error === undefined) {
      yield* note(set, "Normal", "SuccessfulCreate", `Created pod: ${object?.metadata?.name}`);
    } else if (!isNamespaceEnding(error)) {
      failures.push(error);
      yield* note(set, "Warning", "FailedCreate", `Error creating: ${error.message}`);
    }
  }
  for (const [index, { error }] of deleted.entries()) {
    if (error === undefined) {
      yield* note(set, "Normal", "SuccessfulDelete", `Deleted pod: ${goes[index]?.metadata?.name}`);
    } else if (!isNotFound(error)) {
      failures.push(error);
      yield* note(set, "Warning", "FailedDelete", `Error deleting: ${error.message}`);
    }
  }
  return failures[0];
}

function daemonSetStatus(sync: Sync): DaemonSetStatus {
  const { set, hash, byNode, nowMs } = sync;
  const { minReadySeconds = 0 } = set.spec ?? {};
  const wanted = sync.nodes.filter((node) => fits(set, node).shouldRun);
  const names = new Set(wanted.map((node) => node.metadata?.name ?? ""));
  const placed = wanted.flatMap((node) => byNode.get(node.metadata?.name ?? "")?.[0] ?? []);
  const misplaced = sync.nodes.filter(
    ({ metadata }) => !names.has(metadata?.name ?? "") && byNode.has(metadata?.name ?? ""),
  );
  const available = placed.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length;
  return {
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
    ...(set.status?.collisionCount === undefined
      ? {}
      : { collisionCount: set.status.collisionCount }),
    observedGeneration: set.metadata?.generation ?? 0,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: placed.length,
    numberMisscheduled: misplaced.length,
    numberReady: placed.filter(isPodReady).length,
    updatedNumberScheduled: placed.filter((pod) => isUpdated(pod, set, hash)).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
  };
}

/** Zero counts are left out by the server. */
function withZeros(status: DaemonSetStatus = {}): DaemonSetStatus {
  return {
    observedGeneration: 0,
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
    updatedNumberScheduled: 0,
    numberAvailable: 0,
    numberUnavailable: 0,
    ...status,
  };
}
