/**
 * Starts the agent of a node: the process that is its kubelet and kube-proxy.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AgentConfig } from "../core/agent-config.ts";
import type { ClusterState } from "../core/cluster-state.ts";
import type { Network, NodePlan } from "../core/topology.ts";
import { fileName } from "./cluster-pki.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { cgroupName, type NodeNamespace, spawnOnNode } from "./node-namespace.ts";
import { ownArgv } from "./program.ts";
import { runtimeSocket } from "./runtime.ts";
import { writeWhole } from "./write-whole.ts";

export interface AgentOptions {
  dir: DataDir;
  state: ClusterState;
  network: Network;
  plan: NodePlan;
  /** Absent when pods are child processes and the node is no namespace. */
  node?: NodeNamespace;
}

const kubeletPort = 10250;

/** Every file is named as the agent sees it; a node's namespace shows the machine's own tree. */
function agentConfig({ dir, state, network, plan, node }: AgentOptions): AgentConfig {
  const directory = dir.node(plan.name);
  const embedded = node === undefined;
  return {
    nodeName: plan.name,
    nodeIP: embedded ? "127.0.0.1" : plan.address,
    mode: state.mode,
    kubeconfig: dir.componentKubeconfig(plan.name),
    proxyKubeconfig: dir.componentKubeconfig(fileName("system:kube-proxy")),
    provisionerKubeconfig: dir.componentKubeconfig(fileName("system:csi-provisioner")),
    rootDir: embedded ? join(directory, "kubelet") : "/var/lib/kubelet",
    podLogsDir: embedded ? join(directory, "log-pods") : "/var/log/pods",
    containerLogsDir: embedded ? join(directory, "log-containers") : "/var/log/containers",
    runtimeSocket: embedded ? join(directory, "cri.sock") : runtimeSocket,
    runtimeDir: join(directory, "cri"),
    cniConfigDir: "/etc/cni/net.d",
    servingCert: join(dir.pki.directory, `${plan.name}-serving.crt`),
    servingKey: join(dir.pki.directory, `${plan.name}-serving.key`),
    clientCA: join(dir.pki.directory, "ca.crt"),
    // Without namespaces all nodes share the loopback address, so each has its own port.
    kubeletPort: embedded ? kubeletPort + plan.index - 1 : kubeletPort,
    clusterDNS: embedded ? [] : [network.clusterDNS],
    clusterDomain: network.clusterDomain,
    podCIDR: network.podCIDR,
    nodeCIDR: network.nodeCIDR,
    serviceCIDR: network.serviceCIDR,
    gateway: network.gateway,
    cgroupRoot: embedded ? "" : `/${cgroupName(network, plan)}`,
    kubelet: state.components.kubelet === "own",
    storage: state.components.kubelet !== "none",
    kubeletConfiguration: state.kubelet ?? {},
    kubeProxy: state.components["kube-proxy"] === "own" && !embedded,
    volumesDir: join(directory, "volumes"),
  };
}

export async function startAgent(options: AgentOptions): Promise<"started" | "running"> {
  const { dir, plan, node } = options;
  const name = `${plan.name}-agent`;
  const running = await dir.daemons.find(name);
  if (running !== undefined && isRunning(running)) return "running";
  const directory = dir.node(plan.name);
  await mkdir(directory, { recursive: true });
  const file = join(directory, "agent.json");
  await writeWhole(file, JSON.stringify(agentConfig(options), undefined, 2));
  const argv = ownArgv("agent", file);
  const logFile = dir.log(name);
  if (node === undefined) await dir.daemons.spawn({ name, argv, logFile });
  else await spawnOnNode(node, dir.daemons, { name: "agent", argv, logFile });
  return "started";
}
