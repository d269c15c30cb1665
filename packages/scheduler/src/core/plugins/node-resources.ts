/**
 * Resources: does the pod fit, is the node the emptiest, does it stay in balance?
 *
 * Fit filters and scores by LeastAllocated over cpu and memory; BalancedAllocation scores how much
 * closer together the fractions of cpu and memory come.
 *
 * Source  pkg/scheduler/framework/plugins/noderesources/{fit,least_allocated,
 *         balanced_allocation,resource_allocation}.go
 */
import { type Plugin, scoreMax } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { type Status, skip } from "../status.ts";

interface Shortage {
  reason: string;
  /** Even the empty node is too small. */
  unresolvable: boolean;
}

function shortages({ requests }: PodInfo, node: NodeInfo): Shortage[] {
  const found: Shortage[] = [];
  const { allocatable, requested } = node;
  if (node.pods.size + 1 > node.podsMax) {
    found.push({ reason: "Too many pods", unresolvable: false });
  }
  const check = (name: string, wanted: number, capacity: number, used: number) => {
    if (wanted > 0 && wanted > capacity - used) {
      found.push({ reason: `Insufficient ${name}`, unresolvable: wanted > capacity });
    }
  };
  check("cpu", requests.milliCPU, allocatable.milliCPU, requested.milliCPU);
  check("memory", requests.memory, allocatable.memory, requested.memory);
  const disk = [allocatable.ephemeralStorage, requested.ephemeralStorage] as const;
  check("ephemeral-storage", requests.ephemeralStorage, ...disk);
  for (const [name, wanted] of requests.scalars) {
    check(name, wanted, allocatable.scalars.get(name) ?? 0, requested.scalars.get(name) ?? 0);
  }
  return found;
}

export function fits(info: PodInfo, node: NodeInfo): Status | undefined {
  const found = shortages(info, node);
  if (found.length === 0) return undefined;
  return {
    code: found.some((s) => s.unresolvable) ? "unschedulableAndUnresolvable" : "unschedulable",
    reasons: found.map((s) => s.reason),
  };
}

const leastRequested = (requested: number, capacity: number) =>
  capacity === 0 || requested > capacity
    ? 0
    : Math.trunc(((capacity - requested) * scoreMax) / capacity);

export const nodeResourcesFit: Plugin = {
  name: "NodeResourcesFit",
  weight: 1,
  filter: ({ info }, node) => fits(info, node),
  score({ info }, { allocatable, nonZeroRequested }) {
    let sum = 0;
    let weights = 0;
    for (const resource of ["milliCPU", "memory"] as const) {
      if (allocatable[resource] === 0) continue;
      const requested = nonZeroRequested[resource] + info.nonZeroRequests[resource];
      sum += leastRequested(requested, allocatable[resource]);
      weights += 1;
    }
    return weights === 0 ? 0 : Math.trunc(sum / weights);
  },
};

function balance(cpu: number, memory: number, { allocatable }: NodeInfo): number {
  const fractions: number[] = [];
  if (allocatable.milliCPU > 0) fractions.push(Math.min(1, cpu / allocatable.milliCPU));
  if (allocatable.memory > 0) fractions.push(Math.min(1, memory / allocatable.memory));
  const [a = 0, b = a] = fractions;
  return Math.trunc((1 - Math.abs((a - b) / 2)) * scoreMax);
}

export const balancedAllocation: Plugin = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  preScore: ({ info }) =>
    info.requests.milliCPU === 0 && info.requests.memory === 0 ? skip : undefined,
  score({ info }, node) {
    const { milliCPU, memory } = node.requested;
    const before = balance(milliCPU, memory, node);
    const after = balance(milliCPU + info.requests.milliCPU, memory + info.requests.memory, node);
    return Math.trunc(scoreMax / 2 + Math.trunc((scoreMax / 2 + after - before) / 2));
  },
};
