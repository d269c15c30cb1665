/**
 * One scheduling cycle: a pod and a snapshot in, a decision out.
 *
 * preFilter → filter until enough nodes fit → preScore → score → normalise → the best node, a draw
 * among equals. When none fits, preemption is tried.
 *
 * @hop scheduler.schedule: filters and scores the nodes for the Pod and picks one
 * Source  pkg/scheduler/schedule_one.go schedulePod, findNodesThatFitPod, prioritizeNodes
 */
import type { Pod } from "@nanokube/api/core/v1";
import { type Diagnosis, describe, noNodes } from "./diagnosis.ts";
import type { Cycle, Plugin } from "./framework.ts";
import { type NodeInfo, podInfo } from "./node-info.ts";
import { defaultPlugins } from "./plugins/registry.ts";
import { type VolumePlan, volumePlan } from "./plugins/volume-binding.ts";
import { type Preemption, preempt } from "./preemption.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Status } from "./status.ts";

export interface ScheduleOptions {
  plugins?: readonly Plugin[];
  /** May other pods be evicted? True unless told. */
  preempts?: boolean;
  /** 0 lets the size of the cluster decide. */
  percentageOfNodesToScore?: number;
  /** Where the search starts; the caller passes the last decision's `nextStart` on. */
  start?: number;
  /** Draws among equally good nodes; in [0, 1). */
  random(): number;
}

export interface NodeScore {
  node: string;
  total: number;
  /** Weighted, by plugin. */
  plugins: Readonly<Record<string, number>>;
}

export type Decision =
  | {
      outcome: "scheduled";
      node: string;
      evaluated: number;
      feasible: number;
      scores: readonly NodeScore[];
      volumes: VolumePlan | undefined;
      nextStart: number;
    }
  | {
      outcome: "unschedulable";
      message: string;
      plugins: ReadonlySet<string>;
      statuses: ReadonlyMap<string, Status>;
      preemption: Preemption | undefined;
      nextStart: number;
    };

const feasibleMin = 100;

/** How many fitting nodes are enough: all below 100, then a share that shrinks with the cluster. */
export function feasibleNodesToFind(nodes: number, percentage: number): number {
  if (nodes < feasibleMin || percentage >= 100) return nodes;
  const adaptive = Math.max(5, Math.trunc(50 - nodes / 125));
  const share = percentage > 0 ? percentage : adaptive;
  return Math.max(feasibleMin, Math.trunc((nodes * share) / 100));
}

interface PreFiltered {
  active: Plugin[];
  allowed?: ReadonlySet<string>;
  refusal?: { status: Status; plugin: string };
}

function runPreFilter(cycle: Cycle, plugins: readonly Plugin[]): PreFiltered {
  const active: Plugin[] = [];
  let allowed: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(cycle);
    if (result?.status?.code === "skip") continue;
    if (result?.status !== undefined) {
      return { active, refusal: { status: result.status, plugin: plugin.name } };
    }
    if (result?.nodeNames !== undefined) {
      allowed = allowed === undefined ? result.nodeNames : allowed.intersection(result.nodeNames);
    }
    if (plugin.filter !== undefined) active.push(plugin);
  }
  return allowed === undefined ? { active } : { active, allowed };
}

export function runFilters(
  cycle: Cycle,
  node: NodeInfo,
  plugins: readonly Plugin[],
): { status: Status; plugin: string } | undefined {
  for (const plugin of plugins) {
    const status = plugin.filter?.(cycle, node);
    if (status !== undefined) return { status, plugin: plugin.name };
  }
  return undefined;
}

interface Found {
  feasible: NodeInfo[];
  statuses: Map<string, Status>;
  rejectors: Set<string>;
  evaluated: number;
  nextStart: number;
}

function findFeasible(cycle: Cycle, pre: PreFiltered, options: ScheduleOptions): Found {
  const all = cycle.snapshot.nodes;
  const nodes = pre.allowed === undefined ? all : all.filter((n) => pre.allowed!.has(n.name));
  const wanted = feasibleNodesToFind(nodes.length, options.percentageOfNodesToScore ?? 0);
  const found: Found = {
    feasible: [],
    statuses: new Map(),
    rejectors: new Set(),
    evaluated: 0,
    nextStart: 0,
  };
  const start = nodes.length === 0 ? 0 : (options.start ?? 0) % nodes.length;
  for (let i = 0; i < nodes.length && found.feasible.length < wanted; i += 1) {
    const node = nodes[(start + i) % nodes.length]!;
    found.evaluated += 1;
    const refusal = runFilters(cycle, node, pre.active);
    if (refusal === undefined) {
      found.feasible.push(node);
    } else {
      found.statuses.set(node.name, refusal.status);
      found.rejectors.add(refusal.plugin);
    }
  }
  found.nextStart = nodes.length === 0 ? 0 : (start + found.evaluated) % nodes.length;
  return found;
}

/** Weighted scores of every feasible node, in their order. */
export function scoreNodes(
  cycle: Cycle,
  nodes: readonly NodeInfo[],
  plugins: readonly Plugin[],
): NodeScore[] {
  const columns: { name: string; scores: number[] }[] = [];
  for (const plugin of plugins) {
    if (plugin.score === undefined) continue;
    if (plugin.preScore?.(cycle, nodes)?.code === "skip") continue;
    const scores = nodes.map((node) => plugin.score!(cycle, node));
    plugin.normalize?.(cycle, nodes, scores);
    const weight = plugin.weight ?? 1;
    columns.push({ name: plugin.name, scores: scores.map((score) => score * weight) });
  }
  return nodes.map((node, i) => {
    const byPlugin: Record<string, number> = {};
    let total = 0;
    for (const { name, scores } of columns) {
      byPlugin[name] = scores[i]!;
      total += scores[i]!;
    }
    return { node: node.name, total, plugins: byPlugin };
  });
}

/** The best score; each of k equals wins with probability 1/k. */
function selectHost(scores: readonly NodeScore[], random: () => number): NodeScore {
  let best = scores[0]!;
  let equals = 1;
  for (const score of scores.slice(1)) {
    if (score.total > best.total) {
      best = score;
      equals = 1;
    } else if (score.total === best.total) {
      equals += 1;
      if (random() * equals < 1) best = score;
    }
  }
  return best;
}

/** What upstream's plugin of dynamic resources says of every pod without claims. */
const noClaims = "no new claims to deallocate";

function refuse(
  cycle: Cycle,
  pre: PreFiltered,
  found: Found | undefined,
  preempts: boolean,
): Decision {
  const nodesTotal = cycle.snapshot.nodes.length;
  const preFilter = pre.refusal?.status.reasons.join(", ");
  const plugins = new Set(found?.rejectors ?? []);
  if (pre.refusal !== undefined) plugins.add(pre.refusal.plugin);
  // Nodes ruled out by name before filtering count with the plugin that ruled them out.
  const absent: Status = {
    code: "unschedulableAndUnresolvable",
    reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"],
  };
  if (pre.allowed !== undefined) plugins.add("NodeAffinity");
  const diagnosis: Diagnosis = {
    nodesTotal,
    nodes: found?.statuses ?? new Map(),
    ...(pre.allowed === undefined ? {} : { absent }),
    ...(preFilter === undefined ? {} : { preFilter }),
    plugins,
  };
  const { preemption, message } = preempts
    ? preempt(cycle, pre.active, diagnosis, pre.refusal?.status)
    : { preemption: undefined, message: undefined };
  const tried = message === undefined ? "" : `, preemption: ${message}`;
  return {
    outcome: "unschedulable",
    message: describe(
      preemption === undefined ? { ...diagnosis, postFilter: `${noClaims}${tried}` } : diagnosis,
    ),
    plugins,
    statuses: diagnosis.nodes,
    preemption,
    nextStart: found?.nextStart ?? 0,
  };
}

export function schedule(pod: Pod, snapshot: Snapshot, options: ScheduleOptions): Decision {
  const { plugins = defaultPlugins, preempts = true } = options;
  if (snapshot.nodes.length === 0) {
    return {
      outcome: "unschedulable",
      message: noNodes,
      plugins: new Set(),
      statuses: new Map(),
      preemption: undefined,
      nextStart: 0,
    };
  }
  const cycle: Cycle = { pod, info: podInfo(pod), snapshot, state: new Map() };
  const pre = runPreFilter(cycle, plugins);
  if (pre.refusal !== undefined) return refuse(cycle, pre, undefined, preempts);
  const found = findFeasible(cycle, pre, options);
  if (found.feasible.length === 0) return refuse(cycle, pre, found, preempts);
  const scores =
    found.feasible.length === 1
      ? [{ node: found.feasible[0]!.name, total: 0, plugins: {} }]
      : scoreNodes(cycle, found.feasible, plugins);
  const node = selectHost(scores, options.random).node;
  return {
    outcome: "scheduled",
    node,
    evaluated: found.evaluated,
    feasible: found.feasible.length,
    scores,
    volumes: volumePlan(cycle, node),
    nextStart: found.nextStart,
  };
}
