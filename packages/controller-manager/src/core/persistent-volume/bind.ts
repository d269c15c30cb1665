/**
 * Ties a volume and a claim together: the volume first, for it can be promised only once; then both
 * say "Bound".
 *
 * Source  pkg/controller/volume/persistentvolume/pv_controller.go bind
 */
import type {
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
} from "@nanokube/api/core/v1";
import { persistentVolumeClaims, persistentVolumes } from "@nanokube/client";
import { deepEqual } from "@nanokube/machinery";
import { note, type Steps, update, updateStatus } from "../steps.ts";
import { formatTime } from "../time.ts";
import { isReservedFor } from "./match.ts";

export const bindCompleted = "pv.kubernetes.io/bind-completed";
export const boundByController = "pv.kubernetes.io/bound-by-controller";

/** @hop persistentvolume.bind: the PV controller promises a volume to a claim, and both say so. */
export function* bind(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
  nowMs: number,
): Steps {
  const reserved = yield* reserve(volume, claim);
  yield* setVolumePhase(reserved, "Bound", nowMs);
  const pointing = yield* pointTo(reserved, claim);
  yield* setClaimStatus(pointing, "Bound", reserved);
}

function* reserve(volume: PersistentVolume, claim: PersistentVolumeClaim): Steps<PersistentVolume> {
  const reference = volume.spec?.claimRef;
  const annotations = { ...volume.metadata?.annotations };
  if (!isReservedFor(volume, claim)) annotations[boundByController] = "yes";
  const complete = isReservedFor(volume, claim) && reference?.uid === claim.metadata?.uid;
  if (complete) return volume;
  return yield* update(
    persistentVolumes,
    {
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: { ...volume.spec, claimRef: referenceTo(claim) },
    },
    "persistentvolume.bind",
  );
}

function referenceTo(claim: PersistentVolumeClaim): ObjectReference {
  const { namespace, name, uid, resourceVersion } = claim.metadata ?? {};
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion };
}

function* pointTo(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): Steps<PersistentVolumeClaim> {
  const annotations: Record<string, string> = {
    ...claim.metadata?.annotations,
    [bindCompleted]: "yes",
  };
  const volumeName = volume.metadata?.name;
  const pointed = claim.spec?.volumeName === volumeName;
  if (!pointed) annotations[boundByController] = "yes";
  if (pointed && claim.metadata?.annotations?.[bindCompleted] !== undefined) return claim;
  return yield* update(
    persistentVolumeClaims,
    { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName } },
    "persistentvolume.bind",
  );
}

export function* setVolumePhase(
  volume: PersistentVolume,
  phase: string,
  nowMs: number,
  message = "",
): Steps<PersistentVolume> {
  if (volume.status?.phase === phase) return volume;
  const { message: _, ...status } = volume.status ?? {};
  return yield* updateStatus(persistentVolumes, {
    ...volume,
    status: {
      ...status,
      phase,
      lastPhaseTransitionTime: formatTime(nowMs),
      ...(message === "" ? {} : { message }),
    },
  });
}

export function* setClaimStatus(
  claim: PersistentVolumeClaim,
  phase: string,
  volume?: PersistentVolume,
): Steps<PersistentVolumeClaim> {
  const { accessModes: _, capacity: __, ...rest } = claim.status ?? {};
  const granted =
    volume === undefined
      ? {}
      : {
          accessModes: volume.spec?.accessModes ?? [],
          // What an expansion has reached already is not taken back.
          capacity: claim.status?.capacity ?? { storage: volume.spec?.capacity?.storage ?? "0" },
        };
  const status = { ...rest, ...granted, phase };
  if (deepEqual(status, claim.status ?? {})) return claim;
  return yield* updateStatus(persistentVolumeClaims, { ...claim, status });
}

export function* loseClaim(claim: PersistentVolumeClaim, reason: string, message: string): Steps {
  if (claim.status?.phase === "Lost") return;
  yield* note(claim, "Warning", reason, message);
  yield* setClaimStatus(claim, "Lost");
}
