/** storage/v1beta1, generated: do not edit. */
import type { PersistentVolumeSpec as core_v1_PersistentVolumeSpec, TopologySelectorTerm as core_v1_TopologySelectorTerm } from "../core/v1.ts";
import type { LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** storage.k8s.io/v1beta1 CSIDriver */
export type CSIDriver = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: CSIDriverSpec;
};
/** storage.k8s.io/v1beta1 CSIDriverList */
export type CSIDriverList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CSIDriver[];
};
export type CSIDriverSpec = {
  attachRequired?: boolean;
  podInfoOnMount?: boolean;
  volumeLifecycleModes?: string[];
  storageCapacity?: boolean;
  fsGroupPolicy?: string;
  tokenRequests?: TokenRequest[];
  requiresRepublish?: boolean;
  seLinuxMount?: boolean;
  nodeAllocatableUpdatePeriodSeconds?: number;
  serviceAccountTokenInSecrets?: boolean;
  preventPodSchedulingIfMissing?: boolean;
};
/** storage.k8s.io/v1beta1 CSINode */
export type CSINode = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: CSINodeSpec;
};
export type CSINodeDriver = {
  name?: string;
  nodeID?: string;
  topologyKeys?: string[];
  allocatable?: VolumeNodeResources;
};
/** storage.k8s.io/v1beta1 CSINodeList */
export type CSINodeList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CSINode[];
};
export type CSINodeSpec = {
  drivers?: CSINodeDriver[];
};
/** storage.k8s.io/v1beta1 CSIStorageCapacity */
export type CSIStorageCapacity = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  nodeTopology?: meta_v1_LabelSelector;
  storageClassName?: string;
  capacity?: string;
  maximumVolumeSize?: string;
};
/** storage.k8s.io/v1beta1 CSIStorageCapacityList */
export type CSIStorageCapacityList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: CSIStorageCapacity[];
};
/** storage.k8s.io/v1beta1 StorageClass */
export type StorageClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  provisioner?: string;
  parameters?: { [key: string]: string };
  reclaimPolicy?: "Delete" | "Recycle" | "Retain" | (string & {});
  mountOptions?: string[];
  allowVolumeExpansion?: boolean;
  volumeBindingMode?: string;
  allowedTopologies?: core_v1_TopologySelectorTerm[];
};
/** storage.k8s.io/v1beta1 StorageClassList */
export type StorageClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: StorageClass[];
};
export type TokenRequest = {
  audience?: string;
  expirationSeconds?: number;
};
/** storage.k8s.io/v1beta1 VolumeAttachment */
export type VolumeAttachment = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: VolumeAttachmentSpec;
  status?: VolumeAttachmentStatus;
};
/** storage.k8s.io/v1beta1 VolumeAttachmentList */
export type VolumeAttachmentList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: VolumeAttachment[];
};
export type VolumeAttachmentSource = {
  persistentVolumeName?: string;
  inlineVolumeSpec?: core_v1_PersistentVolumeSpec;
};
export type VolumeAttachmentSpec = {
  attacher?: string;
  source?: VolumeAttachmentSource;
  nodeName?: string;
};
export type VolumeAttachmentStatus = {
  attached?: boolean;
  attachmentMetadata?: { [key: string]: string };
  attachError?: VolumeError;
  detachError?: VolumeError;
};
/** storage.k8s.io/v1beta1 VolumeAttributesClass */
export type VolumeAttributesClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  driverName?: string;
  parameters?: { [key: string]: string };
};
/** storage.k8s.io/v1beta1 VolumeAttributesClassList */
export type VolumeAttributesClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: VolumeAttributesClass[];
};
export type VolumeError = {
  time?: string;
  message?: string;
  errorCode?: number;
};
export type VolumeNodeResources = {
  count?: number;
};
