/**
 * The API objects that make the driver known to a cluster.
 *
 * Volumes live on a node, so a claim waits until the scheduler has chosen one; nothing is attached,
 * a directory is there.
 *
 * Source  kubernetes-csi/csi-driver-host-path deploy/kubernetes-latest
 */
import type { KubeObject } from "@nanokube/machinery";

export interface DeploymentOptions {
  driverName: string;
  /** Name of the StorageClass. */
  storageClass?: string;
  /** Claims without a class take it. */
  isDefault?: boolean;
}

export function deployment(options: DeploymentOptions): KubeObject[] {
  const { driverName, storageClass = "standard", isDefault = true } = options;
  const annotations = { "storageclass.kubernetes.io/is-default-class": String(isDefault) };
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "CSIDriver",
      metadata: { name: driverName },
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        volumeLifecycleModes: ["Persistent", "Ephemeral"],
        storageCapacity: false,
        fsGroupPolicy: "File",
      },
    },
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: storageClass, annotations },
      provisioner: driverName,
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    },
  ];
}
