/**
 * What upstream's kubelet and kube-proxy are told on a node of ours, when they are in ours' place.
 *
 * Shapes  a KubeletConfiguration and a KubeProxyConfiguration, as JSON (which is YAML too)
 * Source  kubelet.config.k8s.io/v1beta1, kubeproxy.config.k8s.io/v1alpha1;
 *         pkg/kubelet/cm setupKernelTunables
 */
import type { KubeletConfiguration } from "@nanokube/kubelet/configuration";
import type { Network, NodePlan } from "./topology.ts";

export interface ReplacedNode {
  network: Network;
  plan: NodePlan;
  cgroupRoot: string;
  runtimeSocket: string;
  files: { clientCA: string; servingCert: string; servingKey: string; proxyKubeconfig: string };
  /** What the user wants of all kubelets. */
  wanted: KubeletConfiguration;
}

export function kubeletConfiguration(node: ReplacedNode): object {
  const { network, files } = node;
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: files.clientCA },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: files.servingCert,
    tlsPrivateKeyFile: files.servingKey,
    cgroupDriver: "cgroupfs",
    cgroupRoot: node.cgroupRoot,
    // 1.35 and later start on a machine of cgroup v1 only when they are told to.
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [network.clusterDNS],
    clusterDomain: network.clusterDomain,
    containerRuntimeEndpoint: `unix://${node.runtimeSocket}`,
    ...node.wanted,
  };
}

export function kubeProxyConfiguration({ network, plan, files }: ReplacedNode): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: files.proxyKubeconfig },
    mode: "iptables",
    clusterCIDR: network.podCIDR,
    hostnameOverride: plan.name,
    // Connection tracking is sized for the machine, and not ours to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

/**
 * Settings of the whole machine that upstream's kubelet insists on and would write. The node shows
 * it files that say so already: it writes only what is another.
 */
export const kernelTunables: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};
