/**
 * StatefulSet: pods with names, each after the one before it; updates from the last to the first,
 * down to the partition.
 *
 * OrderedReady waits for each pod to be available before the next is made, deleted or updated;
 * Parallel doesn't wait.
 *
 * Source  pkg/controller/statefulset/stateful_set_control.go
 */
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from "@nanokube/api/apps/v1";
import type { Pod } from "@nanokube/api/core/v1";
import {
  controllerRevisions,
  isNotFound,
  persistentVolumeClaims,
  pods,
  splitKey,
  statefulSets,
} from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { claimRevisions, templateAt, truncateHistory, updateRevision } from "../history/history.ts";
import { scaled } from "../int-or-percent.ts";
import { candidates, claim, selectorFor, watchDependents } from "../ownership.ts";
import { isPodAvailable, isPodTerminal, nextAvailabilityMs } from "../pod.ts";
import { attempt, deletion, note, type Steps, update, updateStatus } from "../steps.ts";
import { claimIsStale, createClaims, syncClaimOwners } from "./claims.ts";
import {
  hasIdentity,
  inRange,
  isCreated,
  isRunningAndReady,
  isTerminating,
  isUnavailable,
  newPod,
  ordinalOf,
  replicasWanted,
  revisionOf,
  splitName,
  startOrdinal,
  withIdentity,
} from "./identity.ts";

export function createStatefulSetController(): Controller {
  return {
    name: "statefulset-controller",
    watches: [
      watchOwn(statefulSets),
      watchDependents(pods, statefulSets, (owner) => owner.spec?.selector),
      watchDependents(controllerRevisions, statefulSets, (owner) => owner.spec?.selector),
      watch(persistentVolumeClaims, () => []),
    ],
    reconcile: reconcileStatefulSet,
  };
}

interface Sync {
  set: StatefulSet;
  current: ControllerRevision;
  update: ControllerRevision;
  collisionCount: number;
  /** By ordinal, from the start; what is missing is planned. */
  replicas: Pod[];
  /** Beyond the wanted number, the highest first. */
  condemned: Pod[];
  context: Context;
}

export function* reconcileStatefulSet(key: string, context: Context): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const set = caches.of(statefulSets).get(namespace, name);
  if (set === undefined) return undefined;
  const own = yield* claim({
    owner: set,
    ownerResource: statefulSets,
    resource: pods,
    selector: selectorFor(set.spec?.selector),
    // A pod whose name is not of this set is none of its members, whatever its labels.
    objects: candidates(caches.of(pods), set).filter((pod) => splitName(pod).parent === name),
  });
  const revisions = yield* claimRevisions(set, statefulSets, caches);
  const wanted = yield* updateRevision(
    set,
    statefulSets,
    revisions,
    set.status?.collisionCount ?? 0,
  );
  const current =
    revisions.find((revision) => revision.metadata?.name === set.status?.currentRevision) ??
    wanted.revision;
  const sync = plan({ set, own, current, wanted, context });

  let failure: Error | undefined;
  if (set.metadata?.deletionTimestamp === undefined) {
    try {
      yield* converge(sync);
    } catch (error) {
      failure = error as Error;
    }
  }
  const status = statefulSetStatus(sync, own);
  if (!sameStatus(set.status, status)) yield* updateStatus(statefulSets, { ...set, status });
  const live = new Set([
    current.metadata?.name ?? "",
    wanted.revision.metadata?.name ?? "",
    ...own.map(revisionOf),
  ]);
  yield* truncateHistory(revisions, live, set.spec?.revisionHistoryLimit ?? 10);
  if (failure !== undefined) throw failure;
  return nextAvailabilityMs(own, set.spec?.minReadySeconds ?? 0, nowMs);
}

interface Planning {
  set: StatefulSet;
  own: readonly Pod[];
  current: ControllerRevision;
  wanted: { revision: ControllerRevision; collisionCount: number };
  context: Context;
}

function plan({ set, own, current, wanted, context }: Planning): Sync {
  const byOrdinal = new Map(own.map((pod) => [ordinalOf(pod), pod]));
  const start = startOrdinal(set);
  const replicas = Array.from({ length: replicasWanted(set) }, (_, index) => {
    const ordinal = start + index;
    return byOrdinal.get(ordinal) ?? plannedPod(set, current, wanted.revision, ordinal);
  });
  const condemned = own
    .filter((pod) => !inRange(pod, set))
    .sort((a, b) => ordinalOf(b) - ordinalOf(a));
  const { collisionCount } = wanted;
  return { set, current, update: wanted.revision, collisionCount, replicas, condemned, context };
}

/** Below the partition a lost pod comes back as it was. */
function plannedPod(
  set: StatefulSet,
  current: ControllerRevision,
  wanted: ControllerRevision,
  ordinal: number,
): Pod {
  const { type = "RollingUpdate", rollingUpdate } = set.spec?.updateStrategy ?? {};
  const kept =
    rollingUpdate === undefined
      ? (set.status?.currentReplicas ?? 0)
      : (rollingUpdate.partition ?? 0);
  const old = type === "RollingUpdate" && ordinal < startOrdinal(set) + kept;
  const revision = old ? current : wanted;
  return newPod(set, templateAt(revision), revision.metadata?.name ?? "", ordinal);
}

function* converge(sync: Sync): Steps {
  const { set, replicas, condemned, context } = sync;
  const ordered = set.spec?.podManagementPolicy !== "Parallel";
  const unavailable = [...replicas, ...condemned.toReversed()].filter((pod) =>
    isUnavailable(pod, set, context.nowMs),
  );
  for (let index = 0; index < replicas.length; index++) {
    const wait = yield* processReplica(sync, index, ordered);
    if (wait && ordered) return;
  }
  for (const pod of condemned) yield* syncClaimOwners(set, pod, context.caches);
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return;
      continue;
    }
    const waits = ordered && isUnavailable(pod, set, context.nowMs) && pod !== unavailable[0];
    if (waits) return;
    yield* deletePod(set, pod);
    if (ordered) return;
  }
  yield* updatePods(sync);
}

/** true: nothing after this one may be done now, in an ordered set. */
function* processReplica(sync: Sync, index: number, ordered: boolean): Steps<boolean> {
  const { set, replicas, context } = sync;
  const pod = replicas[index]!;
  if (isPodTerminal(pod)) {
    if (!isTerminating(pod)) yield* deletePod(set, pod);
    return true;
  }
  if (!isCreated(pod)) {
    if (pod.metadata?.uid !== undefined) return true; // Made, but its phase is not set yet.
    if (claimIsStale(set, pod, context.caches)) return true;
    replicas[index] = yield* createPod(sync, pod);
    return true;
  }
  if (pod.status?.phase === "Pending") {
    yield* createClaims(set, pod, context.caches);
    yield* syncClaimOwners(set, pod, context.caches);
  }
  if (ordered && (isTerminating(pod) || !isRunningAndReady(pod))) return true;
  const { minReadySeconds = 0 } = set.spec ?? {};
  if (ordered && !isPodAvailable(pod, minReadySeconds, context.nowMs)) return true;
  if (!isTerminating(pod)) {
    yield* syncClaimOwners(set, pod, context.caches);
    if (!hasIdentity(set, pod)) replicas[index] = yield* update(pods, withIdentity(pod));
  }
  return false;
}

/**
 * @hop statefulset.create: the StatefulSet controller makes the next pod by its name, after its
 * claims.
 */
function* createPod({ set, context }: Sync, pod: Pod): Steps<Pod> {
  yield* createClaims(set, pod, context.caches);
  const made = yield* attempt({
    do: "create",
    resource: pods,
    object: pod,
    hop: "statefulset.create",
  });
  const about = `Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`;
  if (made.error !== undefined) {
    yield* note(
      set,
      "Warning",
      "FailedCreate",
      `create ${about} failed error: ${made.error.message}`,
    );
    throw made.error;
  }
  yield* note(set, "Normal", "SuccessfulCreate", `create ${about} successful`);
  return made.object as Pod;
}

function* deletePod(set: StatefulSet, pod: Pod): Steps {
  const { error } = yield* attempt({ ...deletion(pods, pod), hop: "statefulset.delete" });
  const about = `Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`;
  if (error !== undefined && !isNotFound(error)) {
    yield* note(set, "Warning", "FailedDelete", `delete ${about} failed error: ${error.message}`);
    throw error;
  }
  yield* note(set, "Normal", "SuccessfulDelete", `delete ${about} successful`);
}

/**
 * All pods are there: those of another revision are deleted, from the last on, as many as may be
 * missing.
 */
function* updatePods({ set, replicas, update: wanted, context }: Sync): Steps {
  const { type = "RollingUpdate", rollingUpdate = {} } = set.spec?.updateStrategy ?? {};
  if (type === "OnDelete") return;
  const max = Math.max(1, scaled(rollingUpdate.maxUnavailable ?? 1, replicasWanted(set), "down"));
  let room = max - replicas.filter((pod) => isUnavailable(pod, set, context.nowMs)).length;
  for (
    let index = replicas.length - 1;
    index >= (rollingUpdate.partition ?? 0) && room > 0;
    index--
  ) {
    const pod = replicas[index]!;
    if (revisionOf(pod) === wanted.metadata?.name || isTerminating(pod)) continue;
    yield* deletePod(set, pod);
    room--;
  }
}

function statefulSetStatus(sync: Sync, own: readonly Pod[]): StatefulSetStatus {
  const { set, current, update: wanted, collisionCount, context } = sync;
  const { minReadySeconds = 0, updateStrategy } = set.spec ?? {};
  const created = own.filter(isCreated);
  const staying = created.filter((pod) => !isTerminating(pod));
  const ofRevision = (revision: ControllerRevision) =>
    staying.filter((pod) => revisionOf(pod) === revision.metadata?.name).length;
  const ready = own.filter(isRunningAndReady);
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata?.generation ?? 0,
    replicas: created.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, context.nowMs))
      .length,
    currentReplicas: ofRevision(current),
    updatedReplicas: ofRevision(wanted),
    currentRevision: current.metadata?.name,
    updateRevision: wanted.metadata?.name,
    collisionCount,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  const all = replicasWanted(set);
  const rolls = (updateStrategy?.type ?? "RollingUpdate") === "RollingUpdate";
  const complete =
    status.updatedReplicas === all && status.readyReplicas === all && status.replicas === all;
  if (rolls && complete) {
    status.currentReplicas = status.updatedReplicas;
    status.currentRevision = status.updateRevision;
  }
  return status;
}

/** Zero counts are left out by the server. */
function sameStatus(old: StatefulSetStatus = {}, next: StatefulSetStatus): boolean {
  const zero = {
    replicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    currentReplicas: 0,
    updatedReplicas: 0,
    collisionCount: 0,
    observedGeneration: 0,
  };
  return deepEqual({ ...zero, ...old }, { ...zero, ...next });
}
