/**
 * ReplicaSet: as many pods as spec.replicas says, from one template.
 *
 * Creates in batches of 1, 2, 4 … that stop at the first failure; deletes what is cheapest to lose;
 * counts what is there. At most 500 pods are created or deleted in one look.
 *
 * Source  pkg/controller/replicaset/replica_set.go, replica_set_utils.go
 */
import type { ReplicaSet, ReplicaSetStatus } from "@nanokube/api/apps/v1";
import type { Pod, ReplicationController } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import {
  isNotFound,
  isReason,
  pods,
  type ResourceRef,
  replicaSets,
  replicationControllers,
  splitKey,
} from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { findCondition, withCondition, withoutCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watchOwn } from "../controller.ts";
import {
  candidates,
  claim,
  controlled,
  controllerIndex,
  controllerOf,
  controllerReference,
  selectorFor,
  watchDependents,
} from "../ownership.ts";
import {
  compareForDeletion,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  nextAvailabilityMs,
  podFromTemplate,
} from "../pod.ts";
import {
  deletion,
  note,
  type Outcome,
  type Steps,
  slowStart,
  together,
  updateStatus,
} from "../steps.ts";
import { formatTime } from "../time.ts";

const burstReplicas = 500;

/**
 * ReplicaSet or ReplicationController: the same but for its name, and for the form of its selector.
 */
interface ReplicaKind {
  resource: ResourceRef<ReplicaSet>;
  selectorOf(rs: ReplicaSet): LabelSelector | undefined;
}

const replicaSetKind: ReplicaKind = {
  resource: replicaSets,
  selectorOf: (rs) => rs.spec?.selector,
};

const replicationControllerKind: ReplicaKind = {
  resource: replicationControllers as ResourceRef as ResourceRef<ReplicaSet>,
  selectorOf: (rc) => rcSelector(rc as ReplicationController),
};

/** Made once per object: compiled selectors are kept by identity. */
const rcSelectors = new WeakMap<Record<string, string>, LabelSelector>();

function rcSelector(rc: ReplicationController): LabelSelector | undefined {
  const matchLabels = rc.spec?.selector;
  if (matchLabels === undefined) return undefined;
  const made = rcSelectors.get(matchLabels) ?? { matchLabels };
  rcSelectors.set(matchLabels, made);
  return made;
}

export function createReplicaSetController(): Controller {
  return createController("replicaset-controller", "replicaset-controller", replicaSetKind);
}

export function createReplicationController(): Controller {
  const name = "replicationcontroller-controller";
  return createController(name, "replication-controller", replicationControllerKind);
}

function createController(name: string, component: string, kind: ReplicaKind): Controller {
  return {
    name,
    component,
    watches: [
      watchOwn(kind.resource, controllerIndex),
      watchDependents(pods, kind.resource, kind.selectorOf),
    ],
    reconcile: (key, context) => reconcileReplicaSet(key, context, kind),
  };
}

export function* reconcileReplicaSet(
  key: string,
  context: Context,
  kind: ReplicaKind,
): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const rs = caches.of(kind.resource).get(namespace, name);
  if (rs === undefined) return undefined;

  const selector = selectorFor(kind.selectorOf(rs));
  const all = candidates(caches.of(pods), rs);
  const active = yield* claim({
    owner: rs,
    ownerResource: kind.resource,
    resource: pods,
    selector,
    objects: all.filter(isPodActive),
  });
  const terminating = controlled(caches.of(pods), rs).filter(
    (pod) => isPodTerminating(pod) && selector.matches(pod.metadata?.labels),
  );
  const failure =
    rs.metadata?.deletionTimestamp === undefined
      ? yield* manageReplicas(rs, active, context, kind)
      : undefined;

  const status = replicaSetStatus({ rs, active, terminating, failure, nowMs });
  if (!deepEqual(status, rs.status ?? {})) yield* updateStatus(kind.resource, { ...rs, status });
  if (failure !== undefined) throw failure;
  return nextAvailabilityMs(active, rs.spec?.minReadySeconds ?? 0, nowMs);
}

/**
 * @hop replicaset.scale: the ReplicaSet controller sees too few or too many pods and creates or
 * deletes the difference.
 */
function* manageReplicas(
  rs: ReplicaSet,
  active: readonly Pod[],
  { caches, nowMs }: Context,
  kind: ReplicaKind,
): Steps<Error | undefined> {
  const difference = active.length - (rs.spec?.replicas ?? 1);
  if (difference < 0) return yield* createPods(rs, Math.min(-difference, burstReplicas), kind);
  if (difference === 0) return undefined;
  const goes = podsToDelete(rs, active, {
    kind,
    count: Math.min(difference, burstReplicas),
    caches,
    nowMs,
  });
  return yield* deletePods(rs, goes);
}

function* createPods(rs: ReplicaSet, count: number, kind: ReplicaKind): Steps<Error | undefined> {
  const owner = controllerReference(rs, kind.resource);
  const namespace = rs.metadata?.namespace ?? "";
  const template = rs.spec?.template ?? {};
  const outcomes = yield* slowStart(
    Array.from({ length: count }, () => ({
      do: "create" as const,
      resource: pods,
      object: podFromTemplate(template, namespace, owner),
      hop: "replicaset.scale",
    })),
  );
  yield* noteOutcomes(rs, outcomes, "create");
  return outcomes.find(({ error }) => error !== undefined && !isNamespaceEnding(error))?.error;
}

function* deletePods(rs: ReplicaSet, goes: readonly Pod[]): Steps<Error | undefined> {
  const outcomes = yield* together(
    goes.map((pod) => ({ ...deletion(pods, pod), hop: "replicaset.scale" })),
  );
  const named = outcomes.map((outcome, index) => ({ ...outcome, object: goes[index]! }));
  const told = named.filter(({ error }) => !isNotFound(error));
  yield* noteOutcomes(rs, told, "delete");
  return told.find(({ error }) => error !== undefined)?.error;
}

function* noteOutcomes(
  rs: ReplicaSet,
  outcomes: readonly Outcome[],
  verb: "create" | "delete",
): Steps {
  const [done, reason] =
    verb === "create" ? ["Created", "SuccessfulCreate"] : ["Deleted", "SuccessfulDelete"];
  for (const { object, error } of outcomes) {
    if (error === undefined) {
      yield* note(rs, "Normal", reason!, `${done} pod: ${object?.metadata?.name}`);
    } else if (verb === "create") {
      if (isNamespaceEnding(error)) continue;
      yield* note(rs, "Warning", "FailedCreate", `Error creating: ${error.message}`);
    } else {
      yield* note(rs, "Warning", "FailedDelete", `Error deleting: ${error.message}`);
    }
  }
}

/** Nothing can be made in a namespace that goes: no failure, and no use in trying again. */
export function isNamespaceEnding(error: Error): boolean {
  return (
    isReason(error, "Forbidden") &&
    error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true
  );
}

interface Surplus {
  kind: ReplicaKind;
  count: number;
  caches: Caches;
  nowMs: number;
}

function podsToDelete(rs: ReplicaSet, active: readonly Pod[], surplus: Surplus): Pod[] {
  const { kind, count, caches, nowMs } = surplus;
  if (count >= active.length) return [...active];
  const onNode = new Map<string, number>();
  for (const pod of siblings(rs, caches, kind)) {
    if (!isPodActive(pod)) continue;
    const node = pod.spec?.nodeName ?? "";
    onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const ranks = new Map(active.map((pod) => [pod, onNode.get(pod.spec?.nodeName ?? "") ?? 0]));
  return active.toSorted((a, b) => compareForDeletion(a, b, ranks, nowMs)).slice(0, count);
}

/** The pods of all ReplicaSets of the same Deployment: a node that has many of them gives first. */
function siblings(rs: ReplicaSet, caches: Caches, { resource }: ReplicaKind): Pod[] {
  const controller = controllerOf(rs)?.uid;
  const sets =
    controller === undefined ? [rs] : caches.of(resource).byIndex("controller", controller);
  return sets.flatMap((set) => controlled(caches.of(pods), set));
}

interface Seen {
  rs: ReplicaSet;
  active: readonly Pod[];
  terminating: readonly Pod[];
  failure: Error | undefined;
  nowMs: number;
}

export function replicaSetStatus({
  rs,
  active,
  terminating,
  failure,
  nowMs,
}: Seen): ReplicaSetStatus {
  const { spec = {}, status: old = {} } = rs;
  const templateLabels = Object.entries(spec.template?.metadata?.labels ?? {});
  const labeled = active.filter((pod) =>
    templateLabels.every(([label, value]) => pod.metadata?.labels?.[label] === value),
  );
  const ready = active.filter(isPodReady);
  const available = ready.filter((pod) => isPodAvailable(pod, spec.minReadySeconds ?? 0, nowMs));
  const counts = {
    fullyLabeledReplicas: labeled.length,
    readyReplicas: ready.length,
    availableReplicas: available.length,
  };
  const conditions = failureCondition(rs, active.length, failure, nowMs);
  return {
    replicas: active.length,
    // The API leaves these out when they are zero.
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...terminatingCount(old, terminating.length),
    observedGeneration: rs.metadata?.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** A server older than the field drops it: then it must not count as a difference. */
function terminatingCount(old: ReplicaSetStatus, count: number): ReplicaSetStatus {
  const unknown = old.terminatingReplicas === undefined && count === 0 && old.observedGeneration;
  return unknown ? {} : { terminatingReplicas: count };
}

function failureCondition(
  rs: ReplicaSet,
  active: number,
  failure: Error | undefined,
  nowMs: number,
): NonNullable<ReplicaSetStatus["conditions"]> {
  const conditions = rs.status?.conditions;
  if (failure === undefined) return withoutCondition(conditions, "ReplicaFailure");
  if (findCondition(conditions, "ReplicaFailure") !== undefined) return [...(conditions ?? [])];
  return withCondition(conditions, {
    type: "ReplicaFailure",
    status: "True",
    reason: active < (rs.spec?.replicas ?? 1) ? "FailedCreate" : "FailedDelete",
    message: failure.message,
    lastTransitionTime: formatTime(nowMs),
  });
}
