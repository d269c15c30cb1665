/**
 * The claims of a StatefulSet's pods: made before the pod, and, if the retention policy says so,
 * owned by the set (gone when it is deleted) or by the pod (gone when it is scaled away).
 *
 * Source  pkg/controller/statefulset/stateful_pod_control.go, stateful_set_utils.go
 *         updateClaimOwnerRefForSetAndPod
 */
import type { StatefulSet } from "@nanokube/api/apps/v1";
import type { PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import type { OwnerReference } from "@nanokube/api/meta/v1";
import {
  type ApiObject,
  isAlreadyExists,
  persistentVolumeClaims,
  pods,
  type ResourceRef,
  statefulSets,
} from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import type { Caches } from "../controller.ts";
import { controllerReference } from "../ownership.ts";
import { attempt, note, type Steps, update } from "../steps.ts";
import { claimName, claimsFor, inRange, ordinalOf } from "./identity.ts";

/** Throws when one cannot be made, or is on its way out: the pod must not start on it. */
export function* createClaims(set: StatefulSet, pod: Pod, caches: Caches): Steps {
  for (const claim of claimsFor(set, ordinalOf(pod))) {
    const { namespace = "", name = "" } = claim.metadata ?? {};
    const there = caches.of(persistentVolumeClaims).get(namespace, name);
    if (there?.metadata?.deletionTimestamp !== undefined) {
      throw new Error(`pvc ${name} is being deleted`);
    }
    if (there !== undefined) continue;
    const { error } = yield* attempt({
      do: "create",
      resource: persistentVolumeClaims,
      object: claim,
    });
    if (isAlreadyExists(error)) continue;
    const about = `Claim ${name} ${error ? "for " : ""}Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`;
    if (error !== undefined) {
      yield* note(set, "Warning", "FailedCreate", `create ${about} failed error: ${error.message}`);
      throw error;
    }
    yield* note(set, "Normal", "SuccessfulCreate", `create ${about} success`);
  }
}

/** Gives the claims of a pod the owners that the policy wants. */
export function* syncClaimOwners(set: StatefulSet, pod: Pod, caches: Caches): Steps {
  for (const template of set.spec?.volumeClaimTemplates ?? []) {
    const name = claimName(set, template, ordinalOf(pod));
    const claim = caches.of(persistentVolumeClaims).get(set.metadata?.namespace ?? "", name);
    if (claim === undefined || hasStaleOwner(claim, set, pod)) continue;
    const ownerReferences = ownersWanted(claim, set, pod);
    if (deepEqual(ownerReferences, claim.metadata?.ownerReferences ?? [])) continue;
    yield* update(persistentVolumeClaims, {
      ...claim,
      metadata: { ...claim.metadata, ownerReferences },
    });
  }
}

/**
 * The claim belongs to an earlier pod of that name, and goes with it: a new pod has to wait for
 * that.
 */
export function claimIsStale(set: StatefulSet, pod: Pod, caches: Caches): boolean {
  if (policyOf(set).whenScaled === "Retain") return false;
  return (set.spec?.volumeClaimTemplates ?? []).some((template) => {
    const name = claimName(set, template, ordinalOf(pod));
    const claim = caches.of(persistentVolumeClaims).get(set.metadata?.namespace ?? "", name);
    return claim !== undefined && isStale(claim, pods, pod);
  });
}

function policyOf(set: StatefulSet): { whenDeleted: string; whenScaled: string } {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  return {
    whenDeleted: policy?.whenDeleted ?? "Retain",
    whenScaled: policy?.whenScaled ?? "Retain",
  };
}

function isRef(reference: OwnerReference, resource: ResourceRef, owner: ApiObject): boolean {
  return reference.kind === resource.kind && reference.name === owner.metadata?.name;
}

function isStale(claim: PersistentVolumeClaim, resource: ResourceRef, owner: ApiObject): boolean {
  return (claim.metadata?.ownerReferences ?? []).some(
    (reference) => isRef(reference, resource, owner) && reference.uid !== owner.metadata?.uid,
  );
}

function hasStaleOwner(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  return isStale(claim, statefulSets, set) || isStale(claim, pods, pod);
}

function ownersWanted(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): OwnerReference[] {
  const others = (claim.metadata?.ownerReferences ?? []).filter(
    (reference) => !isRef(reference, statefulSets, set) && !isRef(reference, pods, pod),
  );
  // Another controller manages the claim: the policy does not apply.
  if (others.some((reference) => reference.controller)) return others;
  const { whenDeleted, whenScaled } = policyOf(set);
  const scaledAway = !inRange(pod, set);
  if (whenScaled === "Delete" && scaledAway) return [...others, controllerReference(pod, pods)];
  return whenDeleted === "Delete" ? [...others, controllerReference(set, statefulSets)] : others;
}
