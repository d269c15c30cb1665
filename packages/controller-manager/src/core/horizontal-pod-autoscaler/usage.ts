/**
 * How many replicas the pods' use of a resource asks for.
 *
 * Pods that say nothing, or are not ready yet, must neither drive the number up nor down: they
 * count as using nothing when it would grow, and as using what they asked for when it would shrink.
 *
 * Units   usage and requests in thousandths
 * Source  pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { parseQuantity } from "@nanokube/machinery";
import { podCondition } from "../pod.ts";
import { parseTime } from "../time.ts";

export interface PodUsage {
  timeMs: number;
  windowMs: number;
  value: number;
}

export interface Question {
  pods: readonly Pod[];
  usage: ReadonlyMap<string, PodUsage>;
  resource: string;
  container: string;
  current: number;
  /** Percent of the requests, or a value per pod. */
  target: { utilization: number } | { value: number };
  tolerance: { up: number; down: number };
  nowMs: number;
}

export interface Answer {
  replicas: number;
  utilization?: number;
  average: number;
}

const cpuInitializationMs = 300_000;
const initialReadinessMs = 30_000;

function isUnready(pod: Pod, usage: PodUsage, nowMs: number): boolean {
  const ready = podCondition(pod, "Ready");
  const startMs = parseTime(pod.status?.startTime);
  if (ready === undefined || Number.isNaN(startMs)) return true;
  const changedMs = parseTime(ready.lastTransitionTime);
  if (startMs + cpuInitializationMs > nowMs) {
    return ready.status === "False" || usage.timeMs < changedMs + usage.windowMs;
  }
  return ready.status === "False" && startMs + initialReadinessMs > changedMs;
}

interface Groups {
  ready: number;
  unready: string[];
  missing: string[];
  counted: Map<string, number>;
}

function groupPods({ pods, usage, resource, nowMs }: Question): Groups {
  const groups: Groups = { ready: 0, unready: [], missing: [], counted: new Map() };
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    if (pod.metadata?.deletionTimestamp !== undefined || pod.status?.phase === "Failed") continue;
    const found = usage.get(name);
    if (pod.status?.phase === "Pending") groups.unready.push(name);
    else if (found === undefined) groups.missing.push(name);
    else if (resource === "cpu" && isUnready(pod, found, nowMs)) groups.unready.push(name);
    else {
      groups.ready += 1;
      groups.counted.set(name, found.value);
    }
  }
  return groups;
}

function requestsOf({ pods, container, resource }: Question): Map<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    const whole: Record<string, string> | undefined = pod.spec?.resources?.requests;
    if (container === "" && whole?.[resource] !== undefined) {
      requests.set(name, parseQuantity(whole[resource]).milliValue());
      continue;
    }
    const kept = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
    const all: Container[] = [...(pod.spec?.containers ?? []), ...kept];
    let sum = 0;
    for (const one of all.filter((c) => container === "" || c.name === container)) {
      const request = one.resources?.requests?.[resource];
      if (request === undefined) {
        throw new Error(`missing request for ${resource} in container ${one.name} of Pod ${name}`);
      }
      sum += parseQuantity(request).milliValue();
    }
    requests.set(name, sum);
  }
  return requests;
}

type Ratio = (usage: ReadonlyMap<string, number>) => {
  ratio: number;
  utilization?: number;
  average: number;
};

function ratioOf(question: Question, requests: ReadonlyMap<string, number>): Ratio {
  const { target } = question;
  return (usage) => {
    const total = [...usage.values()].reduce((sum, value) => sum + value, 0);
    const average = Math.trunc(total / usage.size);
    if ("value" in target) return { ratio: average / target.value, average };
    const requested = [...usage.keys()].reduce((sum, name) => sum + (requests.get(name) ?? 0), 0);
    if (requested === 0) throw new Error("no metrics returned matched known pods");
    const utilization = Math.trunc((total * 100) / requested);
    return { ratio: utilization / target.utilization, utilization, average };
  };
}

/** Throws in upstream's words when nothing can be said. */
export function replicasWanted(question: Question): Answer {
  const { pods, current, target, tolerance } = question;
  if (pods.length === 0)
    throw new Error("no pods returned by selector while calculating replica count");
  const { ready, unready, missing, counted } = groupPods(question);
  if (counted.size === 0) {
    throw new Error("did not receive metrics for targeted pods (pods might be unready)");
  }
  const requests = "value" in target ? new Map<string, number>() : requestsOf(question);
  const measure = ratioOf(question, requests);
  const { ratio, ...seen } = measure(counted);
  const within = (r: number) => 1 - tolerance.down <= r && r <= 1 + tolerance.up;
  const stay = { replicas: current, ...seen };
  const grows = unready.length > 0 && ratio > 1;
  if (!grows && missing.length === 0) {
    return within(ratio) ? stay : { replicas: Math.ceil(ratio * ready), ...seen };
  }
  for (const name of missing) {
    if (ratio > 1) counted.set(name, 0);
    else if (ratio < 1) {
      const full =
        "value" in target
          ? target.value
          : Math.trunc(((requests.get(name) ?? 0) * Math.max(100, target.utilization)) / 100);
      counted.set(name, full);
    }
  }
  if (grows) for (const name of unready) counted.set(name, 0);
  const again = measure(counted).ratio;
  if (within(again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return stay;
  const replicas = Math.ceil(again * counted.size);
  const turns = (again < 1 && replicas > current) || (again > 1 && replicas < current);
  return turns ? stay : { replicas, ...seen };
}
