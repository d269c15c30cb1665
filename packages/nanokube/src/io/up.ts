/**
 * Brings a cluster up: certificates, control plane, nodes; each as soon as what it needs is there.
 *
 * What only its later steps need is loaded when the control plane is on its way.
 */
import type { Client } from "@nanokube/client";
import { type ClusterState, serverURL } from "../core/cluster-state.ts";
import { type Network, planNetwork, planNode } from "../core/topology.ts";
import { adminConfig, clusterPKI, writeKubeconfigs } from "./cluster-pki.ts";
import { controlPlaneArgv, startEtcdMembers, startReplacement } from "./components.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { requireFreePort } from "./machine.ts";
import { ensureBridge } from "./node-namespace.ts";
import { decideState, type UpOptions } from "./wanted-state.ts";

export interface RunningCluster {
  state: ClusterState;
  network: Network;
  client: Client;
}

/** Loading its code takes longest, so it is started before what it needs is made beside it. */
async function startControlPlane(dir: DataDir, state: ClusterState): Promise<void> {
  const running = await dir.daemons.find("control-plane");
  const isThere = running !== undefined && isRunning(running);
  const started = isThere
    ? undefined
    : await dir.daemons.spawnWaiting({
        name: "control-plane",
        argv: controlPlaneArgv(dir),
        logFile: dir.log("control-plane"),
      });
  const { mode, slot, apiHost, apiPort } = state;
  await Promise.all([
    mode === "containerd" ? ensureBridge(planNetwork(slot), dir.path) : undefined,
    clusterPKI(dir, state),
  ]);
  if (started !== undefined) await requireFreePort(apiHost, apiPort);
  await startEtcdMembers(dir, state);
  started?.go();
}

export async function up(options: UpOptions): Promise<RunningCluster> {
  const { dir, progress, signal } = options;
  const startMs = performance.now();
  const sinceMs = Date.now();
  const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
  await dir.make();
  const state = await decideState(options);
  const network = planNetwork(state.slot);
  await dir.writeState(state);
  await startControlPlane(dir, state);
  await writeKubeconfigs(dir, state);
  const [{ clientOf, waitNodesReady, waitReady }, { startNodes }] = await Promise.all([
    import("./cluster-client.ts"),
    import("./start-node.ts"),
  ]);
  const client = clientOf(await adminConfig(dir, state));
  const apiReady = waitReady(dir, client, 60_000, signal);
  const booting = startNodes(options, state, apiReady);
  booting.catch(() => {}); // Reported below, after the API server's own trouble, if any.
  try {
    await apiReady;
    progress(`control plane ready at ${serverURL(state)} (${seconds()})`);
    await startReplacement(dir, state, "controller-manager");
    await startReplacement(dir, state, "scheduler");
    const outcomes = await booting;
    if (state.components.kubelet !== "none") {
      const names = state.nodes.map((index) => planNode(network, index).name);
      // A node whose agent ran all along need not say again that it is Ready.
      const since = names.map(
        (name, i) => [name, outcomes[i] === "started" ? sinceMs : 0] as const,
      );
      await waitNodesReady(client, new Map(since), 120_000, signal);
      const what = names.length === 1 ? "node" : "nodes";
      progress(`${what} ${names.join(", ")} Ready (${seconds()})`);
    }
    return { state, network, client };
  } finally {
    // Whoever takes down what was begun must not meet nodes that still come up.
    await booting.catch(() => {});
  }
}
