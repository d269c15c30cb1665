/**
 * Makes the kubelet's parts and joins them. The only place that knows all of them.
 */
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
import { imageVolumeProblem } from "../core/image-volumes.ts";
import { podUID } from "../core/pod.ts";
import { milliValue, wholeValue } from "../core/resources.ts";
import { runningContainers } from "../core/runtime-status.ts";
import { type Cgroups, createCgroups, noCgroups } from "./cgroups.ts";
import { ContainerKiller } from "./container-killer.ts";
import { ContainerMaker } from "./container-maker.ts";
import {
  createImageClient,
  createRuntimeClient,
  type ImageClient,
  type RuntimeClient,
} from "./cri-runtime.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import { ImageManager } from "./image-manager.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { createHookRunner } from "./lifecycle-hooks.ts";
import { createMounter } from "./mounts.ts";
import { NodeAgent } from "./node-agent.ts";
import { createNodeKeepers, type NodeKeepers } from "./node-keepers.ts";
import { NodeObserver } from "./node-observer.ts";
import { ObjectCache } from "./object-cache.ts";
import { OrphanCollector } from "./orphan-collector.ts";
import { PodResizer } from "./pod-resizer.ts";
import { KubeletPodSteps } from "./pod-steps.ts";
import { PodWorkers } from "./pod-workers.ts";
import { ProbeManager } from "./probe-manager.ts";
import { Prober } from "./prober.ts";
import { ResourceLedger } from "./resource-ledger.ts";
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
  ledger: ResourceLedger;
  keepers: NodeKeepers;
  services: SharedInformer<Service>;
}

/** What static pods do to the kubelet, and what it tells its server. */
export interface KubeletEvents {
  pods(): Pod[];
  others(uid: string): Pod[];
  onPod(pod: Pod): void;
  onGone(pod: Pod): void;
}

/** Who is needed before it is made. */
interface Links {
  kick(uid: string): void;
  kickAll(): void;
  workers(): PodWorkers;
  volumes(): VolumeManager;
  nodeAgent(): NodeAgent;
  /** Pods that hold resources of the node, but for this one. */
  others(uid: string): Pod[];
  keepers(): NodeKeepers;
  port(): number;
}

interface Building {
  options: KubeletOptions;
  signal: AbortSignal;
  runtime: RuntimeClient;
  images: ImageClient;
  facts: Facts;
  links: Links;
}

function downwardContext({ options, facts, links }: Building) {
  return (_pod: Pod, podIPs: readonly string[]): DownwardContext => {
    const { machine } = facts;
    const given: Record<string, string> = links.nodeAgent().node?.status?.allocatable ?? {};
    const storage = given["ephemeral-storage"] ?? String(machine.storageBytes);
    return {
      podIPs,
      hostIPs: [options.nodeIP],
      nodeName: options.nodeName,
      allocatable: {
        cpuMilli: milliValue(given.cpu ?? String(machine.cpus)),
        memoryBytes: wholeValue(given.memory ?? String(machine.memoryBytes)),
        ephemeralStorageBytes: wholeValue(storage),
      },
    };
  };
}

/** Parts that only write to the API server: events, statuses, mirror pods. */
function buildBase({ options, signal, links }: Building, events: KubeletEvents) {
  const { client, clock, random, log, nodeName } = options;
  const base = { client, clock, random, log };
  const recorder = createEventRecorder({
    ...base,
    component: "kubelet",
    host: nodeName,
    signal,
  });
  const services = createInformer<Service>({ ...base, resource: serviceResource });
  const staticPods = new StaticPods({
    ...base,
    nodeName,
    directory: options.podManifestPath,
    nodeUID: () => links.nodeAgent().node?.metadata?.uid,
    onPod: events.onPod,
    onGone: events.onGone,
    onMirror: (pod) => statuses.rewrite(podUID(pod)),
  });
  const mirrorOf = (pod: Pod) => staticPods.mirrorOf(pod);
  const statuses = new StatusManager({ ...base, signal, mirrorOf });
  return { recorder, services, staticPods, statuses };
}

type BaseParts = ReturnType<typeof buildBase>;

/** Volumes, and the objects and drivers they are made of. */
function buildStorage({ options, facts, links }: Building, { recorder }: BaseParts) {
  const { client, clock, log, rootDir, nodeName } = options;
  const base = { client, clock, log };
  const objects = new ObjectCache({
    ...base,
    onChange: (uids) => {
      for (const uid of uids) {
        links.volumes().retryNow(uid);
        links.kick(uid);
      }
    },
  });
  const csi = new CSIVolumes({
    ...base,
    recorder,
    nodeName,
    rootDir,
    node: () => links.nodeAgent().node,
    onChange: links.kickAll,
    onInUse: () => links.nodeAgent().reportSoon(),
  });
  const mounter = createMounter(options.exec);
  const tokens = new TokenManager({ client, clock });
  const { privileged } = facts;
  const more = { rootDir, nodeName, mounter, objects, tokens, privileged, recorder, csi };
  const volumes = new VolumeManager({ ...base, ...more });
  return { objects, csi, mounter, volumes };
}

type StorageParts = ReturnType<typeof buildStorage>;

/** The Node object, and who looks at the machine for it. */
function buildNode(building: Building, cache: RuntimeCache, base: BaseParts, csi: CSIVolumes) {
  const { options, runtime, images, facts, links } = building;
  const { client, clock, log, nodeName } = options;
  const observer = new NodeObserver({
    runtime,
    images,
    clock,
    options,
    machine: () => facts.machine,
    port: links.port,
    lastRelistMs: () => cache.lastRelistMs,
    volumesInUse: () => csi.volumesInUse(),
    pressures: () => links.keepers().eviction?.pressures(),
  });
  const nodeAgent = new NodeAgent({
    client,
    recorder: base.recorder,
    clock,
    log,
    nodeName,
    register: options.registerNode !== false,
    observe: () => observer.observe(),
  });
  return { observer, nodeAgent };
}

/** What carries out a pod's actions. */
async function buildRuntime(
  building: Building,
  cache: RuntimeCache,
  base: BaseParts,
  storage: StorageParts,
) {
  const { options, runtime, facts, links } = building;
  const { client, clock, random, log, rootDir, podLogsDir } = options;
  const { recorder, statuses, services } = base;
  const { objects, mounter } = storage;
  const images = new ImageManager({ images: building.images, objects, recorder, clock });
  const podIP = (pod: Pod) => {
    const uid = podUID(pod);
    return statuses.get(uid)?.podIP ?? cache.get(uid)?.sandboxes[0]?.ips[0] ?? "";
  };
  const hooks = createHookRunner({ runtime, clock, podIP });
  const killer = new ContainerKiller({ runtime, hooks, recorder, clock, log });
  const probes = new ProbeManager({
    prober: new Prober({ runtime, clock }),
    recorder,
    clock,
    random,
    log,
    podWithStatus: (uid) => {
      const pod = links.workers().pod(uid);
      const status = statuses.get(uid);
      return pod === undefined || status === undefined ? undefined : { pod, status };
    },
    onChange: links.kick,
  });
  const { cgroups: wanted } = options;
  const cgroups = wanted === undefined ? noCgroups : await createCgroups(wanted.root, log);
  const maker = new ContainerMaker({
    client,
    objects,
    recorder,
    random,
    mounter,
    cgroups,
    dns: {
      clusterDNS: options.clusterDNS ?? [],
      clusterDomain: options.clusterDomain ?? "cluster.local",
      host: parseResolvConf(facts.resolvConf),
    },
    rootDir,
    podLogsDir,
    privileged: facts.privileged,
    memoryCapacityBytes: facts.machine.memoryBytes,
    oomScoreAdjMin: facts.oomScoreAdjMin,
    services: () => services.indexer.list(),
    downward: downwardContext(building),
  });
  const ledger = new ResourceLedger(rootDir);
  const node = () => links.nodeAgent().node ?? { metadata: { name: options.nodeName } };
  const { others } = links;
  const shared = { runtime, recorder, clock, log };
  const resizer = new PodResizer({ ...shared, cgroups, ledger, node, others });
  const parts = { ...shared, cache, images, maker, killer, hooks, probes, resizer, ledger };
  const manager = new RuntimeManager({ ...parts, podLogsDir, hostIPs: [options.nodeIP] });
  return { images, killer, probes, cgroups, maker, manager, ledger, resizer };
}

type RuntimeParts = Awaited<ReturnType<typeof buildRuntime>>;

/** The workers, and what is done when one is through. */
function buildWorkers(
  building: Building,
  cache: RuntimeCache,
  observer: NodeObserver,
  parts: BaseParts & StorageParts & RuntimeParts,
): PodWorkers {
  const { options, runtime, facts } = building;
  const { clock, log, rootDir, podLogsDir, nodeIP } = options;
  const steps = new KubeletPodSteps({
    ...parts,
    cache,
    runtime: parts.manager,
    runtimeName: facts.runtimeName,
    clock,
    log,
    rootDir,
    podLogsDir,
    hostIPs: [nodeIP],
    imageVolumes: imageVolumeProblem(facts.machine.system.containerRuntimeVersion ?? ""),
    networkReady: () => observer.networkProblem,
    downward: downwardContext(building),
  });
  const forget = async (pod: Pod) => {
    await steps.forget(pod);
    for (const uid of parts.ledger.pending()) building.links.kick(uid);
    await collector.forgetPod(podUID(pod)).catch((error) => {
      log.debug({ err: String(error) }, "pod is collected later");
    });
  };
  const workers = new PodWorkers({
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
    ...parts,
    runtime,
    cache,
    workers,
    log,
    rootDir,
    podLogsDir,
  });
  return workers;
}

export async function buildParts(
  options: KubeletOptions,
  signal: AbortSignal,
  events: KubeletEvents,
): Promise<KubeletParts> {
  const runtime = createRuntimeClient(options.cri);
  const images = createImageClient(options.cri);
  const facts = await gatherFacts(options, runtime, signal);
  const links: Links = {
    kick: (uid) => workers.kick(uid),
    kickAll: () => {
      for (const uid of workers.uids()) workers.kick(uid);
    },
    workers: () => workers,
    volumes: () => storage.volumes,
    nodeAgent: () => nodeAgent,
    others: events.others,
    keepers: () => keepers,
    port: () => server.port,
  };
  const { clock, log } = options;
  const building: Building = { options, signal, runtime, images, facts, links };
  const cache = new RuntimeCache({ runtime, clock, log, onChange: links.kick });
  const base = buildBase(building, events);
  const storage = buildStorage(building, base);
  const { observer, nodeAgent } = buildNode(building, cache, base, storage.csi);
  const keepers = createNodeKeepers({
    options,
    runtime,
    images,
    recorder: base.recorder,
    node: () => nodeAgent.reference,
    workers: links.workers,
    active: () => events.others(""),
    onPressure: () => nodeAgent.reportSoon(),
  });
  const carriers = await buildRuntime(building, cache, base, storage);
  const parts = { ...base, ...storage, ...carriers };
  const workers = buildWorkers(building, cache, observer, parts);
  const server = createKubeletServer({
    options,
    runtime,
    cache,
    workers,
    statuses: base.statuses,
    pods: events.pods,
  });
  return { ...parts, runtime, cache, workers, nodeAgent, server, keepers };
}
