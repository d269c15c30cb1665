/**
 * One look at a volume: is it free, promised, or left behind by its claim?
 *
 * Left behind, it is kept (Retain), or deleted by who made it (Delete: an external provisioner that
 * sees it Released).
 *
 * Source  pkg/controller/volume/persistentvolume/pv_controller.go syncVolume, reclaimVolume
 */
import type { PersistentVolume } from "@nanokube/api/core/v1";
import { persistentVolumeClaims, persistentVolumes } from "@nanokube/client";
import type { Context } from "../controller.ts";
import { note, read, type Steps, update } from "../steps.ts";
import { boundByController, setVolumePhase } from "./bind.ts";

const provisionedBy = "pv.kubernetes.io/provisioned-by";

export function* syncVolume(volume: PersistentVolume, { caches, nowMs }: Context): Steps {
  const reference = volume.spec?.claimRef;
  if (reference === undefined || !reference.uid) {
    yield* setVolumePhase(volume, "Available", nowMs);
    return;
  }
  const { namespace = "", name = "", uid } = reference;
  let claim = caches.of(persistentVolumeClaims).get(namespace, name);
  const settled = volume.status?.phase === "Released" || volume.status?.phase === "Failed";
  // Before data is given up, the server is asked whether the claim is really gone.
  if (claim?.metadata?.uid !== uid && !settled) {
    claim = yield* read(persistentVolumeClaims, namespace, name);
  }
  if (claim?.metadata?.uid !== uid) {
    const released = settled ? volume : yield* setVolumePhase(volume, "Released", nowMs);
    yield* reclaim(released, nowMs);
    return;
  }
  if (claim?.spec?.volumeName === volume.metadata?.name) {
    yield* setVolumePhase(volume, "Bound", nowMs);
    return;
  }
  // Promised to a claim that doesn't point here yet: the claim's own look finishes that.
  if (!claim?.spec?.volumeName) return;
  yield* unbind(volume, nowMs);
}

/** The claim chose another volume: this promise is void. */
function* unbind(volume: PersistentVolume, nowMs: number): Steps {
  const annotations = { ...volume.metadata?.annotations };
  const dynamic = annotations[provisionedBy] !== undefined;
  if (dynamic && volume.spec?.persistentVolumeReclaimPolicy === "Delete") {
    // Made for the claim, and not needed: its provisioner deletes what is Released.
    const released = yield* setVolumePhase(volume, "Released", nowMs);
    yield* reclaim(released, nowMs);
    return;
  }
  const { claimRef, ...spec } = volume.spec ?? {};
  const ours = annotations[boundByController] !== undefined;
  delete annotations[boundByController];
  // What a user reserved stays reserved, for whichever claim of that name comes.
  const { uid: _, resourceVersion: __, ...reserved } = claimRef ?? {};
  const freed = yield* update(persistentVolumes, {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: ours ? spec : { ...spec, claimRef: reserved },
  });
  yield* setVolumePhase(freed, "Available", nowMs);
}

function* reclaim(volume: PersistentVolume, nowMs: number): Steps {
  const policy = volume.spec?.persistentVolumeReclaimPolicy ?? "Retain";
  if (policy === "Retain" || volume.status?.phase === "Failed") return;
  if (policy === "Recycle") {
    yield* fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", nowMs);
    return;
  }
  const external =
    volume.metadata?.annotations?.[provisionedBy] !== undefined || volume.spec?.csi !== undefined;
  if (external) return;
  const message =
    "error getting deleter volume plugin for volume: no deletable volume plugin matched";
  yield* fail(volume, "VolumeFailedDelete", message, nowMs);
}

function* fail(volume: PersistentVolume, reason: string, message: string, nowMs: number): Steps {
  yield* note(volume, "Warning", reason, message);
  yield* setVolumePhase(volume, "Failed", nowMs, message);
}
