/** Nodes from nothing to their agents: certificates, images, namespaces, runtime. */
import { join } from "node:path";
import { installPlugin } from "@nanokube/cni-bridge";
import type { ClusterState } from "../core/cluster-state.ts";
import { parseImageReference } from "../core/image-reference.ts";
import { planNetwork, planNode } from "../core/topology.ts";
import { startAgent } from "./agent-process.ts";
import { nodePKI } from "./cluster-pki.ts";
import type { DataDir } from "./data-dir.ts";
import { mayLowerOOMScore } from "./machine.ts";
import { buildBaseImages } from "./machine-images.ts";
import { bootNode, findNode } from "./node-namespace.ts";
import { findProgram } from "./programs.ts";
import { startReplacedKubelet, startReplacedKubeProxy } from "./replaced-node.ts";
import { startRuntime } from "./runtime.ts";
import type { UpOptions } from "./wanted-state.ts";

type NodeOutcome = "started" | "running";

/**
 * Everything of one node. Its processes begin after `apiReady`: before, they would take the
 * processor from the control plane, which they could only wait for.
 */
export async function startNode(
  dir: DataDir,
  state: ClusterState,
  index: number,
  apiReady: Promise<void> = Promise.resolve(),
): Promise<NodeOutcome> {
  const network = planNetwork(state.slot);
  const plan = planNode(network, index);
  const authority = await dir.pki.authority("ca", "nanokube-ca");
  await nodePKI(dir, state, authority, index);
  await apiReady;
  if (state.mode === "embedded") return startAgent({ dir, state, network, plan });
  const { daemons } = dir;
  const directory = dir.node(plan.name);
  const node =
    (await findNode(plan, directory, daemons)) ??
    (await bootNode({ network, plan, directory, daemons }));
  await startRuntime({
    node,
    network,
    daemons,
    containerd: findProgram("containerd")!,
    cniBinDir: join(dir.path, "cni-bin"),
    mayLowerOOMScore: mayLowerOOMScore(),
  });
  const options = { dir, state, network, plan, node };
  const replaced = await startReplacedKubelet(options);
  await startReplacedKubeProxy(options);
  const agent = await startAgent(options);
  return replaced ?? agent;
}

/** Images first, for a node that cannot start its first pod waits longer for the next attempt. */
export async function startNodes(
  options: UpOptions,
  state: ClusterState,
  apiReady: Promise<void>,
): Promise<NodeOutcome[]> {
  const { dir, progress, signal } = options;
  if (state.mode === "containerd") {
    await installPlugin(join(dir.path, "cni-bin"));
    const busybox = findProgram("busybox")!;
    const node = { node: process.execPath, nodeVersion: process.version };
    const built = await buildBaseImages({ store: dir.images, busybox, ...node });
    const names = [...new Set(built.map((name) => parseImageReference(name).repository))].map(
      (name) => name.replace(/^library\//, ""),
    );
    if (names.length > 0) progress(`images made from this machine's files: ${names.join(", ")}`);
  }
  signal?.throwIfAborted();
  return Promise.all(state.nodes.map((index) => startNode(dir, state, index, apiReady)));
}
