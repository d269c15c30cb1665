/**
 * The built-in resources, typed: `client.resource(pods).namespace("default").get("web")` is a Pod.
 */
import type * as admissionregistration from "@nanokube/api/admissionregistration/v1";
import type * as apps from "@nanokube/api/apps/v1";
import type * as autoscaling from "@nanokube/api/autoscaling/v2";
import type * as batch from "@nanokube/api/batch/v1";
import type * as certificates from "@nanokube/api/certificates/v1";
import type * as coordination from "@nanokube/api/coordination/v1";
import type * as core from "@nanokube/api/core/v1";
import type * as discovery from "@nanokube/api/discovery/v1";
import type * as networking from "@nanokube/api/networking/v1";
import type * as node from "@nanokube/api/node/v1";
import type * as policy from "@nanokube/api/policy/v1";
import type * as rbac from "@nanokube/api/rbac/v1";
import type * as scheduling from "@nanokube/api/scheduling/v1";
import type * as storage from "@nanokube/api/storage/v1";
import type { ApiObject, ResourceRef } from "./resource-ref.ts";

function namespaced<T extends ApiObject>(apiVersion: string, kind: string, plural: string) {
  return ref<T>(apiVersion, kind, plural, true);
}

function clusterWide<T extends ApiObject>(apiVersion: string, kind: string, plural: string) {
  return ref<T>(apiVersion, kind, plural, false);
}

function ref<T extends ApiObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  isNamespaced: boolean,
): ResourceRef<T> {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { group, version: apiVersion.slice(slash + 1), plural, namespaced: isNamespaced, kind };
}

const rbacV1 = "rbac.authorization.k8s.io/v1";
const admissionV1 = "admissionregistration.k8s.io/v1";

export const pods = namespaced<core.Pod>("v1", "Pod", "pods");
export const services = namespaced<core.Service>("v1", "Service", "services");
export const endpoints = namespaced<core.Endpoints>("v1", "Endpoints", "endpoints");
export const configMaps = namespaced<core.ConfigMap>("v1", "ConfigMap", "configmaps");
export const secrets = namespaced<core.Secret>("v1", "Secret", "secrets");
export const serviceAccounts = namespaced<core.ServiceAccount>(
  "v1",
  "ServiceAccount",
  "serviceaccounts",
);
export const events = namespaced<core.Event>("v1", "Event", "events");
export const limitRanges = namespaced<core.LimitRange>("v1", "LimitRange", "limitranges");
export const resourceQuotas = namespaced<core.ResourceQuota>(
  "v1",
  "ResourceQuota",
  "resourcequotas",
);
export const replicationControllers = namespaced<core.ReplicationController>(
  "v1",
  "ReplicationController",
  "replicationcontrollers",
);
export const persistentVolumeClaims = namespaced<core.PersistentVolumeClaim>(
  "v1",
  "PersistentVolumeClaim",
  "persistentvolumeclaims",
);
export const persistentVolumes = clusterWide<core.PersistentVolume>(
  "v1",
  "PersistentVolume",
  "persistentvolumes",
);
export const namespaces = clusterWide<core.Namespace>("v1", "Namespace", "namespaces");
export const nodes = clusterWide<core.Node>("v1", "Node", "nodes");

export const deployments = namespaced<apps.Deployment>("apps/v1", "Deployment", "deployments");
export const replicaSets = namespaced<apps.ReplicaSet>("apps/v1", "ReplicaSet", "replicasets");
export const statefulSets = namespaced<apps.StatefulSet>("apps/v1", "StatefulSet", "statefulsets");
export const daemonSets = namespaced<apps.DaemonSet>("apps/v1", "DaemonSet", "daemonsets");
export const controllerRevisions = namespaced<apps.ControllerRevision>(
  "apps/v1",
  "ControllerRevision",
  "controllerrevisions",
);
export const jobs = namespaced<batch.Job>("batch/v1", "Job", "jobs");
export const cronJobs = namespaced<batch.CronJob>("batch/v1", "CronJob", "cronjobs");
export const horizontalPodAutoscalers = namespaced<autoscaling.HorizontalPodAutoscaler>(
  "autoscaling/v2",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
export const podDisruptionBudgets = namespaced<policy.PodDisruptionBudget>(
  "policy/v1",
  "PodDisruptionBudget",
  "poddisruptionbudgets",
);

export const endpointSlices = namespaced<discovery.EndpointSlice>(
  "discovery.k8s.io/v1",
  "EndpointSlice",
  "endpointslices",
);
export const ingresses = namespaced<networking.Ingress>(
  "networking.k8s.io/v1",
  "Ingress",
  "ingresses",
);
export const networkPolicies = namespaced<networking.NetworkPolicy>(
  "networking.k8s.io/v1",
  "NetworkPolicy",
  "networkpolicies",
);
export const serviceCIDRs = clusterWide<networking.ServiceCIDR>(
  "networking.k8s.io/v1",
  "ServiceCIDR",
  "servicecidrs",
);
export const ipAddresses = clusterWide<networking.IPAddress>(
  "networking.k8s.io/v1",
  "IPAddress",
  "ipaddresses",
);
export const leases = namespaced<coordination.Lease>("coordination.k8s.io/v1", "Lease", "leases");

export const storageClasses = clusterWide<storage.StorageClass>(
  "storage.k8s.io/v1",
  "StorageClass",
  "storageclasses",
);
export const volumeAttachments = clusterWide<storage.VolumeAttachment>(
  "storage.k8s.io/v1",
  "VolumeAttachment",
  "volumeattachments",
);
export const volumeAttributesClasses = clusterWide<storage.VolumeAttributesClass>(
  "storage.k8s.io/v1",
  "VolumeAttributesClass",
  "volumeattributesclasses",
);
export const csiDrivers = clusterWide<storage.CSIDriver>(
  "storage.k8s.io/v1",
  "CSIDriver",
  "csidrivers",
);
export const csiNodes = clusterWide<storage.CSINode>("storage.k8s.io/v1", "CSINode", "csinodes");
export const csiStorageCapacities = namespaced<storage.CSIStorageCapacity>(
  "storage.k8s.io/v1",
  "CSIStorageCapacity",
  "csistoragecapacities",
);

export const roles = namespaced<rbac.Role>(rbacV1, "Role", "roles");
export const roleBindings = namespaced<rbac.RoleBinding>(rbacV1, "RoleBinding", "rolebindings");
export const validatingAdmissionPolicies =
  clusterWide<admissionregistration.ValidatingAdmissionPolicy>(
    admissionV1,
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
  );
export const clusterRoles = clusterWide<rbac.ClusterRole>(rbacV1, "ClusterRole", "clusterroles");
export const clusterRoleBindings = clusterWide<rbac.ClusterRoleBinding>(
  rbacV1,
  "ClusterRoleBinding",
  "clusterrolebindings",
);

export const certificateSigningRequests = clusterWide<certificates.CertificateSigningRequest>(
  "certificates.k8s.io/v1",
  "CertificateSigningRequest",
  "certificatesigningrequests",
);
export const priorityClasses = clusterWide<scheduling.PriorityClass>(
  "scheduling.k8s.io/v1",
  "PriorityClass",
  "priorityclasses",
);
export const runtimeClasses = clusterWide<node.RuntimeClass>(
  "node.k8s.io/v1",
  "RuntimeClass",
  "runtimeclasses",
);
export const mutatingWebhookConfigurations =
  clusterWide<admissionregistration.MutatingWebhookConfiguration>(
    admissionV1,
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
  );
export const validatingWebhookConfigurations =
  clusterWide<admissionregistration.ValidatingWebhookConfiguration>(
    admissionV1,
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
  );
