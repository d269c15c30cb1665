/**
 * Programs that take the place of a node's kubelet and kube-proxy: upstream's, or of their flags.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterState } from "../core/cluster-state.ts";
import {
  kernelTunables,
  kubeletConfiguration,
  kubeProxyConfiguration,
  type ReplacedNode,
} from "../core/replaced-node.ts";
import type { Network, NodePlan } from "../core/topology.ts";
import { fileName } from "./cluster-pki.ts";
import { run } from "./command.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { cgroupName, type NodeNamespace, spawnOnNode } from "./node-namespace.ts";
import { runtimeSocket } from "./runtime.ts";
import { writeWhole } from "./write-whole.ts";

export interface ReplacementOptions {
  dir: DataDir;
  state: ClusterState;
  network: Network;
  plan: NodePlan;
  node: NodeNamespace;
}

function replacedNode({ dir, state, network, plan }: ReplacementOptions): ReplacedNode {
  const pki = (file: string) => join(dir.pki.directory, file);
  return {
    network,
    plan,
    cgroupRoot: `/${cgroupName(network, plan)}`,
    runtimeSocket,
    files: {
      clientCA: pki("ca.crt"),
      servingCert: pki(`${plan.name}-serving.crt`),
      servingKey: pki(`${plan.name}-serving.key`),
      proxyKubeconfig: dir.componentKubeconfig(fileName("system:kube-proxy")),
    },
    wanted: state.kubelet ?? {},
  };
}

/** Within the node's own mounts; they go when the node ends. */
async function showTunables({ node }: ReplacementOptions): Promise<void> {
  const directory = join(node.directory, "kernel-tunables");
  await mkdir(directory, { recursive: true });
  const mounts: string[] = [];
  for (const [path, value] of Object.entries(kernelTunables)) {
    const file = join(directory, path.replaceAll("/", "."));
    await writeFile(file, `${value}\n`);
    mounts.push(`mount --bind '${file}' /proc/sys/${path}`);
  }
  await run(node.enter(["sh", "-ec", mounts.join("\n")]));
}

async function startOn(
  { dir, plan, node }: ReplacementOptions,
  name: "kubelet" | "kube-proxy",
  argv: readonly string[],
  configuration: object,
): Promise<"started" | "running"> {
  const daemon = `${plan.name}-${name}`;
  const running = await dir.daemons.find(daemon);
  if (running !== undefined && isRunning(running)) return "running";
  const file = join(node.directory, `${name}.json`);
  await writeWhole(file, JSON.stringify(configuration, undefined, 2));
  const logFile = dir.log(daemon);
  await spawnOnNode(node, dir.daemons, { name, argv: [...argv, `--config=${file}`], logFile });
  return "started";
}

/** What stands in for the node's kubelet; nothing when ours runs or none is wanted. */
export async function startReplacedKubelet(
  options: ReplacementOptions,
): Promise<"started" | "running" | undefined> {
  const { dir, state, plan } = options;
  const choice = state.components.kubelet;
  if (typeof choice === "string") return undefined;
  const flags = [
    `--kubeconfig=${dir.componentKubeconfig(plan.name)}`,
    `--hostname-override=${plan.name}`,
    `--node-ip=${plan.address}`,
  ];
  const record = await dir.daemons.find(`${plan.name}-kubelet`);
  if (record === undefined || !isRunning(record)) await showTunables(options);
  const configuration = kubeletConfiguration(replacedNode(options));
  return startOn(options, "kubelet", [choice.path, ...flags], configuration);
}

/** Likewise for its kube-proxy. */
export async function startReplacedKubeProxy(options: ReplacementOptions): Promise<void> {
  const choice = options.state.components["kube-proxy"];
  if (typeof choice === "string") return;
  const configuration = kubeProxyConfiguration(replacedNode(options));
  await startOn(options, "kube-proxy", [choice.path], configuration);
}
