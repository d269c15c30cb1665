/**
 * Deployment: moves pods from old ReplicaSets to the one with its template, never more than
 * maxSurge above and maxUnavailable below what is wanted.
 *
 * Source  pkg/controller/deployment/deployment_controller.go, sync.go, rolling.go, recreate.go
 */
import type { Deployment, ReplicaSet } from "@nanokube/api/apps/v1";
import { deployments, pods, replicaSets, splitKey } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { findCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import {
  candidates,
  claim,
  controlled,
  controllerIndex,
  controllerOf,
  selectorFor,
  watchDependents,
} from "../ownership.ts";
import { isPodTerminal } from "../pod.ts";
import { note, type Steps, updateStatus } from "../steps.ts";
import { sameAnnotations } from "./annotations.ts";
import {
  active,
  annotationNumber,
  byCreation,
  desiredReplicasAnnotation,
  findActiveOrLatest,
  hasProgressDeadline,
  isObserved,
  isRollingUpdate,
  isSaturated,
  maxSurge,
  maxUnavailable,
  newReplicas,
  proportion,
  replicasOf,
  specReplicas,
  sum,
  surelyAvailable,
} from "./replica-sets.ts";
import { rollBack, rollbackTo } from "./rollback.ts";
import {
  allSets,
  beginRollout,
  cleanUp,
  type Rollout,
  scaleReplicaSet,
  setProgressing,
  syncRevision,
} from "./rollout.ts";
import { deadlineCheckMs, deploymentStatus, isComplete, rolloutStatus } from "./status.ts";

export function createDeploymentController(): Controller {
  return {
    name: "deployment-controller",
    watches: [
      watchOwn(deployments),
      watchDependents(replicaSets, deployments, (owner) => owner.spec?.selector),
      // Only Recreate waits for pods to be gone.
      watch(
        pods,
        (pod, caches) => {
          const going = pod.metadata?.deletionTimestamp !== undefined || isPodTerminal(pod);
          return going
            ? ownersOf(pod.metadata?.namespace ?? "", controllerOf(pod)?.name, caches)
            : [];
        },
        controllerIndex,
      ),
    ],
    reconcile: reconcileDeployment,
  };
}

function ownersOf(namespace: string, replicaSet: string | undefined, caches: Caches): string[] {
  if (replicaSet === undefined) return [];
  const rs = caches.of(replicaSets).get(namespace, replicaSet);
  const owner = rs === undefined ? undefined : controllerOf(rs);
  return owner?.kind === "Deployment" ? [`${namespace}/${owner.name}`] : [];
}

export function* reconcileDeployment(key: string, context: Context): Steps<number | undefined> {
  const { caches, nowMs } = context;
  const { namespace, name } = splitKey(key);
  const d = caches.of(deployments).get(namespace, name);
  if (d === undefined) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = d.spec?.selector ?? {};
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    yield* selectsAll(d);
    return undefined;
  }

  const sets = yield* claim({
    owner: d,
    ownerResource: deployments,
    resource: replicaSets,
    selector: selectorFor(d.spec?.selector),
    objects: candidates(caches.of(replicaSets), d),
  });
  const rollout = beginRollout(d, sets, nowMs);
  if (d.metadata?.deletionTimestamp !== undefined) {
    yield* finish(d, rollout, "status");
    return undefined;
  }
  notePause(rollout);
  if (d.spec?.paused || wasScaled(rollout)) {
    yield* syncRevision(rollout, false);
    yield* scaleAll(rollout);
    if (d.spec?.paused) yield* cleanUp(rollout);
    yield* finish(d, rollout, "status");
    return undefined;
  }
  const back = rollbackTo(d);
  if (back !== undefined) {
    yield* rollBack(rollout, back);
    return undefined;
  }
  if (isRollingUpdate(d)) yield* rollOver(rollout);
  else yield* recreate(rollout, caches);
  const written = yield* finish(d, rollout, "rollout");
  return written ? undefined : deadlineCheckMs(d, nowMs);
}

function* selectsAll(d: Deployment): Steps {
  yield* note(
    d,
    "Warning",
    "SelectingAll",
    "This deployment is selecting all pods. A non-empty selector is required.",
  );
  const generation = d.metadata?.generation ?? 0;
  if ((d.status?.observedGeneration ?? 0) >= generation) return;
  yield* updateStatus(deployments, {
    ...d,
    status: { ...d.status, observedGeneration: generation },
  });
}

/** A paused Deployment must not run into its deadline. */
function notePause(rollout: Rollout): void {
  const { d } = rollout;
  if (!hasProgressDeadline(d)) return;
  const current = findCondition(d.status?.conditions, "Progressing");
  if (current?.reason === "ProgressDeadlineExceeded") return;
  const told = current?.reason === "DeploymentPaused";
  if (d.spec?.paused && !told) {
    setProgressing(rollout, "Unknown", ["DeploymentPaused", "Deployment is paused"]);
  } else if (!d.spec?.paused && told) {
    setProgressing(rollout, "Unknown", ["DeploymentResumed", "Deployment is resumed"]);
  }
}

/** The last scaling was for another number of replicas than is wanted now. */
function wasScaled(rollout: Rollout): boolean {
  return active(allSets(rollout)).some((rs) => {
    const desired = annotationNumber(rs, desiredReplicasAnnotation);
    return desired !== undefined && desired !== replicasOf(rollout.d);
  });
}

function* finish(d: Deployment, rollout: Rollout, which: "status" | "rollout"): Steps<boolean> {
  const { d: copy, newRS, nowMs } = rollout;
  const all = allSets(rollout);
  const status =
    which === "rollout"
      ? rolloutStatus(copy, newRS, all, nowMs)
      : deploymentStatus(copy, newRS, all, nowMs);
  const same =
    deepEqual(status, d.status ?? {}) &&
    sameAnnotations(copy.metadata?.annotations, d.metadata?.annotations);
  if (same) return false;
  yield* updateStatus(deployments, { ...copy, status });
  return true;
}

/** Scaling without a rollout, or in the middle of one: then each ReplicaSet gets its share. */
function* scaleAll(rollout: Rollout): Steps {
  const { d, newRS, oldRSs } = rollout;
  const single = findActiveOrLatest(newRS, oldRSs);
  if (single !== undefined) {
    // Also with the size right already: the annotations must say what it was for.
    yield* scaleReplicaSet(rollout, single, replicasOf(d), true);
    return;
  }
  if (isSaturated(d, newRS)) {
    for (const old of active(oldRSs)) yield* scaleReplicaSet(rollout, old, 0);
    return;
  }
  if (!isRollingUpdate(d)) return;
  const sets = active(allSets(rollout));
  const allowed = replicasOf(d) > 0 ? replicasOf(d) + maxSurge(d) : 0;
  const toAdd = allowed - specReplicas(sets);
  // The largest first; of equals the newest grows first, the oldest shrinks first.
  const age = toAdd > 0 ? -1 : 1;
  sets.sort((a, b) => replicasOf(b) - replicasOf(a) || age * byCreation(a, b));
  let added = 0;
  const sizes = sets.map((rs) => {
    const share = proportion(rs, d, { toAdd, added });
    added += share;
    return replicasOf(rs) + share;
  });
  if (sizes.length > 0) sizes[0] = Math.max(0, sizes[0]! + (toAdd - added));
  for (const [index, rs] of sets.entries()) {
    yield* scaleReplicaSet(rollout, rs, sizes[index]!, true);
  }
}

function* rollOver(rollout: Rollout): Steps {
  yield* syncRevision(rollout, true);
  if (yield* scaleNew(rollout)) return;
  if (yield* scaleOld(rollout)) return;
  if (isComplete(rollout.d, rollout.d.status)) yield* cleanUp(rollout);
}

function* scaleNew(rollout: Rollout): Steps<boolean> {
  const { d } = rollout;
  const newRS = rollout.newRS!;
  if (replicasOf(newRS) === replicasOf(d)) return false;
  if (replicasOf(newRS) > replicasOf(d)) {
    return yield* scaleReplicaSet(rollout, newRS, replicasOf(d));
  }
  return yield* scaleReplicaSet(rollout, newRS, newReplicas(d, allSets(rollout), newRS));
}

function* scaleOld(rollout: Rollout): Steps<boolean> {
  const { d } = rollout;
  const newRS = rollout.newRS!;
  if (specReplicas(rollout.oldRSs) === 0) return false;
  const minAvailable = replicasOf(d) - maxUnavailable(d);
  const notYet = replicasOf(newRS) - surelyAvailable(newRS);
  const maxScaledDown = specReplicas(allSets(rollout)) - minAvailable - notYet;
  if (maxScaledDown <= 0) return false;
  const cleaned = yield* dropUnhealthy(rollout, maxScaledDown);
  const dropped = yield* dropAvailable(rollout, minAvailable);
  return cleaned + dropped > 0;
}

/**
 * Old pods that serve nobody go first: they don't count as available, and may be why the rollout is
 * stuck.
 */
function* dropUnhealthy(rollout: Rollout, max: number): Steps<number> {
  let total = 0;
  for (const rs of active(rollout.oldRSs).filter(isObserved).sort(byCreation)) {
    const unhealthy = replicasOf(rs) - (rs.status?.availableReplicas ?? 0);
    const count = Math.min(max - total, unhealthy);
    if (count <= 0) continue;
    yield* scaleReplicaSet(rollout, rs, replicasOf(rs) - count);
    total += count;
  }
  return total;
}

function* dropAvailable(rollout: Rollout, minAvailable: number): Steps<number> {
  const surplus = sum(active(allSets(rollout)), surelyAvailable) - minAvailable;
  let total = 0;
  for (const rs of active(rollout.oldRSs).sort(byCreation)) {
    const count = Math.min(replicasOf(rs), surplus - total);
    if (count <= 0) break;
    yield* scaleReplicaSet(rollout, rs, replicasOf(rs) - count);
    total += count;
  }
  return total;
}

function* recreate(rollout: Rollout, caches: Caches): Steps {
  yield* syncRevision(rollout, false);
  let scaledDown = false;
  for (const rs of active(rollout.oldRSs)) {
    if (yield* scaleReplicaSet(rollout, rs, 0)) scaledDown = true;
  }
  if (scaledDown || oldPodsRun(rollout, caches)) return;
  if (rollout.newRS === undefined) yield* syncRevision(rollout, true);
  yield* scaleReplicaSet(rollout, rollout.newRS!, replicasOf(rollout.d));
  if (isComplete(rollout.d, rollout.d.status)) yield* cleanUp(rollout);
}

function oldPodsRun({ oldRSs }: Rollout, caches: Caches): boolean {
  const runs = (rs: ReplicaSet) =>
    (rs.status?.replicas ?? 0) > 0 ||
    controlled(caches.of(pods), rs).some((pod) => !isPodTerminal(pod));
  return oldRSs.some(runs);
}
