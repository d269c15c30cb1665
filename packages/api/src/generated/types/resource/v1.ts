/** resource/v1, generated: do not edit. */
import type { NodeSelector as core_v1_NodeSelector } from "../core/v1.ts";
import type { Condition as meta_v1_Condition, ListMeta as meta_v1_ListMeta, ObjectMeta as meta_v1_ObjectMeta } from "../meta/v1.ts";
export type AllocatedDeviceStatus = {
  driver?: string;
  pool?: string;
  device?: string;
  shareID?: string;
  conditions?: meta_v1_Condition[];
  data?: { [field: string]: unknown };
  networkData?: NetworkDeviceData;
};
export type AllocationResult = {
  devices?: DeviceAllocationResult;
  nodeSelector?: core_v1_NodeSelector;
  allocationTimestamp?: string;
};
export type CELDeviceSelector = {
  expression?: string;
};
export type CapacityRequestPolicy = {
  default?: string;
  validValues?: string[];
  validRange?: CapacityRequestPolicyRange;
};
export type CapacityRequestPolicyRange = {
  min?: string;
  max?: string;
  step?: string;
};
export type CapacityRequirements = {
  requests?: { [key: string]: string };
};
export type Counter = {
  value?: string;
};
export type CounterSet = {
  name?: string;
  counters?: { [key: string]: Counter };
};
export type Device = {
  name?: string;
  attributes?: { [key: string]: DeviceAttribute };
  capacity?: { [key: string]: DeviceCapacity };
  consumesCounters?: DeviceCounterConsumption[];
  nodeName?: string;
  nodeSelector?: core_v1_NodeSelector;
  allNodes?: boolean;
  taints?: DeviceTaint[];
  bindsToNode?: boolean;
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
  allowMultipleAllocations?: boolean;
  nodeAllocatableResourceMappings?: { [key: string]: NodeAllocatableResourceMapping };
};
export type DeviceAllocationConfiguration = DeviceConfiguration & {
  source?: "FromClaim" | "FromClass" | (string & {});
  requests?: string[];
};
export type DeviceAllocationResult = {
  results?: DeviceRequestAllocationResult[];
  config?: DeviceAllocationConfiguration[];
};
export type DeviceAttribute = {
  int?: number;
  bool?: boolean;
  string?: string;
  version?: string;
  ints?: number[];
  bools?: boolean[];
  strings?: string[];
  versions?: string[];
};
export type DeviceCapacity = {
  value?: string;
  requestPolicy?: CapacityRequestPolicy;
};
export type DeviceClaim = {
  requests?: DeviceRequest[];
  constraints?: DeviceConstraint[];
  config?: DeviceClaimConfiguration[];
};
export type DeviceClaimConfiguration = DeviceConfiguration & {
  requests?: string[];
};
/** resource.k8s.io/v1 DeviceClass */
export type DeviceClass = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: DeviceClassSpec;
};
export type DeviceClassConfiguration = DeviceConfiguration & { [field: string]: never };
/** resource.k8s.io/v1 DeviceClassList */
export type DeviceClassList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: DeviceClass[];
};
export type DeviceClassSpec = {
  selectors?: DeviceSelector[];
  config?: DeviceClassConfiguration[];
  extendedResourceName?: string;
};
export type DeviceConfiguration = {
  opaque?: OpaqueDeviceConfiguration;
};
export type DeviceConstraint = {
  requests?: string[];
  matchAttribute?: string;
  distinctAttribute?: string;
};
export type DeviceCounterConsumption = {
  counterSet?: string;
  counters?: { [key: string]: Counter };
};
export type DeviceRequest = {
  name?: string;
  exactly?: ExactDeviceRequest;
  firstAvailable?: DeviceSubRequest[];
};
export type DeviceRequestAllocationResult = {
  request?: string;
  driver?: string;
  pool?: string;
  device?: string;
  adminAccess?: boolean;
  tolerations?: DeviceToleration[];
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
  shareID?: string;
  consumedCapacity?: { [key: string]: string };
};
export type DeviceSelector = {
  cel?: CELDeviceSelector;
};
export type DeviceSubRequest = {
  name?: string;
  deviceClassName?: string;
  selectors?: DeviceSelector[];
  allocationMode?: "All" | "ExactCount" | (string & {});
  count?: number;
  tolerations?: DeviceToleration[];
  capacity?: CapacityRequirements;
};
export type DeviceTaint = {
  key?: string;
  value?: string;
  effect?: "NoExecute" | "NoSchedule" | "None" | (string & {});
  timeAdded?: string;
};
export type DeviceToleration = {
  key?: string;
  operator?: "Equal" | "Exists" | (string & {});
  value?: string;
  effect?: "NoExecute" | "NoSchedule" | "None" | (string & {});
  tolerationSeconds?: number;
};
export type ExactDeviceRequest = {
  deviceClassName?: string;
  selectors?: DeviceSelector[];
  allocationMode?: "All" | "ExactCount" | (string & {});
  count?: number;
  adminAccess?: boolean;
  tolerations?: DeviceToleration[];
  capacity?: CapacityRequirements;
};
export type NetworkDeviceData = {
  interfaceName?: string;
  ips?: string[];
  hardwareAddress?: string;
};
export type NodeAllocatableResourceMapping = {
  capacityKey?: string;
  allocationMultiplier?: string;
};
export type OpaqueDeviceConfiguration = {
  driver?: string;
  parameters?: { [field: string]: unknown };
};
/** resource.k8s.io/v1 ResourceClaim */
export type ResourceClaim = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ResourceClaimSpec;
  status?: ResourceClaimStatus;
};
export type ResourceClaimConsumerReference = {
  apiGroup?: string;
  resource?: string;
  name?: string;
  uid?: string;
};
/** resource.k8s.io/v1 ResourceClaimList */
export type ResourceClaimList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ResourceClaim[];
};
export type ResourceClaimSpec = {
  devices?: DeviceClaim;
};
export type ResourceClaimStatus = {
  allocation?: AllocationResult;
  reservedFor?: ResourceClaimConsumerReference[];
  devices?: AllocatedDeviceStatus[];
};
/** resource.k8s.io/v1 ResourceClaimTemplate */
export type ResourceClaimTemplate = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ResourceClaimTemplateSpec;
};
/** resource.k8s.io/v1 ResourceClaimTemplateList */
export type ResourceClaimTemplateList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ResourceClaimTemplate[];
};
export type ResourceClaimTemplateSpec = {
  metadata?: meta_v1_ObjectMeta;
  spec?: ResourceClaimSpec;
};
export type ResourcePool = {
  name?: string;
  generation?: number;
  resourceSliceCount?: number;
};
/** resource.k8s.io/v1 ResourceSlice */
export type ResourceSlice = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ObjectMeta;
  spec?: ResourceSliceSpec;
};
/** resource.k8s.io/v1 ResourceSliceList */
export type ResourceSliceList = {
  kind?: string;
  apiVersion?: string;
  metadata?: meta_v1_ListMeta;
  items?: ResourceSlice[];
};
export type ResourceSliceSpec = {
  driver?: string;
  pool?: ResourcePool;
  nodeName?: string;
  nodeSelector?: core_v1_NodeSelector;
  allNodes?: boolean;
  devices?: Device[];
  perDeviceNodeSelection?: boolean;
  sharedCounters?: CounterSet[];
};
