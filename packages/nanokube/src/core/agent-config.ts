/**
 * What a node's agent is told at start; `nodes/<name>/agent.json` of the data directory.
 */
import type { KubeletConfiguration } from "@nanokube/kubelet/configuration";

export interface AgentConfig {
  nodeName: string;
  nodeIP: string;
  mode: "containerd" | "embedded";
  kubeconfig: string;
  proxyKubeconfig: string;
  provisionerKubeconfig: string;
  rootDir: string;
  podLogsDir: string;
  containerLogsDir: string;
  runtimeSocket: string;
  /** State of the embedded runtime. */
  runtimeDir: string;
  cniConfigDir: string;
  servingCert: string;
  servingKey: string;
  clientCA: string;
  kubeletPort: number;
  clusterDNS: readonly string[];
  clusterDomain: string;
  /** Of the whole cluster. */
  podCIDR: string;
  nodeCIDR: string;
  serviceCIDR: string;
  /** The machine's side of the bridge, where the proxy for the way out listens. */
  gateway: string;
  cgroupRoot: string;
  kubelet: boolean;
  /** The CSI driver, whoever the kubelet is. */
  storage: boolean;
  kubeletConfiguration: KubeletConfiguration;
  kubeProxy: boolean;
  /** Where the CSI driver keeps its volumes. */
  volumesDir: string;
}
