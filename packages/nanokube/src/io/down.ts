/**
 * Takes a cluster down: agents first, then nodes with all they run, the control plane last.
 *
 * The data directory stays, so that the next `up` continues; processes, mounts, interfaces, routes
 * and cgroups go, also those of a cluster whose launcher was killed.
 */
import { rm } from "node:fs/promises";
import type { ClusterState } from "../core/cluster-state.ts";
import { planNetwork, planNode } from "../core/topology.ts";
import { etcdNames } from "./components.ts";
import type { DataDir } from "./data-dir.ts";
import { endNode, removeBridge } from "./node-namespace.ts";

/** Time for a kubelet to write its last status, and for a store to sync. */
const stopTimeoutMs = 5000;

export async function stopNode(dir: DataDir, state: ClusterState, index: number): Promise<void> {
  const network = planNetwork(state.slot);
  const plan = planNode(network, index);
  for (const name of ["agent", "kubelet", "kube-proxy", "containerd"]) {
    await dir.daemons.stop(`${plan.name}-${name}`, stopTimeoutMs);
  }
  if (state.mode === "containerd") await endNode(network, plan, dir.daemons);
}

export async function down(dir: DataDir, options: { purge?: boolean } = {}): Promise<void> {
  const state = await dir.readState();
  if (state === undefined) return;
  await Promise.all(state.nodes.map((index) => stopNode(dir, state, index)));
  for (const name of ["scheduler", "controller-manager", "control-plane"]) {
    await dir.daemons.stop(name, stopTimeoutMs);
  }
  await Promise.all((await etcdNames(dir)).map((name) => dir.daemons.stop(name, stopTimeoutMs)));
  if (state.mode === "containerd") await removeBridge(planNetwork(state.slot), dir.path);
  if (options.purge) await rm(dir.path, { recursive: true, force: true });
}
