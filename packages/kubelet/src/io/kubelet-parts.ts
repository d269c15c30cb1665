/**
 * Makes the kubelet's parts and joins them. The only place that knows all of them.
 */
import { readFile } from "node:fs/promises";
import type { Pod, Service } from "@nanokube/api/core/v1";
import {
  createEventRecorder,
  createInformer,
  type EventRecorder,
  type SharedInformer,
  services as serviceResource,
} from "@nanokube/client";
import { parseResolvConf } from "../core/dns-config.ts";
import type { DownwardContext } from "../core/downward-api.ts";
import type { MachineFacts } from "../core/node-status.ts";
import { podUID } from "../core/pod.ts";
import { milliValue, wholeValue } from "../core/resources.ts";
import { runningContainers } from "../core/runtime-status.ts";
import { type Cgroups, createCgroups, noCgroups } from "./cgroups.ts";
import { ContainerKiller } from "./container-killer.ts";
import { ContainerMaker } from "./container-maker.ts";
import { createImageClient, createRuntimeClient, type RuntimeClient } from "./cri-runtime.ts";
import { ImageManager } from "./image-manager.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { createHookRunner, type HookRunner } from "./lifecycle-hooks.ts";
import { oomScoreAdjMin, readMachineFacts } from "./machine-facts.ts";
import { createMounter, type Mounter } from "./mounts.ts";
import { NodeAgent } from "./node-agent.ts";
import { NodeObserver } from "./node-observer.ts";
import { ObjectCache } from "./object-cache.ts";
import { OrphanCollector } from "./orphan-collector.ts";
import { KubeletPodSteps } from "./pod-steps.ts";
import { PodWorkers } from "./pod-workers.ts";
import { ProbeManager } from "./probe-manager.ts";
import { Prober } from "./prober.ts";
import { RuntimeCache } from "./runtime-cache.ts";
import { RuntimeManager } from "./runtime-manager.ts";
import { createKubeletServer, type KubeletServer } from "./server/server.ts";
import { StaticPods } from "./static-pods.ts";
import { StatusManager } from "./status-manager.ts";
import { TokenManager } from "./token-manager.ts";
import { VolumeManager } from "./volume-manager.ts";
import { CSIVolumes } from "./volumes/csi-volumes.ts";

export interface KubeletParts {
  runtime: RuntimeClient;
  cache: RuntimeCache;
  workers: PodWorkers;
  statuses: StatusManager;
  probes: ProbeManager;
  killer: ContainerKiller;
  volumes: VolumeManager;
  objects: ObjectCache;
  cgroups: Cgroups;
  recorder: EventRecorder;
  nodeAgent: NodeAgent;
  server: KubeletServer;
  csi: CSIVolumes;
  staticPods: StaticPods;
  services: SharedInformer<Service>;
}

/** What the machine and the runtime say of themselves, asked once. */
interface Facts {
  machine: MachineFacts;
  runtimeName: string;
  resolvConf: string;
  oomScoreAdjMin: number;
  privileged: boolean;
}

async function gatherFacts(options: KubeletOptions, runtime: RuntimeClient): Promise<Facts> {
  const version = await runtime.version({}, { waitForReady: true, timeoutMs: 60_000 });
  const name = version.runtimeName;
  return {
    machine: await readMachineFacts(options.rootDir, `${name}://${version.runtimeVersion}`),
    runtimeName: name,
    resolvConf: options.resolvConf ?? (await readFile("/etc/resolv.conf", "utf8").catch(() => "")),
    oomScoreAdjMin: await oomScoreAdjMin(),
    privileged: options.privileged ?? process.getuid?.() === 0,
  };
}

function downwardContext(options: KubeletOptions, machine: MachineFacts, agent: NodeAgent) {
  return (_pod: Pod, podIPs: readonly string[]): DownwardContext => {
    const allocatable: Record<string, string> = agent.node?.status?.allocatable ?? {};
    return {
      podIPs,
      hostIPs: [options.nodeIP],
      nodeName: options.nodeName,
      allocatable: {
        cpuMilli: milliValue(allocatable.cpu ?? String(machine.cpus)),
        memoryBytes: wholeValue(allocatable.memory ?? String(machine.memoryBytes)),
        ephemeralStorageBytes: wholeValue(
          allocatable["ephemeral-storage"] ?? String(machine.storageBytes),
        ),
      },
    };
  };
}

/** What static pods do to the kubelet, told before there is one. */
export interface PodEvents {
  nodeUID(): string | undefined;
  onPod(pod: Pod): void;
  onGone(pod: Pod): void;
}

/** Parts that only look and write: cache, API objects, events, node. */
function buildBase(options: KubeletOptions, signal: AbortSignal, events: PodEvents) {
  const { client, clock, random, log, nodeName } = options;
  const recorder = createEventRecorder({
    client,
    component: "kubelet",
    host: nodeName,
    clock,
    random,
    log,
    signal,
  });
  const services = createInformer<Service>({
    client,
    resource: serviceResource,
    clock,
    random,
    log,
  });
  const tokens = new TokenManager({ client, clock });
  const staticPods = new StaticPods({
    client,
    clock,
    log,
    nodeName,
    directory: options.podManifestPath,
    nodeUID: events.nodeUID,
    onPod: events.onPod,
    onGone: events.onGone,
    onMirror: (pod) => statuses.rewrite(podUID(pod)),
  });
  const statuses = new StatusManager({
    client,
    clock,
    log,
    signal,
    mirrorOf: (pod) => staticPods.mirrorOf(pod),
  });
  return { recorder, services, tokens, staticPods, statuses };
}

export async function buildParts(
  options: KubeletOptions,
  signal: AbortSignal,
  events: Omit<PodEvents, "nodeUID"> & { pods(): Pod[] },
): Promise<KubeletParts> {
  const { client, clock, random, log, rootDir, podLogsDir, nodeName } = options;
  const runtime = createRuntimeClient(options.cri);
  const imageClient = createImageClient(options.cri);
  const facts = await gatherFacts(options, runtime);
  const { machine, runtimeName, privileged } = facts;
  const nodeUID = () => nodeAgent.node?.metadata?.uid;
  const base = buildBase(options, signal, { ...events, nodeUID });
  const { recorder, statuses, tokens, services, staticPods } = base;
  const mounter: Mounter = createMounter(options.exec);
  const cgroups =
    options.cgroups === undefined ? noCgroups : await createCgroups(options.cgroups.root, log);
  let workers: PodWorkers;
  const kick = (uid: string) => workers.kick(uid);
  const cache = new RuntimeCache({ runtime, clock, log, onChange: kick });
  const objects = new ObjectCache({
    client,
    clock,
    log,
    onChange: (uids) => {
      for (const uid of uids) {
        volumes.retryNow(uid);
        kick(uid);
      }
    },
  });
  const images = new ImageManager({ images: imageClient, objects, recorder, clock });
  const observer = new NodeObserver({
    runtime,
    images: imageClient,
    clock,
    options,
    machine: () => machine,
    port: () => server.port,
    lastRelistMs: () => cache.lastRelistMs,
    volumesInUse: () => csi.volumesInUse(),
  });
  const nodeAgent = new NodeAgent({
    client,
    recorder,
    clock,
    log,
    nodeName,
    register: options.registerNode !== false,
    observe: () => observer.observe(),
  });
  const downward = downwardContext(options, machine, nodeAgent);
  const csi = new CSIVolumes({
    client,
    clock,
    log,
    nodeName,
    rootDir,
    node: () => nodeAgent.node,
    onInUse: () => nodeAgent.reportSoon(),
    onChange: () => {
      for (const uid of workers.uids()) kick(uid);
    },
  });
  const volumes = new VolumeManager({
    client,
    clock,
    log,
    rootDir,
    nodeName,
    mounter,
    objects,
    tokens,
    privileged,
    recorder,
    csi,
  });
  const podIP = (pod: Pod) =>
    statuses.get(podUID(pod))?.podIP ?? cache.get(podUID(pod))?.sandboxes[0]?.ips[0] ?? "";
  const hooks: HookRunner = createHookRunner({ runtime, clock, podIP });
  const killer = new ContainerKiller({ runtime, hooks, recorder, clock, log });
  const probes = new ProbeManager({
    prober: new Prober({ runtime, clock }),
    recorder,
    clock,
    random,
    log,
    podWithStatus: (uid) => {
      const pod = workers.pod(uid);
      const status = statuses.get(uid);
      return pod === undefined || status === undefined ? undefined : { pod, status };
    },
    onChange: kick,
  });
  const dns = {
    clusterDNS: options.clusterDNS ?? [],
    clusterDomain: options.clusterDomain ?? "cluster.local",
    host: parseResolvConf(facts.resolvConf),
  };
  const maker = new ContainerMaker({
    client,
    objects,
    recorder,
    random,
    mounter,
    cgroups,
    dns,
    rootDir,
    podLogsDir,
    privileged,
    memoryCapacityBytes: machine.memoryBytes,
    oomScoreAdjMin: facts.oomScoreAdjMin,
    services: () => services.indexer.list(),
    downward,
  });
  const manager = new RuntimeManager({
    runtime,
    cache,
    images,
    maker,
    killer,
    hooks,
    probes,
    recorder,
    clock,
    log,
    podLogsDir,
  });
  const steps = new KubeletPodSteps({
    cache,
    runtime: manager,
    runtimeName,
    images,
    killer,
    probes,
    statuses,
    volumes,
    objects,
    cgroups,
    recorder,
    clock,
    log,
    rootDir,
    podLogsDir,
    hostIPs: [options.nodeIP],
    networkReady: () => observer.networkProblem,
    downward,
    maker,
  });
  workers = new PodWorkers({
    steps,
    clock,
    log,
    hasRunningContainers: (uid) => {
      const status = cache.get(uid);
      return status !== undefined && runningContainers(status).length > 0;
    },
    onGone: (pod) => void forget(pod),
  });
  const collector = new OrphanCollector({
    runtime,
    cache,
    workers,
    killer,
    volumes,
    cgroups,
    log,
    rootDir,
    podLogsDir,
  });
  const forget = async (pod: Pod) => {
    await steps.forget(pod);
    await collector.forgetPod(podUID(pod)).catch((error) => {
      log.debug({ err: String(error) }, "pod is collected later");
    });
  };
  const server = createKubeletServer({
    options,
    runtime,
    cache,
    workers,
    statuses,
    pods: events.pods,
  });
  return {
    runtime,
    cache,
    workers,
    statuses,
    probes,
    killer,
    volumes,
    objects,
    cgroups,
    recorder,
    nodeAgent,
    server,
    csi,
    staticPods,
    services,
  };
}
