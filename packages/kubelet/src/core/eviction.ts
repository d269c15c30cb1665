/**
 * When a node runs out of memory or disk: what it says, and which pod has to go first.
 *
 * Shapes  threshold  `memory.available` → "100Mi" or "10%", as in evictionHard
 * Units   bytes; inodes by number
 * Source  pkg/kubelet/eviction/helpers.go, eviction_manager.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { parseQuantity, quantityOf } from "@nanokube/machinery";
import type { Refusal } from "./node-admission.ts";
import { containersOf, initContainersOf } from "./pod.ts";
import { isCriticalPod, qosClass } from "./qos.ts";
import { podRequest } from "./resources.ts";

/** Upstream's order of importance. */
export const SIGNALS = {
  "memory.available": { resource: "memory", condition: "MemoryPressure" },
  "nodefs.available": { resource: "ephemeral-storage", condition: "DiskPressure" },
  "nodefs.inodesFree": { resource: "inodes", condition: "DiskPressure" },
  "imagefs.available": { resource: "ephemeral-storage", condition: "DiskPressure" },
  "imagefs.inodesFree": { resource: "inodes", condition: "DiskPressure" },
  "pid.available": { resource: "pids", condition: "PIDPressure" },
} as const;

export type Signal = keyof typeof SIGNALS;
export type Pressure = (typeof SIGNALS)[Signal]["condition"];
export type Thresholds = Partial<Record<Signal, string>>;

export const DEFAULT_HARD: Thresholds = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
  "nodefs.inodesFree": "5%",
  "imagefs.available": "15%",
  "imagefs.inodesFree": "5%",
};

export interface Observation {
  available: number;
  capacity: number;
}

export type Observations = Partial<Record<Signal, Observation>>;

export interface Met {
  signal: Signal;
  resource: string;
  condition: Pressure;
  /** What should be there, and what is. */
  threshold: number;
  available: number;
}

/** Refuses what names no signal or no amount. */
/** Refuses what upstream's parseThresholdStatement refuses; 0% and 100% say that nobody looks. */
export function checkThresholds(thresholds: Readonly<Record<string, string>>): Thresholds {
  const kept = Object.entries(thresholds).filter(([signal, value]) => {
    if (!(signal in SIGNALS)) throw new Error(`unsupported eviction signal ${signal}`);
    if (value === "0%" || value === "100%") return false;
    if (value.endsWith("%")) checkPercentage(signal, value);
    else if (parseQuantity(value).value() <= 0) {
      throw new Error(`eviction threshold ${signal} must be positive: ${value}`);
    }
    return true;
  });
  return Object.fromEntries(kept);
}

function checkPercentage(signal: string, value: string): void {
  const text = value.slice(0, -1);
  const percent = Number(text);
  if (text === "" || Number.isNaN(percent)) {
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const say = (bound: string) =>
    new Error(`eviction percentage threshold ${signal} must be ${bound}: ${value}`);
  if (percent < 0) throw say(">= 0%");
  if (percent > 100) throw say("<= 100%");
}

const amountOf = (value: string, capacity: number): number =>
  value.endsWith("%")
    ? Math.floor((capacity * Number(value.slice(0, -1))) / 100)
    : parseQuantity(value).value();

/** The thresholds that are not kept, the most important first. */
export function thresholdsMet(thresholds: Thresholds, seen: Observations): Met[] {
  return (Object.keys(SIGNALS) as Signal[]).flatMap((signal) => {
    const value = thresholds[signal];
    const observation = seen[signal];
    if (value === undefined || observation === undefined) return [];
    const threshold = amountOf(value, observation.capacity);
    const { available } = observation;
    return available < threshold ? [{ signal, ...SIGNALS[signal], threshold, available }] : [];
  });
}

export interface ContainerUsage {
  name: string;
  memoryBytes: number;
  storageBytes: number;
}

export type UsageOf = (pod: Pod) => readonly ContainerUsage[] | undefined;

const used = (usage: readonly ContainerUsage[], resource: string): number =>
  usage.reduce((sum, c) => sum + (resource === "memory" ? c.memoryBytes : c.storageBytes), 0);

/** Over its request, low in priority, and large: those go first. */
export function rankForEviction(pods: readonly Pod[], resource: string, usageOf: UsageOf): Pod[] {
  const over = (pod: Pod): number => {
    const usage = usageOf(pod);
    // Nobody knows what it uses: it goes before all others.
    if (usage === undefined) return Number.POSITIVE_INFINITY;
    return used(usage, resource) - podRequest(pod, resource);
  };
  return [...pods].sort((a, b) => {
    const [left, right] = [over(a), over(b)];
    if (left > 0 !== right > 0) return left > 0 ? -1 : 1;
    const priority = (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0);
    if (priority !== 0) return priority;
    return left === right ? 0 : right - left;
  });
}

const binary = (bytes: number): string => quantityOf(bytes, "BinarySI").toString();

/** Why a pod went: the pod's status message and its event. */
export function evictionMessage(pod: Pod, met: Met, usage: readonly ContainerUsage[]): string {
  const { resource, threshold, available } = met;
  let message = `The node was low on resource: ${resource}. `;
  message += `Threshold quantity: ${binary(threshold)}, available: ${binary(available)}. `;
  for (const { name, memoryBytes, storageBytes } of usage) {
    const all = [...containersOf(pod.spec), ...initContainersOf(pod.spec)];
    const container = all.find((c) => c.name === name);
    if (container === undefined || (resource !== "memory" && resource !== "ephemeral-storage")) {
      continue;
    }
    const bytes = resource === "memory" ? memoryBytes : storageBytes;
    const request = parseQuantity(container.resources?.requests?.[resource] ?? "0");
    if (bytes <= request.value()) continue;
    message += `Container ${name} was using ${binary(bytes)}, request is ${request.toString()}, has larger consumption of ${resource}. `;
  }
  return message;
}

/** A node in trouble takes in no more of what would be the first to go. */
export function refuseUnderPressure(pod: Pod, pressures: readonly Pressure[]): Refusal | undefined {
  if (pressures.length === 0 || isCriticalPod(pod)) return undefined;
  if (pressures.length === 1 && pressures[0] === "MemoryPressure") {
    if (qosClass(pod) !== "BestEffort") return undefined;
    const tolerates = (pod.spec?.tolerations ?? []).some(
      ({ key, effect, operator }) =>
        (!key || key === "node.kubernetes.io/memory-pressure") &&
        (!effect || effect === "NoSchedule") &&
        operator === "Exists",
    );
    if (tolerates) return undefined;
  }
  return {
    reason: "Evicted",
    message: `The node had condition: [${pressures.join(" ")}]. `,
  };
}
