/**
 * What a ReplicaSet's annotations say: its revision, the ones it had before, the size that it was
 * scaled for.
 *
 * Source  pkg/controller/deployment/util/deployment_util.go SetNewReplicaSetAnnotations
 */
import type { Deployment, ReplicaSet } from "@nanokube/api/apps/v1";
import {
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  maxSurge,
  replicasOf,
  revisionAnnotation,
  revisionHistoryAnnotation,
  revisionOf,
} from "./replica-sets.ts";

type Annotations = Record<string, string>;

/** Not handed down from the Deployment. */
const ownAffairs: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);
export const isOwnAffair = (annotation: string): boolean => ownAffairs.has(annotation);

const historyMaxChars = 2000;

/** A new annotation map for the new ReplicaSet, at this revision. */
export function newAnnotations(d: Deployment, rs: ReplicaSet, revision: bigint): Annotations {
  const annotations: Annotations = { ...rs.metadata?.annotations };
  for (const [name, value] of Object.entries(d.metadata?.annotations ?? {})) {
    if (!ownAffairs.has(name)) annotations[name] = value;
  }
  const old = annotations[revisionAnnotation];
  const oldRevision = revisionOf(rs);
  if (oldRevision === undefined || oldRevision >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (old !== undefined) {
    annotations[revisionHistoryAnnotation] = history(annotations[revisionHistoryAnnotation], old);
  }
  return annotations;
}

/** "1,4" and 7 → "1,4,7"; the oldest give way. */
function history(past: string | undefined, revision: string): string {
  const revisions = past ? past.split(",") : [];
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join(",").length > historyMaxChars) revisions.shift();
  return revisions.join(",");
}

/**
 * The size of the Deployment as it is now: a later look sees by it that the Deployment was scaled.
 */
export function sizeAnnotations(d: Deployment): Annotations {
  return {
    [desiredReplicasAnnotation]: String(replicasOf(d)),
    [maxReplicasAnnotation]: String(replicasOf(d) + maxSurge(d)),
  };
}

export function sameAnnotations(a: Annotations = {}, b: Annotations = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
