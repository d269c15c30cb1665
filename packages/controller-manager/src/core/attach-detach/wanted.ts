/**
 * Which volumes have to be at which nodes, by the pods that were scheduled there.
 *
 * Only CSI volumes of drivers that attach; a pod that has ended needs nothing.
 * Source  pkg/controller/volume/attachdetach/cache/desired_state_of_world.go, util/util.go;
 *         pkg/volume/csi/csi_attacher.go GetAttachmentName
 */
import type { Node, PersistentVolume, Pod } from "@nanokube/api/core/v1";
import type { VolumeAttachment } from "@nanokube/api/storage/v1";
import { csiDrivers, persistentVolumeClaims, persistentVolumes, pods } from "@nanokube/client";
import type { Caches } from "../controller.ts";
import { isPodTerminal } from "../pod.ts";

export const byClaim = "claims";

/** The claims of a pod, as namespace/name: its own volumes' and those of its ephemeral ones. */
export function claimsOf(pod: Pod): string[] {
  const { namespace, name } = pod.metadata ?? {};
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.ephemeral !== undefined) return [`${namespace}/${name}-${volume.name}`];
    const claim = volume.persistentVolumeClaim?.claimName;
    return claim === undefined ? [] : [`${namespace}/${claim}`];
  });
}

/** The name of a volume in a node's status. */
export const uniqueName = (volume: PersistentVolume): string =>
  `kubernetes.io/csi/${volume.spec?.csi?.driver}^${volume.spec?.csi?.volumeHandle}`;

/** Is it a volume that somebody has to attach? */
export function isAttachable(volume: PersistentVolume, caches: Caches): boolean {
  const driver = volume.spec?.csi?.driver;
  if (driver === undefined) return false;
  return caches.of(csiDrivers).get("", driver)?.spec?.attachRequired !== false;
}

/** Only one node at a time, unless it says otherwise. */
export function mayBeShared(volume: PersistentVolume): boolean {
  const modes = volume.spec?.accessModes ?? [];
  return modes.length === 0 || modes.some((m) => m === "ReadWriteMany" || m === "ReadOnlyMany");
}

/** Pods that need the volume, by the node they are on. */
export function usersOf(volume: PersistentVolume, caches: Caches): Map<string, Pod[]> {
  const users = new Map<string, Pod[]>();
  const { namespace, name, uid } = volume.spec?.claimRef ?? {};
  if (name === undefined) return users;
  const claim = caches.of(persistentVolumeClaims).get(namespace ?? "", name);
  if (claim?.metadata?.uid !== uid || claim?.spec?.volumeName !== volume.metadata?.name) {
    return users;
  }
  for (const pod of caches.of(pods).byIndex(byClaim, `${namespace}/${name}`)) {
    const node = pod.spec?.nodeName;
    if (!node || isPodTerminal(pod)) continue;
    users.set(node, [...(users.get(node) ?? []), pod]);
  }
  return users;
}

export const isInUse = (node: Node | undefined, unique: string): boolean =>
  node?.status?.volumesInUse?.includes(unique) === true;

export const isReported = (node: Node | undefined, unique: string): boolean =>
  node?.status?.volumesAttached?.some(({ name }) => name === unique) === true;

export function volumeOf(
  attachment: VolumeAttachment,
  caches: Caches,
): PersistentVolume | undefined {
  const name = attachment.spec?.source?.persistentVolumeName;
  return name === undefined ? undefined : caches.of(persistentVolumes).get("", name);
}

/** The node lets the controller do it; else its kubelet attaches by itself. */
export const isManaged = (node: Node | undefined): boolean =>
  node?.metadata?.annotations?.["volumes.kubernetes.io/controller-managed-attach-detach"] ===
  "true";
