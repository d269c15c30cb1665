/**
 * The Node object: who this machine is, what it has, how it is.
 *
 * Pure: facts of the machine and the runtime in, a Node out.
 * Units   memory and storage in Ki as upstream writes them; cpu in whole cpus
 * Source  pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go
 */
import type { Node, NodeCondition, NodeSystemInfo, Taint } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";

export interface MachineFacts {
  cpus: number;
  memoryBytes: number;
  storageBytes: number;
  /** Huge page sizes the kernel has, and bytes of each that are set aside. */
  hugepages: Readonly<Record<string, number>>;
  system: NodeSystemInfo;
}

export interface NodeImage {
  names: string[];
  sizeBytes: number;
}

export interface NodeInput {
  name: string;
  hostname: string;
  ips: readonly string[];
  labels: Readonly<Record<string, string>>;
  taints: readonly Taint[];
  providerID: string | undefined;
  unschedulable: boolean;
  maxPods: number;
  port: number;
  machine: MachineFacts;
  /** Kept away from pods: resource → quantity. */
  reserved: Readonly<Record<string, string>>;
  images: readonly NodeImage[];
  /** Why the node is not ready; empty when it is. */
  problems: readonly string[];
  pressures: { memory: boolean; disk: boolean; pid: boolean };
  handlers: readonly { name: string; recursiveReadOnlyMounts: boolean; userNamespaces: boolean }[];
  supplementalGroupsPolicy: boolean;
  volumes: { inUse: readonly string[] };
  now: string;
}

const IMAGES_MAX = 50;
const NAMES_MAX = 5;
const kibi = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;

/** Memory that starts eviction is not promised to pods. */
const EVICTION_MEMORY_BYTES = 100 * 1024 * 1024;
const EVICTION_STORAGE_SHARE = 0.1;

function capacity(input: NodeInput): Record<string, string> {
  const { machine } = input;
  const pages = Object.entries(machine.hugepages).map(([size, bytes]) => [
    `hugepages-${size}`,
    bytes === 0 ? "0" : kibi(bytes),
  ]);
  return {
    cpu: String(machine.cpus),
    "ephemeral-storage": kibi(machine.storageBytes),
    ...Object.fromEntries(pages),
    memory: kibi(machine.memoryBytes),
    pods: String(input.maxPods),
  };
}

function allocatable(input: NodeInput): Record<string, string> {
  const { machine, reserved } = input;
  const whole = (name: string) =>
    reserved[name] === undefined ? 0 : parseQuantity(reserved[name]).value();
  const milli = reserved.cpu === undefined ? 0 : parseQuantity(reserved.cpu).milliValue();
  const cpuMilli = machine.cpus * 1000 - milli;
  const memory = machine.memoryBytes - EVICTION_MEMORY_BYTES - whole("memory");
  const storage = machine.storageBytes * (1 - EVICTION_STORAGE_SHARE) - whole("ephemeral-storage");
  return {
    ...capacity(input),
    cpu: cpuMilli % 1000 === 0 ? String(cpuMilli / 1000) : `${cpuMilli}m`,
    "ephemeral-storage": String(Math.floor(storage)),
    memory: kibi(memory),
  };
}

type Verdict = [type: string, status: boolean, reason: string, message: string];

function verdicts({ problems, pressures }: NodeInput): Verdict[] {
  const { memory, disk, pid } = pressures;
  const ready = problems.length === 0;
  const trouble = problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`;
  return [
    memory
      ? [
          "MemoryPressure",
          true,
          "KubeletHasInsufficientMemory",
          "kubelet has insufficient memory available",
        ]
      : [
          "MemoryPressure",
          false,
          "KubeletHasSufficientMemory",
          "kubelet has sufficient memory available",
        ],
    disk
      ? ["DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure"]
      : ["DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    pid
      ? ["PIDPressure", true, "KubeletHasInsufficientPID", "kubelet has insufficient PID available"]
      : ["PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ready
      ? ["Ready", true, "KubeletReady", "kubelet is posting ready status"]
      : ["Ready", false, "KubeletNotReady", trouble],
  ];
}

function conditions(input: NodeInput, before: readonly NodeCondition[]): NodeCondition[] {
  const own = verdicts(input).map(([type, truth, reason, message]) => {
    const status = truth ? "True" : "False";
    const old = before.find((condition) => condition.type === type);
    const lastTransitionTime =
      old?.status === status && old.lastTransitionTime !== undefined
        ? old.lastTransitionTime
        : input.now;
    return { type, status, lastHeartbeatTime: input.now, lastTransitionTime, reason, message };
  });
  const mine = new Set(own.map((condition) => condition.type));
  return [...before.filter((condition) => !mine.has(condition.type ?? "")), ...own];
}

/** The part of the Node that the kubelet writes again and again. */
export function nodeStatus(
  input: NodeInput,
  before: Node | undefined,
): NonNullable<Node["status"]> {
  const images = [...input.images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, IMAGES_MAX)
    .map((image) => ({ names: image.names.slice(0, NAMES_MAX), sizeBytes: image.sizeBytes }));
  const addresses = [
    ...input.ips.map((address) => ({ type: "InternalIP", address })),
    { type: "Hostname", address: input.hostname },
  ];
  return {
    capacity: capacity(input),
    allocatable: allocatable(input),
    conditions: conditions(input, before?.status?.conditions ?? []),
    addresses,
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: input.machine.system,
    images,
    ...(input.volumes.inUse.length > 0 ? { volumesInUse: [...input.volumes.inUse] } : {}),
    runtimeHandlers: input.handlers.map((handler) => ({
      name: handler.name,
      features: {
        recursiveReadOnlyMounts: handler.recursiveReadOnlyMounts,
        userNamespaces: handler.userNamespaces,
      },
    })),
    features: { supplementalGroupsPolicy: input.supplementalGroupsPolicy },
  };
}

/** Labels every node has, under both their names. */
export function nodeLabels(input: NodeInput): Record<string, string> {
  const { operatingSystem = "linux", architecture = "amd64" } = input.machine.system;
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": operatingSystem,
    "kubernetes.io/arch": architecture,
    "kubernetes.io/hostname": input.hostname,
    "kubernetes.io/os": operatingSystem,
    ...input.labels,
  };
}

export function nodeObject(input: NodeInput): Node {
  const taints = [...input.taints];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: input.name,
      labels: nodeLabels(input),
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: {
      ...(input.providerID === undefined ? {} : { providerID: input.providerID }),
      ...(taints.length > 0 ? { taints } : {}),
      ...(input.unschedulable ? { unschedulable: true } : {}),
    },
    status: nodeStatus(input, undefined),
  };
}
