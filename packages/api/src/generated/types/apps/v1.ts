/** apps/v1, generated: do not edit. */
import type { PersistentVolumeClaim as core_v1_PersistentVolumeClaim, PodTemplateSpec as core_v1_PodTemplateSpec } from "../core/v1.ts";
import type { LabelSelector as meta_v1_LabelSelector, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
/** apps/v1 ControllerRevision */
export type ControllerRevision = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  data?: { [field: string]: unknown };
  revision?: number;
};
/** apps/v1 ControllerRevisionList */
export type ControllerRevisionList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ControllerRevision[];
};
/** apps/v1 DaemonSet */
export type DaemonSet = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: DaemonSetSpec;
  status?: DaemonSetStatus;
};
export type DaemonSetCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** apps/v1 DaemonSetList */
export type DaemonSetList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: DaemonSet[];
};
export type DaemonSetSpec = {
  selector?: meta_v1_LabelSelector;
  template?: core_v1_PodTemplateSpec;
  updateStrategy?: DaemonSetUpdateStrategy;
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
};
export type DaemonSetStatus = {
  currentNumberScheduled?: number;
  numberMisscheduled?: number;
  desiredNumberScheduled?: number;
  numberReady?: number;
  observedGeneration?: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
  numberUnavailable?: number;
  collisionCount?: number;
  conditions?: DaemonSetCondition[];
};
export type DaemonSetUpdateStrategy = {
  type?: "OnDelete" | "RollingUpdate" | (string & {});
  rollingUpdate?: RollingUpdateDaemonSet;
};
/** apps/v1 Deployment */
export type Deployment = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: DeploymentSpec;
  status?: DeploymentStatus;
};
export type DeploymentCondition = {
  type?: string;
  status?: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** apps/v1 DeploymentList */
export type DeploymentList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: Deployment[];
};
export type DeploymentSpec = {
  replicas?: number;
  selector?: meta_v1_LabelSelector;
  template?: core_v1_PodTemplateSpec;
  strategy?: DeploymentStrategy;
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
  paused?: boolean;
  progressDeadlineSeconds?: number;
};
export type DeploymentStatus = {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  terminatingReplicas?: number;
  conditions?: DeploymentCondition[];
  collisionCount?: number;
};
export type DeploymentStrategy = {
  type?: "Recreate" | "RollingUpdate" | (string & {});
  rollingUpdate?: RollingUpdateDeployment;
};
/** apps/v1 ReplicaSet */
export type ReplicaSet = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ReplicaSetSpec;
  status?: ReplicaSetStatus;
};
export type ReplicaSetCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** apps/v1 ReplicaSetList */
export type ReplicaSetList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ReplicaSet[];
};
export type ReplicaSetSpec = {
  replicas?: number;
  minReadySeconds?: number;
  selector?: meta_v1_LabelSelector;
  template?: core_v1_PodTemplateSpec;
};
export type ReplicaSetStatus = {
  replicas?: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  terminatingReplicas?: number;
  observedGeneration?: number;
  conditions?: ReplicaSetCondition[];
};
export type RollingUpdateDaemonSet = {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
};
export type RollingUpdateDeployment = {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
};
export type RollingUpdateStatefulSetStrategy = {
  partition?: number;
  maxUnavailable?: number | string;
};
/** apps/v1 StatefulSet */
export type StatefulSet = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: StatefulSetSpec;
  status?: StatefulSetStatus;
};
export type StatefulSetCondition = {
  type?: string;
  status?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
};
/** apps/v1 StatefulSetList */
export type StatefulSetList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: StatefulSet[];
};
export type StatefulSetOrdinals = {
  start?: number;
};
export type StatefulSetPersistentVolumeClaimRetentionPolicy = {
  whenDeleted?: string;
  whenScaled?: string;
};
export type StatefulSetSpec = {
  replicas?: number;
  selector?: meta_v1_LabelSelector;
  template?: core_v1_PodTemplateSpec;
  volumeClaimTemplates?: core_v1_PersistentVolumeClaim[];
  serviceName?: string;
  podManagementPolicy?: "OrderedReady" | "Parallel" | (string & {});
  updateStrategy?: StatefulSetUpdateStrategy;
  revisionHistoryLimit?: number;
  minReadySeconds?: number;
  persistentVolumeClaimRetentionPolicy?: StatefulSetPersistentVolumeClaimRetentionPolicy;
  ordinals?: StatefulSetOrdinals;
};
export type StatefulSetStatus = {
  observedGeneration?: number;
  replicas?: number;
  readyReplicas?: number;
  currentReplicas?: number;
  updatedReplicas?: number;
  currentRevision?: string;
  updateRevision?: string;
  collisionCount?: number;
  conditions?: StatefulSetCondition[];
  availableReplicas?: number;
};
export type StatefulSetUpdateStrategy = {
  type?: "OnDelete" | "RollingUpdate" | (string & {});
  rollingUpdate?: RollingUpdateStatefulSetStrategy;
};
