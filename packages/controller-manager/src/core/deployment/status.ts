/**
 * A Deployment's status: counts, and the conditions Available, Progressing, ReplicaFailure.
 *
 * Source  pkg/controller/deployment/sync.go calculateStatus, progress.go syncRolloutStatus
 */
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from "@nanokube/api/apps/v1";
import { findCondition, withCondition, withoutCondition } from "../conditions.ts";
import { formatTime, parseTime } from "../time.ts";
import {
  availableReplicas,
  hasProgressDeadline,
  maxUnavailable,
  replicasOf,
  specReplicas,
  sum,
} from "./replica-sets.ts";

export function condition(
  type: string,
  status: "True" | "False" | "Unknown",
  [reason, message]: readonly [reason: string, message: string],
  nowMs: number,
): DeploymentCondition {
  const now = formatTime(nowMs);
  return { type, status, lastUpdateTime: now, lastTransitionTime: now, reason, message };
}

export function deploymentStatus(
  d: Deployment,
  newRS: ReplicaSet | undefined,
  all: readonly (ReplicaSet | undefined)[],
  nowMs: number,
): DeploymentStatus {
  const available = availableReplicas(all);
  const counts: DeploymentStatus = {
    replicas: sum(all, (rs) => rs.status?.replicas ?? 0),
    updatedReplicas: newRS?.status?.replicas ?? 0,
    readyReplicas: sum(all, (rs) => rs.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, specReplicas(all) - available),
  };
  const terminating = terminatingReplicas(d, all);
  const enough = available >= replicasOf(d) - maxUnavailable(d);
  const words = enough
    ? (["MinimumReplicasAvailable", "Deployment has minimum availability."] as const)
    : (["MinimumReplicasUnavailable", "Deployment does not have minimum availability."] as const);
  return {
    observedGeneration: d.metadata?.generation ?? 0,
    // The API leaves zero counts out.
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => Number(count) > 0)),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(d.status?.collisionCount === undefined ? {} : { collisionCount: d.status.collisionCount }),
    conditions: withCondition(
      d.status?.conditions,
      condition("Available", enough ? "True" : "False", words, nowMs),
    ),
  };
}

/** undefined as long as a ReplicaSet doesn't say; also when the server doesn't know the field. */
function terminatingReplicas(
  d: Deployment,
  all: readonly (ReplicaSet | undefined)[],
): number | undefined {
  let total = 0;
  for (const rs of all) {
    if (rs === undefined) continue;
    const count = rs.status?.terminatingReplicas;
    if (count === undefined && rs.status?.observedGeneration) return undefined;
    total += count ?? 0;
  }
  const dropped =
    d.status?.observedGeneration !== undefined && d.status.terminatingReplicas === undefined;
  return dropped && total === 0 ? undefined : total;
}

export function isComplete(d: Deployment, status: DeploymentStatus = {}): boolean {
  const wanted = replicasOf(d);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (d.metadata?.generation ?? 0)
  );
}

function isProgressing(old: DeploymentStatus = {}, next: DeploymentStatus): boolean {
  const outdated = (s: DeploymentStatus) => (s.replicas ?? 0) - (s.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    outdated(next) < outdated(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function isTimedOut(d: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const progressing = findCondition(status.conditions, "Progressing");
  if (progressing === undefined || progressing.reason === "NewReplicaSetAvailable") return false;
  if (progressing.reason === "ProgressDeadlineExceeded") return true;
  const deadlineMs = (d.spec?.progressDeadlineSeconds ?? 0) * 1000;
  return parseTime(progressing.lastUpdateTime) + deadlineMs < nowMs;
}

/** The status with what the rollout says of itself. */
export function rolloutStatus(
  d: Deployment,
  newRS: ReplicaSet | undefined,
  all: readonly (ReplicaSet | undefined)[],
  nowMs: number,
): DeploymentStatus {
  const status = deploymentStatus(d, newRS, all, nowMs);
  let conditions = status.conditions ?? [];
  if (!hasProgressDeadline(d)) conditions = withoutCondition(conditions, "Progressing");
  const current = findCondition(d.status?.conditions, "Progressing");
  const done =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) &&
    current?.reason === "NewReplicaSetAvailable";
  if (hasProgressDeadline(d) && !done) {
    const who =
      newRS === undefined
        ? `Deployment "${d.metadata?.name}"`
        : `ReplicaSet "${newRS.metadata?.name}"`;
    conditions = progress(d, { ...status, conditions }, who, nowMs);
  }
  const failure = replicaFailure(newRS, all);
  conditions =
    failure === undefined
      ? withoutCondition(conditions, "ReplicaFailure")
      : withCondition(conditions, failure);
  return { ...status, conditions };
}

function progress(
  d: Deployment,
  status: DeploymentStatus,
  who: string,
  nowMs: number,
): DeploymentCondition[] {
  const { conditions = [] } = status;
  if (isComplete(d, status)) {
    const words = ["NewReplicaSetAvailable", `${who} has successfully progressed.`] as const;
    return withCondition(conditions, condition("Progressing", "True", words, nowMs));
  }
  if (isProgressing(d.status, status)) {
    const words = ["ReplicaSetUpdated", `${who} is progressing.`] as const;
    const next = condition("Progressing", "True", words, nowMs);
    const current = findCondition(d.status?.conditions, "Progressing");
    if (current?.status === "True" && current.lastTransitionTime !== undefined) {
      next.lastTransitionTime = current.lastTransitionTime;
    }
    // Each step forward counts anew against the deadline: lastUpdateTime moves even if nothing else
    // does.
    return [...withoutCondition(conditions, "Progressing"), next];
  }
  if (isTimedOut(d, status, nowMs)) {
    const words = ["ProgressDeadlineExceeded", `${who} has timed out progressing.`] as const;
    return withCondition(conditions, condition("Progressing", "False", words, nowMs));
  }
  return conditions;
}

function replicaFailure(
  newRS: ReplicaSet | undefined,
  all: readonly (ReplicaSet | undefined)[],
): DeploymentCondition | undefined {
  for (const rs of [newRS, ...all]) {
    const failure = findCondition(rs?.status?.conditions, "ReplicaFailure");
    if (failure === undefined) continue;
    return { ...failure, lastUpdateTime: failure.lastTransitionTime };
  }
  return undefined;
}

/** Until the deadline has to be looked at; undefined when it has not. */
export function deadlineCheckMs(d: Deployment, nowMs: number): number | undefined {
  const current = findCondition(d.status?.conditions, "Progressing");
  if (!hasProgressDeadline(d) || current === undefined) return undefined;
  if (isComplete(d, d.status) || current.reason === "ProgressDeadlineExceeded") return undefined;
  const deadlineMs = (d.spec?.progressDeadlineSeconds ?? 0) * 1000;
  const afterMs = parseTime(current.lastUpdateTime) + deadlineMs - nowMs;
  return Math.max(afterMs, 0) + 1000;
}
