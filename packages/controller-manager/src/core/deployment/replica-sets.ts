/**
 * Questions about a Deployment's ReplicaSets: which is the new one, how many replicas, how far may
 * it go.
 *
 * Source  pkg/controller/deployment/util/deployment_util.go
 */
import type { Deployment, ReplicaSet } from "@nanokube/api/apps/v1";
import { scaled } from "../int-or-percent.ts";
import { parseTime } from "../time.ts";
import { sameTemplate } from "./template-hash.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** MaxInt32 in spec stands for "none". */
const none = 2 ** 31 - 1;

export function replicasOf(object: Deployment | ReplicaSet): number {
  return object.spec?.replicas ?? 1;
}

export function sum(
  sets: readonly (ReplicaSet | undefined)[],
  of: (rs: ReplicaSet) => number,
): number {
  return sets.reduce((total, rs) => total + (rs === undefined ? 0 : of(rs)), 0);
}

export function specReplicas(sets: readonly (ReplicaSet | undefined)[]): number {
  return sum(sets, replicasOf);
}

export function availableReplicas(sets: readonly (ReplicaSet | undefined)[]): number {
  return sum(sets, (rs) => rs.status?.availableReplicas ?? 0);
}

/**
 * Its status speaks of the size that it has now: one scaled down and up again in between may have
 * nothing of what it says.
 */
export function isObserved(rs: ReplicaSet): boolean {
  return (rs.status?.observedGeneration ?? 0) >= (rs.metadata?.generation ?? 0);
}

/** As many are available for certain; pods that go are still counted for a moment. */
export function surelyAvailable(rs: ReplicaSet): number {
  return isObserved(rs) ? Math.min(rs.status?.availableReplicas ?? 0, replicasOf(rs)) : 0;
}

export function active(sets: readonly (ReplicaSet | undefined)[]): ReplicaSet[] {
  return sets.filter((rs) => rs !== undefined).filter((rs) => replicasOf(rs) > 0);
}

export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const age = parseTime(a.metadata?.creationTimestamp) - parseTime(b.metadata?.creationTimestamp);
  return age || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);
}

/**
 * The oldest with the Deployment's template: of two, both controllers of a race choose the same.
 */
export function findNew(d: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.toSorted(byCreation).find((rs) => sameTemplate(rs.spec?.template, d.spec?.template));
}

/** The one that is active, if just one is; with none, the newest. */
export function findActiveOrLatest(
  newRS: ReplicaSet | undefined,
  oldRSs: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const found = active([...oldRSs, newRS]);
  if (found.length === 1) return found[0];
  if (found.length > 1) return undefined;
  return newRS ?? oldRSs.toSorted(byCreation).at(-1);
}

/** int64; undefined where it is no number. */
export function revisionOf(rs: ReplicaSet): bigint | undefined {
  return parseRevision(rs.metadata?.annotations?.[revisionAnnotation] ?? "0");
}

export function parseRevision(text: string): bigint | undefined {
  if (!/^-?[0-9]+$/.test(text)) return undefined;
  const revision = BigInt(text);
  return BigInt.asIntN(64, revision) === revision ? revision : undefined;
}

export function maxRevision(sets: readonly ReplicaSet[]): bigint {
  let max = 0n;
  for (const rs of sets) {
    const revision = revisionOf(rs);
    if (revision !== undefined && revision > max) max = revision;
  }
  return max;
}

export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const [revisionA, revisionB] = [revisionOf(a), revisionOf(b)];
  if (revisionA === undefined || revisionB === undefined || revisionA === revisionB) {
    return byCreation(a, b);
  }
  return revisionA < revisionB ? -1 : 1;
}

export function annotationNumber(rs: ReplicaSet, annotation: string): number | undefined {
  const text = rs.metadata?.annotations?.[annotation];
  return text !== undefined && /^[0-9]+$/.test(text) && Number(text) <= none
    ? Number(text)
    : undefined;
}

export function isRollingUpdate(d: Deployment): boolean {
  return (d.spec?.strategy?.type ?? "RollingUpdate") === "RollingUpdate";
}

export function maxSurge(d: Deployment): number {
  return isRollingUpdate(d) ? fenceposts(d).surge : 0;
}

export function maxUnavailable(d: Deployment): number {
  if (!isRollingUpdate(d) || replicasOf(d) === 0) return 0;
  return Math.min(fenceposts(d).unavailable, replicasOf(d));
}

/** Both rounded to zero would never move: then one may be missing. */
function fenceposts(d: Deployment): { surge: number; unavailable: number } {
  const rolling = d.spec?.strategy?.rollingUpdate ?? {};
  const surge = scaled(rolling.maxSurge, replicasOf(d), "up");
  const unavailable = scaled(rolling.maxUnavailable, replicasOf(d), "down");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** How large the new ReplicaSet may be now, with what the old ones still hold. */
export function newReplicas(d: Deployment, all: readonly ReplicaSet[], newRS: ReplicaSet): number {
  if (!isRollingUpdate(d)) return replicasOf(d);
  const room =
    replicasOf(d) +
    scaled(d.spec?.strategy?.rollingUpdate?.maxSurge, replicasOf(d), "up") -
    specReplicas(all);
  if (room <= 0) return replicasOf(newRS);
  return replicasOf(newRS) + Math.min(room, replicasOf(d) - replicasOf(newRS));
}

export function hasProgressDeadline(d: Deployment): boolean {
  const seconds = d.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== none;
}

export function hasRevisionHistoryLimit(d: Deployment): boolean {
  const limit = d.spec?.revisionHistoryLimit;
  return limit !== undefined && limit !== none;
}

/** The new one is all there, and was last scaled for what is wanted now. */
export function isSaturated(d: Deployment, rs: ReplicaSet | undefined): boolean {
  return (
    rs !== undefined &&
    replicasOf(rs) === replicasOf(d) &&
    annotationNumber(rs, desiredReplicasAnnotation) === replicasOf(d) &&
    (rs.status?.availableReplicas ?? 0) === replicasOf(d)
  );
}

/**
 * This one's share of what is added to (or taken from) a Deployment that is scaled in the middle of
 * a rollout.
 */
export function proportion(
  rs: ReplicaSet,
  d: Deployment,
  { toAdd, added }: { toAdd: number; added: number },
): number {
  if (replicasOf(rs) === 0 || toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(rs, d);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function fractionOf(rs: ReplicaSet, d: Deployment): number {
  if (replicasOf(d) === 0) return -replicasOf(rs);
  const before = annotationNumber(rs, maxReplicasAnnotation) || (d.status?.replicas ?? 0);
  if (before === 0) return 0;
  const exact = (replicasOf(rs) * (replicasOf(d) + maxSurge(d))) / before;
  return Math.floor(exact + 0.5) - replicasOf(rs);
}
