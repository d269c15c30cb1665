/**
 * One look at a Deployment in progress: the ReplicaSets as they are, and the steps that change
 * them.
 *
 * The Deployment in it is a private copy: conditions and annotations are set on it on the way, and
 * written once at the end, if anything differs.
 *
 * Source  pkg/controller/deployment/sync.go
 */
import type { Deployment, ReplicaSet } from "@nanokube/api/apps/v1";
import { deployments, isAlreadyExists, isReason, replicaSets } from "@nanokube/client";
import { deepClone } from "@nanokube/machinery";
import { findCondition, withCondition } from "../conditions.ts";
import { controllerOf, controllerReference } from "../ownership.ts";
import { attempt, note, read, remove, type Steps, update, updateStatus } from "../steps.ts";
import { newAnnotations, sameAnnotations, sizeAnnotations } from "./annotations.ts";
import {
  byRevision,
  findNew,
  hasProgressDeadline,
  hasRevisionHistoryLimit,
  maxRevision,
  newReplicas,
  replicasOf,
  revisionAnnotation,
} from "./replica-sets.ts";
import { condition } from "./status.ts";
import { sameTemplate, templateHash, templateHashLabel } from "./template-hash.ts";

export interface Rollout {
  d: Deployment;
  newRS: ReplicaSet | undefined;
  oldRSs: ReplicaSet[];
  nowMs: number;
}

export function allSets(rollout: Rollout): ReplicaSet[] {
  return rollout.newRS === undefined ? rollout.oldRSs : [...rollout.oldRSs, rollout.newRS];
}

export function beginRollout(d: Deployment, sets: readonly ReplicaSet[], nowMs: number): Rollout {
  const newRS = findNew(d, sets);
  const copy: Deployment = {
    ...d,
    metadata: { ...d.metadata, annotations: { ...d.metadata?.annotations } },
    status: { ...d.status },
  };
  return { d: copy, newRS, oldRSs: sets.filter((rs) => rs !== newRS), nowMs };
}

export function setProgressing(
  rollout: Rollout,
  status: "True" | "False" | "Unknown",
  words: readonly [reason: string, message: string],
): void {
  const { d, nowMs } = rollout;
  const conditions = withCondition(
    d.status?.conditions,
    condition("Progressing", status, words, nowMs),
  );
  d.status = { ...d.status, conditions };
}

/** Gives the new ReplicaSet its revision; makes it, if `mayCreate` and it is not there. */
export function* syncRevision(rollout: Rollout, mayCreate: boolean): Steps {
  const { d, newRS, oldRSs } = rollout;
  const revision = maxRevision(oldRSs) + 1n;
  if (newRS === undefined) {
    if (mayCreate) yield* createReplicaSet(rollout, revision);
    return;
  }
  const annotations = newAnnotations(d, newRS, revision);
  const minReadySeconds = d.spec?.minReadySeconds ?? 0;
  const differs =
    !sameAnnotations(annotations, newRS.metadata?.annotations) ||
    minReadySeconds !== (newRS.spec?.minReadySeconds ?? 0);
  if (differs) {
    rollout.newRS = yield* update(replicaSets, {
      ...newRS,
      metadata: { ...newRS.metadata, annotations },
      spec: { ...newRS.spec, minReadySeconds },
    });
  }
  d.metadata!.annotations![revisionAnnotation] =
    annotations[revisionAnnotation] ?? String(revision);
  if (hasProgressDeadline(d) && findCondition(d.status?.conditions, "Progressing") === undefined) {
    const message = `Found new replica set "${newRS.metadata?.name}"`;
    setProgressing(rollout, "True", ["FoundNewReplicaSet", message]);
  }
}

/**
 * @hop deployment.replicaset: the Deployment controller makes a ReplicaSet for a pod template not
 * seen before.
 */
function* createReplicaSet(rollout: Rollout, revision: bigint): Steps {
  const { d } = rollout;
  const wanted = newReplicaSet(rollout, revision);
  const { object, error } = yield* attempt({
    do: "create",
    resource: replicaSets,
    object: wanted,
    hop: "deployment.replicaset",
  });
  if (isAlreadyExists(error)) {
    rollout.newRS = yield* resolveCollision(rollout, wanted, error);
  } else if (error !== undefined) {
    yield* creationFailed(rollout, wanted, error);
  } else {
    rollout.newRS = object as ReplicaSet;
    const size = replicasOf(wanted);
    if (size > 0) {
      const message = `Scaled up replica set ${rollout.newRS.metadata?.name} from 0 to ${size}`;
      yield* note(d, "Normal", "ScalingReplicaSet", message);
    }
    if (hasProgressDeadline(d)) {
      const message = `Created new replica set "${rollout.newRS.metadata?.name}"`;
      setProgressing(rollout, "True", ["NewReplicaSetCreated", message]);
    }
  }
  d.metadata!.annotations![revisionAnnotation] = String(revision);
}

function newReplicaSet(rollout: Rollout, revision: bigint): ReplicaSet {
  const { d, oldRSs } = rollout;
  const { template = {}, selector = {}, minReadySeconds } = d.spec ?? {};
  const hash = templateHash(template, d.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  const rs: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${d.metadata?.name?.slice(0, 253 - 1 - hash.length)}-${hash}`,
      namespace: d.metadata?.namespace,
      ownerReferences: [controllerReference(d, deployments)],
      labels,
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: {
        ...selector,
        matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash },
      },
      template: {
        metadata: { ...template.metadata, labels },
        spec: deepClone(template.spec ?? {}),
      },
    },
  };
  rs.spec!.replicas = newReplicas(d, [...oldRSs, rs], rs);
  rs.metadata!.annotations = { ...newAnnotations(d, rs, revision), ...sizeAnnotations(d) };
  return rs;
}

/**
 * A ReplicaSet of that name is there: ours with this template (the cache was slow), or the hash
 * fell on another's.
 */
function* resolveCollision(rollout: Rollout, wanted: ReplicaSet, error: Error): Steps<ReplicaSet> {
  const { d } = rollout;
  const { namespace = "", name = "" } = wanted.metadata ?? {};
  const there = yield* read(replicaSets, namespace, name);
  const ours =
    there !== undefined &&
    controllerOf(there)?.uid === d.metadata?.uid &&
    sameTemplate(there.spec?.template, d.spec?.template);
  if (ours) return there;
  d.status = { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 };
  yield* updateStatus(deployments, d);
  throw error;
}

function* creationFailed(rollout: Rollout, wanted: ReplicaSet, error: Error): Steps {
  const { d } = rollout;
  const ending =
    isReason(error, "Forbidden") && error.message.includes("because it is being terminated");
  if (!ending) {
    const message = `Failed to create new replica set "${wanted.metadata?.name}": ${error.message}`;
    if (hasProgressDeadline(d)) {
      setProgressing(rollout, "False", ["ReplicaSetCreateError", message]);
      yield* attempt({ do: "update", resource: deployments, object: d, subresource: "status" });
    }
    yield* note(d, "Warning", "ReplicaSetCreateError", message);
  }
  throw error;
}

/**
 * Sets a ReplicaSet's size, and what size of the Deployment that was for. Comes back with whether
 * the size changed.
 *
 * @hop deployment.scale: the Deployment controller moves replicas between its ReplicaSets, within
 * maxSurge and maxUnavailable.
 */
export function* scaleReplicaSet(
  rollout: Rollout,
  rs: ReplicaSet,
  size: number,
  force = false,
): Steps<boolean> {
  const { d } = rollout;
  const before = replicasOf(rs);
  if (!force && before === size) return false;
  const annotations = { ...rs.metadata?.annotations, ...sizeAnnotations(d) };
  if (before === size && sameAnnotations(annotations, rs.metadata?.annotations)) return false;
  const next = yield* update(
    replicaSets,
    { ...rs, metadata: { ...rs.metadata, annotations }, spec: { ...rs.spec, replicas: size } },
    "deployment.scale",
  );
  replace(rollout, rs, next);
  if (before === size) return false;
  const way = before < size ? "up" : "down";
  const message = `Scaled ${way} replica set ${rs.metadata?.name} from ${before} to ${size}`;
  yield* note(d, "Normal", "ScalingReplicaSet", message);
  return true;
}

function replace(rollout: Rollout, old: ReplicaSet, next: ReplicaSet): void {
  if (rollout.newRS === old) rollout.newRS = next;
  rollout.oldRSs = rollout.oldRSs.map((rs) => (rs === old ? next : rs));
}

/**
 * Old ReplicaSets beyond revisionHistoryLimit go, the lowest revision first, if nothing of them is
 * left.
 */
export function* cleanUp({ d, oldRSs }: Rollout): Steps {
  if (!hasRevisionHistoryLimit(d)) return;
  const alive = oldRSs.filter((rs) => rs.metadata?.deletionTimestamp === undefined);
  const surplus = alive.length - (d.spec?.revisionHistoryLimit ?? 0);
  if (surplus <= 0) return;
  for (const rs of alive.toSorted(byRevision).slice(0, surplus)) {
    const unseen = (rs.metadata?.generation ?? 0) > (rs.status?.observedGeneration ?? 0);
    if ((rs.status?.replicas ?? 0) !== 0 || replicasOf(rs) !== 0 || unseen) continue;
    yield* remove(replicaSets, rs);
  }
}
