/**
 * What a cluster's data directory remembers from one start to the next.
 *
 * Shapes  <data-dir>/cluster.json; a component is "own", "none" or the path of a program put in
 *         its place
 * Errors  a file of another version, or one that is no JSON, is refused by name
 */
import type { KubeletConfiguration } from "@nanokube/kubelet/configuration";

export const stateVersion = 1;

export const componentNames = [
  "etcd",
  "apiserver",
  "controller-manager",
  "scheduler",
  "kubelet",
  "kube-proxy",
] as const;
export type ComponentName = (typeof componentNames)[number];

export type ComponentChoice = "own" | "none" | { path: string };

export interface ClusterState {
  version: typeof stateVersion;
  /** "containerd" runs real containers in namespaces, "embedded" child processes of this user. */
  mode: "containerd" | "embedded";
  slot: number;
  apiHost: string;
  apiPort: number;
  /** Indexes of the nodes, 1 and up. */
  nodes: number[];
  components: Record<ComponentName, ComponentChoice>;
  /** How many etcds keep the state, processes of their own; ours is in the control plane unless told. */
  etcdMembers?: number;
  /** How long a silent node counts as healthy; upstream's 50 s unless told. */
  nodeMonitorGracePeriodMs?: number;
  /** What a user's KubeletConfiguration says, for all nodes; upstream's defaults unless told. */
  kubelet?: KubeletConfiguration;
}

export const serverURL = (state: ClusterState) => `https://${state.apiHost}:${state.apiPort}`;

export function ownComponents(): ClusterState["components"] {
  return {
    etcd: "own",
    apiserver: "own",
    "controller-manager": "own",
    scheduler: "own",
    kubelet: "own",
    "kube-proxy": "own",
  };
}

export function parseState(text: string, file: string): ClusterState {
  let state: ClusterState;
  try {
    state = JSON.parse(text) as ClusterState;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  if (state.version !== stateVersion) {
    throw new Error(`${file}: version ${state.version} is not ${stateVersion}`);
  }
  return state;
}
