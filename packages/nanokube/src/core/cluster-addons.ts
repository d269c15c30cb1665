/**
 * Objects that a cluster of ours starts with: the DNS Service, storage by the hostpath driver, and
 * what their users may do.
 *
 * DNS answers on the machine's side of the bridge, so its Service has no selector and the
 * EndpointSlice names that address.
 */
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
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "nanokube:dns" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "system:kube-dns",
      },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "system:kube-dns" }],
    },
  ];
}

/** Lets each node run the provisioner for its own volumes. */
function storageAccess(): KubeObject[] {
  const name = "nanokube:csi-provisioner";
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [
        {
          apiGroups: [""],
          resources: ["persistentvolumes"],
          verbs: ["get", "list", "watch", "create", "patch", "update", "delete"],
        },
        {
          apiGroups: [""],
          resources: ["persistentvolumeclaims"],
          verbs: ["get", "list", "watch", "patch", "update"],
        },
        {
          apiGroups: ["storage.k8s.io"],
          resources: ["storageclasses", "csinodes", "csidrivers", "volumeattachments"],
          verbs: ["get", "list", "watch"],
        },
        { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
        {
          apiGroups: ["", "events.k8s.io"],
          resources: ["events"],
          verbs: ["create", "patch", "update"],
        },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
    },
  ];
}

export function clusterAddons(mode: "containerd" | "embedded", network: Network): KubeObject[] {
  return [...(mode === "containerd" ? dnsObjects(network) : []), ...storageAccess()];
}
