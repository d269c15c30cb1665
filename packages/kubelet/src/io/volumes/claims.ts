/**
 * From a pod's claim to the PersistentVolume behind it.
 *
 * Errors  upstream's texts: not bound, being deleted, not the pod's own
 * Source  pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "@nanokube/api/core/v1";
import { type Client, persistentVolumeClaims, persistentVolumes } from "@nanokube/client";
import { podName, podNamespace, podUID } from "../../core/pod.ts";

export interface ClaimedVolume {
  claim: PersistentVolumeClaim;
  pv: PersistentVolume;
  readOnly: boolean;
}

/** Name of the claim; an ephemeral volume's is made of the pod's name and the volume's. */
function claimName(pod: Pod, volume: Volume): string {
  return volume.persistentVolumeClaim?.claimName ?? `${podName(pod)}-${volume.name}`;
}

export async function resolveClaim(
  client: Client,
  pod: Pod,
  volume: Volume,
): Promise<ClaimedVolume> {
  const namespace = podNamespace(pod);
  const name = claimName(pod, volume);
  const complain = (why: string) => new Error(`error processing PVC ${namespace}/${name}: ${why}`);
  const claims = client.resource(persistentVolumeClaims).namespace(namespace);
  const claim = await claims.get(name).catch((error: Error) => {
    throw complain(`failed to fetch PVC from API server: ${error.message}`);
  });
  if (volume.ephemeral !== undefined) {
    const owned = claim.metadata?.ownerReferences?.some(
      (owner) => owner.controller === true && owner.uid === podUID(pod),
    );
    if (owned !== true) {
      throw new Error(
        `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName(pod)} (pod is not owner)`,
      );
    }
  }
  if (claim.metadata?.deletionTimestamp !== undefined) throw complain("PVC is being deleted");
  const pvName = claim.spec?.volumeName ?? "";
  if (claim.status?.phase !== "Bound" || pvName === "") throw complain("PVC is not bound");
  const pv = await client.resource(persistentVolumes).get(pvName);
  const claimUID = claim.metadata?.uid;
  if (pv.spec?.claimRef?.uid !== claimUID) {
    throw complain(
      `unexpected pvc ${pvName} claim UID: ${pv.spec?.claimRef?.uid}, expected ${claimUID}`,
    );
  }
  return { claim, pv, readOnly: volume.persistentVolumeClaim?.readOnly === true };
}
