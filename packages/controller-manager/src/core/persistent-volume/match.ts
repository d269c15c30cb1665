/**
 * Which volume suits a claim? The smallest that is large enough; one reserved for the claim goes
 * first.
 *
 * Source  k8s.io/component-helpers storage/volume/pv_helpers.go FindMatchingVolume
 */
import type { PersistentVolume, PersistentVolumeClaim } from "@nanokube/api/core/v1";
import type { StorageClass } from "@nanokube/api/storage/v1";
import { storageClasses } from "@nanokube/client";
import { labelSelectorToSelector, parseQuantity } from "@nanokube/machinery";
import type { Caches } from "../controller.ts";

const betaClass = "volume.beta.kubernetes.io/storage-class";
export const selectedNode = "volume.kubernetes.io/selected-node";

/** "" stands for "no class", undefined for "not said". */
export function classOf(object: PersistentVolumeClaim | PersistentVolume): string {
  return object.metadata?.annotations?.[betaClass] ?? object.spec?.storageClassName ?? "";
}

export function storageClassOf(
  object: PersistentVolumeClaim | PersistentVolume,
  caches: Caches,
): StorageClass | undefined {
  const name = classOf(object);
  return name === "" ? undefined : caches.of(storageClasses).get("", name);
}

/** The scheduler has to choose a node first. */
export function waitsForConsumer(claim: PersistentVolumeClaim, caches: Caches): boolean {
  if (claim.metadata?.annotations?.[selectedNode]) return false;
  return storageClassOf(claim, caches)?.volumeBindingMode === "WaitForFirstConsumer";
}

export function isReservedFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const reference = volume.spec?.claimRef;
  return (
    reference !== undefined &&
    reference.name === claim.metadata?.name &&
    reference.namespace === claim.metadata?.namespace &&
    (!reference.uid || reference.uid === claim.metadata?.uid)
  );
}

/** Why not, in upstream's words; undefined when it does. */
export function mismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (!isLargeEnough(volume, claim)) return "requested PV is too small";
  if (classOf(volume) !== classOf(claim)) return "storageClassName does not match";
  if (modeOf(volume) !== modeOf(claim)) return "incompatible volumeMode";
  if (!hasAccessModes(volume, claim)) return "incompatible accessMode";
  return undefined;
}

function modeOf(object: PersistentVolume | PersistentVolumeClaim): string {
  return object.spec?.volumeMode ?? "Filesystem";
}

function isLargeEnough(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const capacity = parseQuantity(volume.spec?.capacity?.storage ?? "0");
  return capacity.cmp(parseQuantity(claim.spec?.resources?.requests?.storage ?? "0")) >= 0;
}

function hasAccessModes(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const modes = volume.spec?.accessModes ?? [];
  return (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode));
}

/** `delayed`: only one that is reserved for the claim already. */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  delayed: boolean,
): PersistentVolume | undefined {
  const fitting = volumes.filter(
    (volume) =>
      (volume.spec?.claimRef === undefined || isReservedFor(volume, claim)) &&
      volume.metadata?.deletionTimestamp === undefined &&
      (volume.spec?.volumeAttributesClassName ?? "") ===
        (claim.spec?.volumeAttributesClassName ?? "") &&
      modeOf(volume) === modeOf(claim) &&
      hasAccessModes(volume, claim) &&
      isLargeEnough(volume, claim),
  );
  const reserved = fitting.find((volume) => isReservedFor(volume, claim));
  if (reserved !== undefined || delayed) return reserved;
  const selector =
    claim.spec?.selector === undefined ? undefined : labelSelectorToSelector(claim.spec.selector);
  const free = fitting.filter(
    (volume) =>
      volume.status?.phase === "Available" &&
      classOf(volume) === classOf(claim) &&
      (selector === undefined || selector.matches(volume.metadata?.labels)),
  );
  return free.sort((a, b) => {
    const size = parseQuantity(a.spec?.capacity?.storage ?? "0").cmp(
      parseQuantity(b.spec?.capacity?.storage ?? "0"),
    );
    // The fewest access modes beyond what is asked for, then by name, so that all looks choose the
    // same.
    const modes = (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0);
    return modes || size || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);
  })[0];
}
