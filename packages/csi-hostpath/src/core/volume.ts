/**
 * What the driver remembers of a volume and of a snapshot: the JSON beside their data.
 *
 * Shapes  id    a UUID of ours, and the name of a directory; nothing from a request becomes a path
 *         name  the caller's, which makes CreateVolume repeatable
 * Units   sizeBytes; createdMs since the epoch
 * Source  CSI v1.9 spec.md, CreateVolume, CreateSnapshot
 */
import type { csi } from "@nanokube/rpc";

export type AccessType = "mount" | "block";

export interface Volume {
  id: string;
  name: string;
  sizeBytes: number;
  accessType: AccessType;
  /** Made by NodePublishVolume for one pod, and gone with it. */
  ephemeral: boolean;
  sourceSnapshot?: string;
  sourceVolume?: string;
}

export interface Snapshot {
  id: string;
  name: string;
  sourceVolume: string;
  sizeBytes: number;
  accessType: AccessType;
  createdMs: number;
}

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Ids of requests are looked up, and only what could be one of ours even reaches the disk. */
export const isID = (id: string): boolean => idPattern.test(id) && !id.includes("..");

export const topologyKey = "topology.hostpath.csi/node";

export function toCSIVolume(volume: Volume, nodeID: string): csi.Volume {
  const { sourceSnapshot, sourceVolume } = volume;
  return {
    volumeId: volume.id,
    capacityBytes: volume.sizeBytes,
    volumeContext: {},
    accessibleTopology: [{ segments: { [topologyKey]: nodeID } }],
    ...(sourceSnapshot === undefined
      ? {}
      : { contentSource: { snapshot: { snapshotId: sourceSnapshot } } }),
    ...(sourceVolume === undefined
      ? {}
      : { contentSource: { volume: { volumeId: sourceVolume } } }),
  };
}

export function toCSISnapshot(snapshot: Snapshot): csi.Snapshot {
  const { createdMs } = snapshot;
  return {
    snapshotId: snapshot.id,
    sourceVolumeId: snapshot.sourceVolume,
    sizeBytes: snapshot.sizeBytes,
    creationTime: {
      seconds: Math.floor(createdMs / 1000),
      nanos: (createdMs % 1000) * 1_000_000,
    },
    readyToUse: true,
    groupSnapshotId: "",
  };
}
