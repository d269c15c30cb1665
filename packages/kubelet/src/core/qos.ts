/**
 * The quality-of-service class of a pod, and what follows from it for the kernel.
 *
 * Guaranteed  every container limits cpu and memory and requests the same
 * BestEffort  nobody requests or limits anything;  Burstable  the rest
 * Source      pkg/apis/core/v1/helper/qos/qos.go, pkg/kubelet/qos/policy.go
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";

export type QOSClass = "Guaranteed" | "Burstable" | "BestEffort";

const COMPUTE = ["cpu", "memory"] as const;
type ResourceList = Record<string, string> | undefined;

/** Thousandths, so that cpu and memory compare exactly. */
const milli = (list: ResourceList, name: string): number => {
  const text = list?.[name];
  return text === undefined ? 0 : parseQuantity(text).milliValue();
};

function sum(lists: readonly ResourceList[], name: string): number {
  return lists.reduce((total, list) => total + milli(list, name), 0);
}

export function qosClass(pod: Pod): QOSClass {
  const whole = pod.spec?.resources;
  const holders =
    whole !== undefined
      ? [whole]
      : [...containersOf(pod.spec), ...initContainersOf(pod.spec)].map((c) => c.resources ?? {});
  const requests = holders.map((holder) => holder.requests);
  const limits = holders.map((holder) => holder.limits);
  const asked = COMPUTE.filter((name) => sum(requests, name) > 0);
  const limited = COMPUTE.filter((name) => sum(limits, name) > 0);
  if (asked.length === 0 && limited.length === 0) return "BestEffort";
  const allLimited = limits.every((list) => COMPUTE.every((name) => milli(list, name) > 0));
  const same = asked.every((name) => sum(requests, name) === sum(limits, name));
  if (allLimited && same && asked.length === limited.length) return "Guaranteed";
  return "Burstable";
}

const GUARANTEED_OOM_ADJ = -997;
const BEST_EFFORT_OOM_ADJ = 1000;
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;
const NODE_CRITICAL = "system-node-critical";

export const isCriticalPod = (pod: Pod): boolean =>
  (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY ||
  pod.metadata?.annotations?.["kubernetes.io/config.source"] === "file";

/** How readily the kernel kills the container when memory runs out: -997 last, 1000 first. */
export function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if (pod.spec?.priorityClassName === NODE_CRITICAL) return GUARANTEED_OOM_ADJ;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return GUARANTEED_OOM_ADJ;
  if (qos === "BestEffort") return BEST_EFFORT_OOM_ADJ;
  const memory = (c: Container) => milli(c.resources?.requests, "memory") / 1000;
  const score = (bytes: number) => 1000 - Math.floor((1000 * bytes) / memoryCapacityBytes);
  let adj = score(memory(container));
  if (isSidecar(container)) {
    adj = Math.min(adj, score(Math.min(...containersOf(pod.spec).map(memory))));
  }
  if (adj < 1000 + GUARANTEED_OOM_ADJ) return 1000 + GUARANTEED_OOM_ADJ;
  return adj === BEST_EFFORT_OOM_ADJ ? adj - 1 : adj;
}
