/**
 * Preemption: which pods of lower priority would have to go, and where it hurts least.
 *
 * On each node that a removal could help, all lower pods are taken off; if the pod then fits, they
 * are put back one by one, those under a disruption budget first, then by priority, and the ones
 * that no longer fit beside the pod are the victims.
 *
 * Source  pkg/scheduler/framework/plugins/defaultpreemption, framework/preemption
 */
import type { Pod } from "@nanokube/api/core/v1";
import { labelSelectorToSelector } from "@nanokube/machinery";
import { type Diagnosis, describe } from "./diagnosis.ts";
import type { Cycle, Plugin } from "./framework.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import type { Status } from "./status.ts";

export interface Preemption {
  node: string;
  victims: readonly Pod[];
}

interface Candidate extends Preemption {
  budgetViolations: number;
}

const priorityOf = (pod: Pod) => pod.spec?.priority ?? 0;
const startOf = (pod: Pod) =>
  Date.parse(pod.status?.startTime ?? pod.metadata?.creationTimestamp ?? "");

/** More important first: higher priority, then the one that has run longer. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return priorityOf(b.pod) - priorityOf(a.pod) || startOf(a.pod) - startOf(b.pod) || 0;
}

function splitByBudget(cycle: Cycle, pods: readonly PodInfo[]): [PodInfo[], PodInfo[]] {
  const allowed = new Map<unknown, number>();
  const violating: PodInfo[] = [];
  const free: PodInfo[] = [];
  for (const info of pods) {
    let violates = false;
    for (const budget of cycle.snapshot.disruptionBudgets(info.pod.metadata?.namespace ?? "")) {
      if (!labelSelectorToSelector(budget.selector).matches(info.pod.metadata?.labels)) continue;
      const left = (allowed.get(budget) ?? budget.disruptionsAllowed) - 1;
      allowed.set(budget, left);
      if (left < 0) violates = true;
    }
    (violates ? violating : free).push(info);
  }
  return [violating, free];
}

type Fits = (cycle: Cycle, node: NodeInfo) => Status | undefined;

function fitsWith(plugins: readonly Plugin[]): Fits {
  return (cycle, node) => {
    for (const plugin of plugins) {
      const status = plugin.filter?.(cycle, node);
      if (status !== undefined) return status;
    }
    return undefined;
  };
}

/** Tries one node on copies; a status when nothing helps there. */
function dryRun(
  cycle: Cycle,
  node: NodeInfo,
  plugins: readonly Plugin[],
  fits: Fits,
): Candidate | Status {
  const copy = node.clone();
  const trial: Cycle = { ...cycle, state: cloneState(cycle.state) };
  const lower = [...copy.pods.values()].filter((i) => priorityOf(i.pod) < priorityOf(cycle.pod));
  if (lower.length === 0) {
    return {
      code: "unschedulableAndUnresolvable",
      reasons: ["No preemption victims found for incoming pod"],
    };
  }
  const remove = (info: PodInfo) => {
    copy.removePod(info.key);
    for (const plugin of plugins) plugin.removePod?.(trial, info, copy);
  };
  for (const info of lower) remove(info);
  const stillRefused = fits(trial, copy);
  if (stillRefused !== undefined) return stillRefused;
  const [violating, free] = splitByBudget(trial, lower.sort(byImportance));
  const victims: PodInfo[] = [];
  let budgetViolations = 0;
  for (const [group, counts] of [
    [violating, true],
    [free, false],
  ] as const) {
    for (const info of group) {
      copy.addPod(info);
      for (const plugin of plugins) plugin.addPod?.(trial, info, copy);
      if (fits(trial, copy) === undefined) continue;
      remove(info);
      victims.push(info);
      if (counts) budgetViolations += 1;
    }
  }
  victims.sort(byImportance);
  return { node: node.name, victims: victims.map((v) => v.pod), budgetViolations };
}

function cloneState(state: Map<string, unknown>): Map<string, unknown> {
  return new Map([...state].map(([key, value]) => [key, structuredCloneMaps(value)]));
}

/** Copies the counts that removePod and addPod change, and shares what they leave alone. */
function structuredCloneMaps(value: unknown): unknown {
  if (value instanceof Map) return new Map(value);
  if (Array.isArray(value) && value.some((v) => v instanceof Map))
    return value.map(structuredCloneMaps);
  if (typeof value !== "object" || value === null || value instanceof Set) return value;
  if (Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, structuredCloneMaps(v)]));
}

/** Fewest budgets broken, then lowest highest victim, then smallest sum, fewest, youngest. */
function pickOne(candidates: readonly Candidate[]): Candidate {
  const measures: ((c: Candidate) => number)[] = [
    (c) => c.budgetViolations,
    (c) => Math.max(...c.victims.map(priorityOf)),
    // Shifted by 2³¹ so that many low priorities weigh more than few, negative ones included.
    (c) => c.victims.reduce((sum, pod) => sum + priorityOf(pod) + 2 ** 31, 0),
    (c) => c.victims.length,
    (c) => {
      const highest = Math.max(...c.victims.map(priorityOf));
      const starts = c.victims.filter((p) => priorityOf(p) === highest).map(startOf);
      return -Math.min(...starts);
    },
  ];
  let left = [...candidates];
  for (const measure of measures) {
    const least = Math.min(...left.map(measure));
    left = left.filter((c) => measure(c) === least || Number.isNaN(least));
    if (left.length === 1) break;
  }
  return left[0]!;
}

function ineligible(cycle: Cycle): string | undefined {
  const { pod, snapshot } = cycle;
  if (pod.spec?.preemptionPolicy === "Never") {
    return "not eligible due to preemptionPolicy=Never.";
  }
  const nominated = snapshot.node(pod.status?.nominatedNodeName ?? "");
  if (nominated === undefined) return undefined;
  for (const info of nominated.pods.values()) {
    const leaving = info.pod.metadata?.deletionTimestamp !== undefined;
    if (leaving && priorityOf(info.pod) < priorityOf(pod)) {
      return "not eligible due to a terminating pod on the nominated node.";
    }
  }
  return undefined;
}

const notHelpful = "Preemption is not helpful for scheduling";

export function preempt(
  cycle: Cycle,
  plugins: readonly Plugin[],
  diagnosis: Diagnosis,
  preFilter: Status | undefined,
): { preemption: Preemption | undefined; message: string } {
  const reason = ineligible(cycle);
  if (reason !== undefined) return { preemption: undefined, message: reason };
  const fits = fitsWith(plugins);
  const statuses = new Map<string, Status>();
  const candidates: Candidate[] = [];
  for (const node of preFilter === undefined ? cycle.snapshot.nodes : []) {
    if (diagnosis.nodes.get(node.name)?.code !== "unschedulable") continue;
    const result = dryRun(cycle, node, plugins, fits);
    if ("code" in result) statuses.set(node.name, result);
    else if (result.victims.length > 0) candidates.push(result);
  }
  if (candidates.length > 0) return { preemption: pickOne(candidates), message: "" };
  const absent: Status = { code: "unschedulableAndUnresolvable", reasons: [notHelpful] };
  const { nodesTotal, plugins: rejectors } = diagnosis;
  const message = describe({ nodesTotal, nodes: statuses, absent, plugins: rejectors });
  return { preemption: undefined, message };
}
