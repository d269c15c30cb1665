/**
 * Objects that a cluster of ours starts with: the DNS Service, storage by the hostpath driver, and
 * what their users may do.
 *
 * DNS answers on the machine's side of the bridge, so its Service has no selector and the
 * EndpointSlice names that address.
 */
import type { PolicyRule } from "@nanokube/api/rbac/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { Network } from "./topology.ts";

export const csiDriverName = "hostpath.csi.nanokube.io";

const dnsLabels = { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" };

function dnsObjects(network: Network): KubeObject[] {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ];
  const metadata = { name: "kube-dns", namespace: "kube-system", labels: dnsLabels };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { clusterIP: network.clusterDNS, ports },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: "kube-dns",
        namespace: "kube-system",
        labels: { "kubernetes.io/service-name": "kube-dns" },
      },
      addressType: "IPv4",
      ports,
      endpoints: [{ addresses: [network.gateway], conditions: { ready: true } }],
    },
    ...roleFor("nanokube:dns", { kind: "User", name: "system:kube-dns" }, [
      {
        apiGroups: [""],
        resources: ["services", "namespaces", "pods", "endpoints", "nodes"],
        verbs: ["list", "watch"],
      },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]),
  ];
}

/** A ClusterRole and the binding that gives it to one user or group. */
function roleFor(
  name: string,
  subject: { kind: "User" | "Group"; name: string },
  rules: readonly PolicyRule[],
): KubeObject[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const apiGroup = "rbac.authorization.k8s.io";
  const roleRef = { apiGroup, kind: "ClusterRole", name };
  const subjects = [{ apiGroup, ...subject }];
  return [
    { apiVersion, kind: "ClusterRole", metadata: { name }, rules },
    { apiVersion, kind: "ClusterRoleBinding", metadata: { name }, roleRef, subjects },
  ];
}

/** What the provisioner that runs beside each node's driver may do. */
function storageAccess(): KubeObject[] {
  const read = ["get", "list", "watch"];
  return roleFor("nanokube:csi-provisioner", { kind: "User", name: "system:csi-provisioner" }, [
    {
      apiGroups: [""],
      resources: ["persistentvolumes"],
      verbs: [...read, "create", "patch", "update", "delete"],
    },
    {
      apiGroups: [""],
      resources: ["persistentvolumeclaims"],
      verbs: [...read, "patch", "update"],
    },
    // What it has made larger stands in the claim's status.
    { apiGroups: [""], resources: ["persistentvolumeclaims/status"], verbs: ["patch"] },
    {
      apiGroups: ["storage.k8s.io"],
      resources: ["storageclasses", "csinodes", "csidrivers", "volumeattachments"],
      verbs: read,
    },
    { apiGroups: [""], resources: ["nodes"], verbs: read },
    {
      apiGroups: ["", "events.k8s.io"],
      resources: ["events"],
      verbs: ["create", "patch", "update"],
    },
  ]);
}

/** For kubelets that ask whether the API server may read logs of them, and run commands. */
const kubeletAccess: KubeObject = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "nanokube:kubelet-api" },
  roleRef: {
    apiGroup: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    name: "system:kubelet-api-admin",
  },
  subjects: [
    { apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "kube-apiserver-kubelet-client" },
  ],
};

export function clusterAddons(mode: "containerd" | "embedded", network: Network): KubeObject[] {
  const dns = mode === "containerd" ? dnsObjects(network) : [];
  return [...dns, kubeletAccess, ...storageAccess()];
}
