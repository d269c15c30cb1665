/**
 * Storage in use protection: a claim that a pod uses, a volume that a claim has, and a class of
 * attributes that a claim or a volume names do not go before that ends.
 *
 * Source  pkg/controller/volume/pvcprotection, pvprotection, vacprotection
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "@nanokube/api/core/v1";
import {
  type ApiObject,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type ResourceRef,
  splitKey,
  volumeAttributesClasses,
} from "@nanokube/client";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { podsByClaim } from "../persistent-volume/claim.ts";
import { attempt, type Outcome, type Steps, update } from "../steps.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";
const classFinalizer = "kubernetes.io/vac-protection";

export function createClaimProtectionController(): Controller {
  return {
    name: "persistentvolumeclaim-protection-controller",
    watches: [watchOwn(persistentVolumeClaims), watch(pods, podsByClaim.claim, podsByClaim)],
    reconcile: reconcileClaimProtection,
  };
}

export function* reconcileClaimProtection(
  key: string,
  { caches }: Context,
): Steps<number | undefined> {
  const { namespace, name } = splitKey(key);
  const claim = caches.of(persistentVolumeClaims).get(namespace, name);
  if (claim === undefined) return undefined;
  if (claim.metadata?.deletionTimestamp === undefined) {
    yield* addFinalizer(persistentVolumeClaims, claim, claimFinalizer);
    return undefined;
  }
  if (!claim.metadata.finalizers?.includes(claimFinalizer)) return undefined;
  if (isUsed(key, caches) || (yield* isUsedByNow(claim, key))) return undefined;
  yield* dropFinalizer(persistentVolumeClaims, claim, claimFinalizer);
  return undefined;
}

function isUsed(key: string, caches: Caches): boolean {
  return caches.of(pods).byIndex("claim", key).some(uses);
}

/**
 * One that has ended still holds its volumes, until it is gone; one without a node never held any.
 */
function uses(pod: Pod): boolean {
  return Boolean(pod.spec?.nodeName);
}

/** A pod may be newer than the cache. */
function* isUsedByNow(claim: PersistentVolumeClaim, key: string): Steps<boolean> {
  const namespace = claim.metadata?.namespace ?? "";
  const found: Outcome = yield* attempt({ do: "list", resource: pods, namespace });
  if (found.error !== undefined) throw found.error;
  return ((found.items ?? []) as Pod[]).some(
    (pod) => uses(pod) && podsByClaim.claim(pod).includes(key),
  );
}

export function createVolumeProtectionController(): Controller {
  return {
    name: "persistentvolume-protection-controller",
    watches: [watchOwn(persistentVolumes)],
    reconcile: reconcileVolumeProtection,
  };
}

export function* reconcileVolumeProtection(
  key: string,
  { caches }: Context,
): Steps<number | undefined> {
  const volume = caches.of(persistentVolumes).get("", key);
  if (volume === undefined) return undefined;
  if (volume.metadata?.deletionTimestamp === undefined) {
    yield* addFinalizer(persistentVolumes, volume, volumeFinalizer);
  } else if (!isBound(volume)) yield* dropFinalizer(persistentVolumes, volume, volumeFinalizer);
  return undefined;
}

function isBound(volume: PersistentVolume): boolean {
  return volume.status?.phase === "Bound";
}

const classOfVolume = ({ spec }: PersistentVolume): string[] =>
  spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [];

const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): string[] =>
  [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name): name is string => Boolean(name));

export function createClassProtectionController(): Controller {
  return {
    name: "volumeattributesclass-protection-controller",
    watches: [
      watchOwn(volumeAttributesClasses),
      watch(persistentVolumeClaims, classesOfClaim, { class: classesOfClaim }),
      watch(persistentVolumes, classOfVolume, { class: classOfVolume }),
    ],
    reconcile: reconcileClassProtection,
  };
}

export function* reconcileClassProtection(
  key: string,
  { caches }: Context,
): Steps<number | undefined> {
  const object = caches.of(volumeAttributesClasses).get("", key);
  if (object === undefined) return undefined;
  if (object.metadata?.deletionTimestamp === undefined) {
    yield* addFinalizer(volumeAttributesClasses, object, classFinalizer);
    return undefined;
  }
  const users = [persistentVolumeClaims, persistentVolumes].flatMap((resource) =>
    caches.of(resource as ResourceRef).byIndex("class", key),
  );
  if (users.length === 0) yield* dropFinalizer(volumeAttributesClasses, object, classFinalizer);
  return undefined;
}

function* addFinalizer<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: T,
  finalizer: string,
): Steps {
  const finalizers = object.metadata?.finalizers ?? [];
  if (finalizers.includes(finalizer)) return;
  yield* update(resource, {
    ...object,
    metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] },
  });
}

function* dropFinalizer<T extends ApiObject>(
  resource: ResourceRef<T>,
  object: T,
  finalizer: string,
): Steps {
  const before = object.metadata?.finalizers ?? [];
  const finalizers = before.filter((token) => token !== finalizer);
  if (finalizers.length === before.length) return;
  yield* update(resource, { ...object, metadata: { ...object.metadata, finalizers } });
}
