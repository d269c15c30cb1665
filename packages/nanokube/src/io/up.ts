/**
 * Brings a cluster up: certificates, control plane, nodes; each as soon as what it needs is there.
 */
import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { NodeCondition } from "@nanokube/api/core/v1";
import {
  type Client,
  createClient,
  createHttpTransport,
  loadKubeconfig,
  nodes,
  type RestConfig,
} from "@nanokube/client";
import { installPlugin } from "@nanokube/cni-bridge";
import {
  type ClusterState,
  type ComponentChoice,
  type ComponentName,
  ownComponents,
  serverURL,
  stateVersion,
} from "../core/cluster-state.ts";
import { parseImageReference } from "../core/image-reference.ts";
import { lastWordsOf } from "../core/last-words.ts";
import { type Network, planNetwork, planNode } from "../core/topology.ts";
import { startAgent } from "./agent-process.ts";
import { adminConfig, clusterPKI, nodePKI, writeKubeconfigs } from "./cluster-pki.ts";
import { controlPlaneArgv, startReplacement } from "./components.ts";
import { isRunning } from "./daemon.ts";
import type { DataDir } from "./data-dir.ts";
import { readKubeletConfig } from "./kubelet-config.ts";
import { freeSlot, mayLowerOOMScore, noContainersReason, requireFreePort } from "./machine.ts";
import { buildBaseImages } from "./machine-images.ts";
import { bootNode, ensureBridge, findNode } from "./node-namespace.ts";
import { findProgram } from "./programs.ts";
import { startRuntime } from "./runtime.ts";

export interface UpOptions {
  dir: DataDir;
  nodes?: number;
  runtime?: "containerd" | "embedded";
  apiPort?: number;
  nodeMonitorGracePeriodMs?: number;
  /** A KubeletConfiguration for all nodes; taken by those whose agent is started from now on. */
  kubeletConfig?: string;
  components: Partial<Record<ComponentName, ComponentChoice>>;
  /** Called with one line for each thing that has come about. */
  progress(line: string): void;
  /** Ends the start between two steps; what was begun is `down`'s to take away. */
  signal?: AbortSignal;
}

export interface RunningCluster {
  state: ClusterState;
  network: Network;
  client: Client;
}

const clientOf = (config: RestConfig): Client =>
  createClient({ transport: createHttpTransport(config), userAgent: "nanokube" });

export async function clusterClient(dir: DataDir): Promise<Client> {
  return clientOf(loadKubeconfig(await readFile(dir.kubeconfig, "utf8")));
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

async function decideState(options: UpOptions): Promise<ClusterState> {
  const settings = await settingsOf(options);
  const kept = await options.dir.readState();
  const count = options.nodes ?? kept?.nodes.length ?? 1;
  const indexes = Array.from({ length: count }, (_, i) => i + 1);
  if (kept !== undefined) {
    await requireSame(kept, options);
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
  const slot = mode === "containerd" ? freeSlot() : 0;
  return {
    version: stateVersion,
    mode,
    slot,
    apiHost: mode === "containerd" ? planNetwork(slot).gateway : "127.0.0.1",
    apiPort: options.apiPort ?? 6443,
    nodes: indexes,
    components: { ...ownComponents(), ...options.components },
    ...settings,
  };
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
  if (started === undefined) return;
  await requireFreePort(apiHost, apiPort);
  await startReplacement(dir, state, "etcd");
  started.go();
}

/** Where nothing can be written there are no words. */
async function isFull(path: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize < leastSpaceBytes;
}

const leastSpaceBytes = 64 * 1024;

async function lastWords(dir: DataDir, name: string): Promise<string> {
  if (await isFull(dir.path)) return `${dir.path}: no space left on device`;
  const log = await readFile(dir.log(name), "utf8").catch(() => "");
  return lastWordsOf(log);
}

/** A process that was started and is gone has said why. */
async function requireRunning(dir: DataDir, name: string, what: string): Promise<void> {
  const record = await dir.daemons.find(name);
  if (record === undefined || isRunning(record)) return;
  throw new Error(`${what} ended: ${await lastWords(dir, name)}`);
}

/** Waits for /readyz; ends early, with its last words, when the control plane has died. */
async function waitReady(
  dir: DataDir,
  client: Client,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await client.requestText({ method: "GET", path: "/readyz" });
      return;
    } catch (error) {
      await requireRunning(dir, "etcd", "etcd");
      await requireRunning(dir, "control-plane", "the control plane");
      if (performance.now() > deadline) {
        throw new Error(`the API server is not ready after ${timeoutMs / 1000} s: ${error}`);
      }
    }
    await delay(20);
    signal?.throwIfAborted();
  }
}

type NodeOutcome = "started" | "running";

/**
 * Everything of one node; its agent, which could only wait for the API server and would take the
 * processor from it, after `apiReady`.
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
  if (state.mode === "embedded") {
    await apiReady;
    return startAgent({ dir, state, network, plan });
  }
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
  await apiReady;
  return startAgent({ dir, state, network, plan, node });
}

/** A Ready from before the agent was started is what the node said before it was stopped. */
function isReadySince(conditions: readonly NodeCondition[] | undefined, sinceMs: number): boolean {
  const ready = conditions?.find((condition) => condition.type === "Ready");
  const heartbeatMs = Date.parse(ready?.lastHeartbeatTime ?? "");
  // Heartbeats are written in whole seconds.
  return ready?.status === "True" && heartbeatMs >= Math.floor(sinceMs / 1000) * 1000;
}

export async function waitNodesReady(
  client: Client,
  names: ReadonlyMap<string, number>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const ready = new Set<string>();
    for (const { metadata, status } of (await client.resource(nodes).list()).items) {
      const name = metadata?.name ?? "";
      if (isReadySince(status?.conditions, names.get(name) ?? 0)) ready.add(name);
    }
    const waiting = [...names.keys()].filter((name) => !ready.has(name));
    if (waiting.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`not Ready after ${timeoutMs / 1000} s: ${waiting.join(", ")}`);
    }
    await delay(50);
    signal?.throwIfAborted();
  }
}

/** Images first, for a node that cannot start its first pod waits longer for the next attempt. */
async function startNodes(
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
