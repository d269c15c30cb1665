/**
 * A claim as a CSI CreateVolume request, and the answer as a PersistentVolume.
 *
 * Source  github.com/kubernetes-csi/external-provisioner pkg/controller/controller.go, topology.go
 */
import type { Node, PersistentVolume, PersistentVolumeClaim } from "@nanokube/api/core/v1";
import type { CSINode, StorageClass } from "@nanokube/api/storage/v1";
import { parseQuantity } from "@nanokube/machinery";

/** A request in the shape of csi.v1.CreateVolumeRequest. */
export interface CreateVolume {
  name: string;
  capacityRange: { requiredBytes: number };
  volumeCapabilities: Capability[];
  parameters: Record<string, string>;
  accessibilityRequirements?: { requisite: Topology[]; preferred: Topology[] };
}

export interface Topology {
  segments: Record<string, string>;
}

interface Capability {
  accessMode: { mode: number };
  block?: Record<string, never>;
  mount?: { fsType: string; mountFlags: string[] };
}

/** What of csi.v1.Volume becomes part of a PersistentVolume. */
export interface CreatedVolume {
  volumeId: string;
  capacityBytes: number;
  volumeContext: Record<string, string>;
  accessibleTopology: Topology[];
}

const accessModes: Readonly<Record<string, number>> = {
  ReadWriteOnce: 1, // SINGLE_NODE_WRITER
  ReadOnlyMany: 3, // MULTI_NODE_READER_ONLY
  ReadWriteMany: 5, // MULTI_NODE_MULTI_WRITER
  ReadWriteOncePod: 6, // SINGLE_NODE_SINGLE_WRITER
};

const prefix = "csi.storage.k8s.io/";
const fsTypeParameter = `${prefix}fstype`;
const provisionedBy = "pv.kubernetes.io/provisioned-by";
export const volumeFinalizer = "external-provisioner.volume.kubernetes.io/finalizer";

export function volumeName(claim: PersistentVolumeClaim): string {
  return `pvc-${claim.metadata?.uid}`;
}

export interface Provisioning {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  /** The node that the scheduler chose, and what the driver says of it. */
  node?: Node | undefined;
  csiNode?: CSINode | undefined;
  driverName: string;
}

export function createVolumeRequest(provisioning: Provisioning): CreateVolume {
  const { claim, storageClass } = provisioning;
  const parameters = storageClass.parameters ?? {};
  const kept = Object.entries(parameters).filter(([name]) => !name.startsWith(prefix));
  const topology = topologyOf(provisioning);
  return {
    name: volumeName(claim),
    capacityRange: { requiredBytes: requestedBytes(claim) },
    volumeCapabilities: (claim.spec?.accessModes ?? []).map((mode) => ({
      accessMode: { mode: accessModes[mode] ?? 0 },
      ...(claim.spec?.volumeMode === "Block"
        ? { block: {} }
        : {
            mount: {
              fsType: parameters[fsTypeParameter] ?? "",
              mountFlags: storageClass.mountOptions ?? [],
            },
          }),
    })),
    parameters: Object.fromEntries(kept),
    ...(topology === undefined
      ? {}
      : { accessibilityRequirements: { requisite: [topology], preferred: [topology] } }),
  };
}

function requestedBytes(claim: PersistentVolumeClaim): number {
  return parseQuantity(claim.spec?.resources?.requests?.storage ?? "0").value();
}

/** The labels of the chosen node, for the keys by which the driver tells nodes apart. */
function topologyOf({ node, csiNode, driverName }: Provisioning): Topology | undefined {
  const driver = csiNode?.spec?.drivers?.find(({ name }) => name === driverName);
  const labels = node?.metadata?.labels ?? {};
  const segments = (driver?.topologyKeys ?? []).flatMap((key) =>
    labels[key] === undefined ? [] : [[key, labels[key]] as const],
  );
  return segments.length === 0 ? undefined : { segments: Object.fromEntries(segments) };
}

export function persistentVolume(
  { claim, storageClass, driverName }: Provisioning,
  created: CreatedVolume,
): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata ?? {};
  const fsType = storageClass.parameters?.[fsTypeParameter];
  const bytes = created.capacityBytes || requestedBytes(claim);
  const reclaim = storageClass.reclaimPolicy ?? "Delete";
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: volumeName(claim),
      annotations: { [provisionedBy]: driverName },
      ...(reclaim === "Delete" ? { finalizers: [volumeFinalizer] } : {}),
    },
    spec: {
      accessModes: claim.spec?.accessModes ?? [],
      capacity: { storage: formatBytes(bytes) },
      persistentVolumeReclaimPolicy: reclaim,
      storageClassName: storageClass.metadata?.name,
      volumeMode: claim.spec?.volumeMode ?? "Filesystem",
      ...(storageClass.mountOptions === undefined
        ? {}
        : { mountOptions: storageClass.mountOptions }),
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace,
        name,
        uid,
        resourceVersion,
      },
      csi: {
        driver: driverName,
        volumeHandle: created.volumeId,
        ...(fsType === undefined ? {} : { fsType }),
        volumeAttributes: {
          ...created.volumeContext,
          "storage.kubernetes.io/csiProvisionerIdentity": driverName,
        },
      },
      ...affinityOf(created.accessibleTopology),
    },
  };
}

/** "1Gi" where it is a whole number of them. */
function formatBytes(bytes: number): string {
  const units = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit]}`;
}

function affinityOf(
  topologies: readonly Topology[],
): Partial<NonNullable<PersistentVolume["spec"]>> {
  if (topologies.length === 0) return {};
  const nodeSelectorTerms = topologies.map(({ segments }) => ({
    matchExpressions: Object.entries(segments)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, operator: "In", values: [value] })),
  }));
  return { nodeAffinity: { required: { nodeSelectorTerms } } };
}
