/**
 * What a start is asked for, and what the cluster is to be: as it was, with what may change.
 *
 * Errors  what a kept cluster cannot become, by the flag that asks for it
 */
import {
  type ClusterState,
  type ComponentChoice,
  type ComponentName,
  ownComponents,
  stateVersion,
} from "../core/cluster-state.ts";
import { nodesMax, planNetwork } from "../core/topology.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { readKubeletConfig } from "./kubelet-config.ts";
import { freeSlot, noContainersReason } from "./machine.ts";

export interface UpOptions {
  dir: DataDir;
  nodes?: number;
  runtime?: "containerd" | "embedded";
  apiPort?: number;
  etcdMembers?: number;
  nodeMonitorGracePeriodMs?: number;
  /** A KubeletConfiguration for all nodes; taken by those whose agent is started from now on. */
  kubeletConfig?: string;
  components: Partial<Record<ComponentName, ComponentChoice>>;
  /** Called with one line for each thing that has come about. */
  progress(line: string): void;
  /** Ends the start between two steps; what was begun is `down`'s to take away. */
  signal?: AbortSignal;
}

/** What a cluster was made with and cannot change; asked for something else, it refuses. */
async function requireSame(kept: ClusterState, options: UpOptions): Promise<void> {
  const { runtime, nodes: count, apiPort, dir } = options;
  const was = (flag: string, value: unknown, made: unknown) =>
    new Error(`--${flag} ${value}: the cluster in ${dir.path} has ${made}; "down --purge" ends it`);
  if (runtime !== undefined && runtime !== kept.mode) throw was("runtime", runtime, kept.mode);
  if (count !== undefined && count < kept.nodes.length) {
    throw was("nodes", count, kept.nodes.length);
  }
  const { etcdMembers } = options;
  if (etcdMembers !== undefined && etcdMembers !== kept.etcdMembers) {
    throw was("etcd-members", etcdMembers, kept.etcdMembers ?? "its store in the control plane");
  }
  if (apiPort === undefined || apiPort === kept.apiPort) return;
  const running = await dir.daemons.find("control-plane");
  if (running === undefined || !isRunning(running)) return;
  throw new Error(`--api-port ${apiPort}: the cluster runs, and listens on ${kept.apiPort}`);
}

/** What may be another at each start. */
async function settingsOf(options: UpOptions): Promise<Partial<ClusterState>> {
  const { nodeMonitorGracePeriodMs, kubeletConfig } = options;
  return {
    ...(nodeMonitorGracePeriodMs === undefined ? {} : { nodeMonitorGracePeriodMs }),
    ...(kubeletConfig === undefined ? {} : { kubelet: await readKubeletConfig(kubeletConfig) }),
  };
}

/** Programs that know no runtime but one with containers. */
function requireContainersFor({ components }: UpOptions, mode: ClusterState["mode"]): void {
  if (mode === "containerd") return;
  const replaced = (["kubelet", "kube-proxy"] as const).find(
    (name) => typeof components[name] === "object",
  );
  if (replaced === undefined) return;
  const { path } = components[replaced] as { path: string };
  throw new Error(`--${replaced} ${path}: it needs containers, and pods are child processes here`);
}

export async function decideState(options: UpOptions): Promise<ClusterState> {
  if ((options.nodes ?? 1) > nodesMax) {
    throw new Error(`--nodes ${options.nodes}: a cluster has at most ${nodesMax}`);
  }
  const settings = await settingsOf(options);
  const kept = await options.dir.readState();
  const count = options.nodes ?? kept?.nodes.length ?? 1;
  const indexes = Array.from({ length: count }, (_, i) => i + 1);
  if (kept !== undefined) {
    await requireSame(kept, options);
    requireContainersFor(options, kept.mode);
    const grown = [...new Set([...kept.nodes, ...indexes])];
    const { apiPort = kept.apiPort } = options;
    const components = { ...kept.components, ...options.components };
    return { ...kept, ...settings, apiPort, nodes: grown, components };
  }
  const reason = noContainersReason();
  const mode = options.runtime ?? (reason === undefined ? "containerd" : "embedded");
  if (mode === "containerd" && reason !== undefined) {
    throw new Error(`--runtime containerd is not possible here: ${reason}`);
  }
  if (mode === "embedded" && reason !== undefined) {
    options.progress(`pods run as child processes (cri-embedded), for: ${reason}`);
  }
  requireContainersFor(options, mode);
  const slot = mode === "containerd" ? freeSlot() : 0;
  return {
    version: stateVersion,
    mode,
    slot,
    apiHost: mode === "containerd" ? planNetwork(slot).gateway : "127.0.0.1",
    apiPort: options.apiPort ?? 6443,
    nodes: indexes,
    components: { ...ownComponents(), ...options.components },
    ...(options.etcdMembers === undefined ? {} : { etcdMembers: options.etcdMembers }),
    ...settings,
  };
}
