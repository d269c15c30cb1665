/**
 * PersistentVolume binder: claims and volumes, found for each other or made.
 *
 * Keys  "claim:NAMESPACE/NAME", "volume:NAME"
 * Source  pkg/controller/volume/persistentvolume/pv_controller_base.go
 */
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from "@nanokube/client";
import { type Caches, type Context, type Controller, watch } from "../controller.ts";
import type { Steps } from "../steps.ts";
import { podsByClaim, syncClaim } from "./claim.ts";
import { syncVolume } from "./volume.ts";

const again = 15_000;

export function createPersistentVolumeController(): Controller {
  return {
    name: "persistentvolume-binder-controller",
    component: "persistentvolume-controller",
    // One at a time: two claims must not choose the same volume on the same view.
    workers: 1,
    watches: [
      watch(persistentVolumeClaims, ({ metadata, spec }) => [
        `claim:${metadata?.namespace}/${metadata?.name}`,
        ...(spec?.volumeName ? [`volume:${spec.volumeName}`] : []),
      ]),
      watch(persistentVolumes, ({ metadata, spec }, caches) => [
        `volume:${metadata?.name}`,
        ...(spec?.claimRef === undefined
          ? pendingClaims(caches)
          : [`claim:${spec.claimRef.namespace}/${spec.claimRef.name}`]),
      ]),
      watch(storageClasses, (_, caches) => pendingClaims(caches)),
      watch(pods, () => [], podsByClaim),
    ],
    reconcile: reconcilePersistentVolumes,
  };
}

function pendingClaims(caches: Caches): string[] {
  return caches
    .of(persistentVolumeClaims)
    .list()
    .filter(({ spec }) => !spec?.volumeName)
    .map(({ metadata }) => `claim:${metadata?.namespace}/${metadata?.name}`);
}

export function* reconcilePersistentVolumes(
  key: string,
  context: Context,
): Steps<number | undefined> {
  const colon = key.indexOf(":");
  const [kind, name] = [key.slice(0, colon), key.slice(colon + 1)];
  if (kind === "volume") {
    const volume = context.caches.of(persistentVolumes).get("", name);
    if (volume !== undefined) yield* syncVolume(volume, context);
    return undefined;
  }
  const claim = context.caches.of(persistentVolumeClaims).getByKey(name);
  if (claim === undefined) return undefined;
  yield* syncClaim(claim, context);
  return claim.status?.phase === "Bound" ? undefined : again;
}
