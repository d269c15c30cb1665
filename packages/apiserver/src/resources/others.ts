/**
 * The kinds of the groups beside core, apps and batch.
 *
 * Source  pkg/registry
 */
import type { ResourceStrategy } from "../core/strategy.ts";
import { admissionStrategies } from "./admission/registration.ts";
import { apiServiceStrategy } from "./api-service.ts";
import { horizontalPodAutoscalerStrategy } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { certificateSigningRequestStrategy } from "./certificate-signing-request.ts";
import { leaseStrategy, priorityClassStrategy, runtimeClassStrategy } from "./cluster.ts";
import { customResourceDefinitionStrategy } from "./custom-resource-definition.ts";
import { deviceStrategies } from "./device/index.ts";
import { flowSchemaStrategy } from "./flow-control/flow-schema.ts";
import { priorityLevelStrategy } from "./flow-control/priority-level.ts";
import { leaseCandidateStrategy } from "./lease-candidate.ts";
import { endpointSliceStrategy } from "./networking/endpoint-slice.ts";
import { ingressClassStrategy, ingressStrategy } from "./networking/ingress.ts";
import { networkPolicyStrategy } from "./networking/network-policy.ts";
import { ipAddressStrategy, serviceCIDRStrategy } from "./networking/service-cidr.ts";
import { podDisruptionBudgetStrategy } from "./policy/pod-disruption-budget.ts";
import { rbacStrategies } from "./rbac/index.ts";
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy } from "./storage/csi.ts";
import { storageClassStrategy, volumeAttributesClassStrategy } from "./storage/storage-class.ts";
import { volumeAttachmentStrategy } from "./storage/volume-attachment.ts";

export const otherStrategies: readonly [string, ResourceStrategy][] = [
  ...rbacStrategies,
  ...admissionStrategies,
  ...deviceStrategies,
  ["apiregistration.k8s.io/APIService", apiServiceStrategy],
  ["discovery.k8s.io/EndpointSlice", endpointSliceStrategy],
  ["coordination.k8s.io/Lease", leaseStrategy],
  ["coordination.k8s.io/LeaseCandidate", leaseCandidateStrategy],
  ["scheduling.k8s.io/PriorityClass", priorityClassStrategy],
  ["node.k8s.io/RuntimeClass", runtimeClassStrategy],
  ["policy/PodDisruptionBudget", podDisruptionBudgetStrategy],
  ["autoscaling/HorizontalPodAutoscaler", horizontalPodAutoscalerStrategy],
  ["networking.k8s.io/Ingress", ingressStrategy],
  ["networking.k8s.io/IngressClass", ingressClassStrategy],
  ["networking.k8s.io/NetworkPolicy", networkPolicyStrategy],
  ["networking.k8s.io/ServiceCIDR", serviceCIDRStrategy],
  ["networking.k8s.io/IPAddress", ipAddressStrategy],
  ["storage.k8s.io/StorageClass", storageClassStrategy],
  ["storage.k8s.io/VolumeAttributesClass", volumeAttributesClassStrategy],
  ["storage.k8s.io/CSIDriver", csiDriverStrategy],
  ["storage.k8s.io/CSINode", csiNodeStrategy],
  ["storage.k8s.io/CSIStorageCapacity", csiStorageCapacityStrategy],
  ["storage.k8s.io/VolumeAttachment", volumeAttachmentStrategy],
  ["certificates.k8s.io/CertificateSigningRequest", certificateSigningRequestStrategy],
  ["apiextensions.k8s.io/CustomResourceDefinition", customResourceDefinitionStrategy],
  ["flowcontrol.apiserver.k8s.io/FlowSchema", flowSchemaStrategy],
  ["flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration", priorityLevelStrategy],
];
