/**
 * Topology spread: no domain may run ahead of the emptiest one by more than maxSkew.
 *
 * Hard constraints filter, soft ones score; pods without any are spread softly over hosts and
 * zones, by what owns them.
 *
 * Source  pkg/scheduler/framework/plugins/podtopologyspread
 */
import type { Pod, TopologySpreadConstraint } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import {
  findUntoleratedTaint,
  labelSelectorToSelector,
  matchesRequiredNodeAffinity,
  type Selector,
} from "@nanokube/machinery";
import { type Cycle, type Plugin, scoreMax } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { skip, unresolvable, unschedulable } from "../status.ts";

const name = "PodTopologySpread";
const notMatching = "node(s) didn't match pod topology spread constraints";
const hostnameLabel = "kubernetes.io/hostname";

interface Constraint {
  key: string;
  maxSkew: number;
  minDomains: number;
  selector: { matches(labels: Record<string, string> | undefined): boolean };
  honorAffinity: boolean;
  honorTaints: boolean;
}

interface HardState {
  constraints: Constraint[];
  /** Matching pods by domain, one map a constraint. */
  counts: Map<string, number>[];
}

interface SoftState {
  constraints: Constraint[];
  requireAll: boolean;
  ignored: Set<NodeInfo>;
  counts: Map<string, number>[];
  weights: number[];
}

function selectorWithLabelKeys(constraint: TopologySpreadConstraint, pod: Pod): Selector {
  const expressions = [...(constraint.labelSelector?.matchExpressions ?? [])];
  for (const key of constraint.matchLabelKeys ?? []) {
    const value = pod.metadata?.labels?.[key];
    if (value !== undefined) expressions.push({ key, operator: "In", values: [value] });
  }
  return labelSelectorToSelector({ ...constraint.labelSelector, matchExpressions: expressions });
}

function toConstraint(constraint: TopologySpreadConstraint, pod: Pod): Constraint {
  return {
    key: constraint.topologyKey ?? "",
    maxSkew: constraint.maxSkew ?? 1,
    minDomains: constraint.minDomains ?? 1,
    selector: selectorWithLabelKeys(constraint, pod),
    honorAffinity: (constraint.nodeAffinityPolicy ?? "Honor") === "Honor",
    honorTaints: constraint.nodeTaintsPolicy === "Honor",
  };
}

function defaultConstraints(cycle: Cycle): Constraint[] {
  const selectors = cycle.snapshot.ownerSelectors(cycle.pod);
  if (selectors.length === 0) return [];
  const all = selectors.map((s: LabelSelector) => labelSelectorToSelector(s));
  const selector: Constraint["selector"] = { matches: (l) => all.every((s) => s.matches(l)) };
  const shared = { minDomains: 1, selector, honorAffinity: true, honorTaints: false };
  return [
    { key: hostnameLabel, maxSkew: 3, ...shared },
    { key: "topology.kubernetes.io/zone", maxSkew: 5, ...shared },
  ];
}

function included(constraint: Constraint, pod: Pod, { node }: NodeInfo): boolean {
  if (constraint.honorAffinity && !matchesRequiredNodeAffinity(pod.spec, node)) return false;
  const effects = ["NoSchedule", "NoExecute"];
  return !(
    constraint.honorTaints &&
    findUntoleratedTaint(node.spec?.taints, pod.spec?.tolerations, effects)
  );
}

const labelsOf = ({ node }: NodeInfo) => node.metadata?.labels ?? {};

const hasAllKeys = (node: NodeInfo, constraints: readonly Constraint[]) =>
  constraints.every(({ key }) => key in labelsOf(node));

function countMatching(node: NodeInfo, { selector }: Constraint, namespace: string): number {
  let count = 0;
  for (const { pod } of node.pods.values()) {
    if (pod.metadata?.deletionTimestamp !== undefined) continue;
    if (pod.metadata?.namespace === namespace && selector.matches(pod.metadata.labels)) count += 1;
  }
  return count;
}

function hardState(cycle: Cycle): HardState {
  const { pod, snapshot } = cycle;
  const constraints = (pod.spec?.topologySpreadConstraints ?? [])
    .filter((c) => c.whenUnsatisfiable === "DoNotSchedule")
    .map((c) => toConstraint(c, pod));
  const counts = constraints.map(() => new Map<string, number>());
  if (constraints.length === 0) return { constraints, counts };
  for (const node of snapshot.nodes) {
    if (!hasAllKeys(node, constraints)) continue;
    for (const [i, constraint] of constraints.entries()) {
      if (!included(constraint, pod, node)) continue;
      const domain = labelsOf(node)[constraint.key]!;
      const found = countMatching(node, constraint, pod.metadata?.namespace ?? "");
      counts[i]!.set(domain, (counts[i]!.get(domain) ?? 0) + found);
    }
  }
  return { constraints, counts };
}

function updateHard(cycle: Cycle, { pod }: PodInfo, node: NodeInfo, delta: number): void {
  const state = cycle.state.get(name) as HardState | undefined;
  if (state === undefined || pod.metadata?.namespace !== cycle.pod.metadata?.namespace) return;
  if (!hasAllKeys(node, state.constraints)) return;
  for (const [i, constraint] of state.constraints.entries()) {
    if (!constraint.selector.matches(pod.metadata?.labels)) continue;
    if (!included(constraint, cycle.pod, node)) continue;
    const domain = labelsOf(node)[constraint.key]!;
    state.counts[i]!.set(domain, (state.counts[i]!.get(domain) ?? 0) + delta);
  }
}

function softState(cycle: Cycle, nodes: readonly NodeInfo[]): SoftState {
  const { pod, snapshot } = cycle;
  const own = pod.spec?.topologySpreadConstraints ?? [];
  const requireAll = own.length > 0;
  const constraints = requireAll
    ? own.filter((c) => c.whenUnsatisfiable === "ScheduleAnyway").map((c) => toConstraint(c, pod))
    : defaultConstraints(cycle);
  const ignored = new Set<NodeInfo>();
  const counts = constraints.map(() => new Map<string, number>());
  if (constraints.length === 0) return { constraints, requireAll, ignored, counts, weights: [] };
  for (const node of nodes) {
    if (requireAll && !hasAllKeys(node, constraints)) {
      ignored.add(node);
      continue;
    }
    for (const [i, { key }] of constraints.entries()) {
      if (key !== hostnameLabel) counts[i]!.set(labelsOf(node)[key] ?? "", 0);
    }
  }
  const weights = constraints.map(({ key }, i) =>
    Math.log((key === hostnameLabel ? nodes.length - ignored.size : counts[i]!.size) + 2),
  );
  for (const node of snapshot.nodes) {
    if (requireAll && !hasAllKeys(node, constraints)) continue;
    for (const [i, constraint] of constraints.entries()) {
      const domain = labelsOf(node)[constraint.key] ?? "";
      const count = counts[i]!.get(domain);
      if (count === undefined || !included(constraint, pod, node)) continue;
      const found = countMatching(node, constraint, pod.metadata?.namespace ?? "");
      counts[i]!.set(domain, count + found);
    }
  }
  return { constraints, requireAll, ignored, counts, weights };
}

export const topologySpread: Plugin = {
  name,
  weight: 2,
  preFilter(cycle) {
    const state = hardState(cycle);
    if (state.constraints.length === 0) return { status: skip };
    cycle.state.set(name, state);
    return undefined;
  },
  filter({ pod, state }, node) {
    const { constraints, counts } = state.get(name) as HardState;
    for (const [i, constraint] of constraints.entries()) {
      const domain = labelsOf(node)[constraint.key];
      if (domain === undefined) return unresolvable(`${notMatching} (missing required label)`);
      const domains = counts[i]!;
      const min = domains.size < constraint.minDomains ? 0 : Math.min(...domains.values());
      const self = constraint.selector.matches(pod.metadata?.labels) ? 1 : 0;
      if ((domains.get(domain) ?? 0) + self - min > constraint.maxSkew) {
        return unschedulable(notMatching);
      }
    }
    return undefined;
  },
  removePod: (cycle, pod, node) => updateHard(cycle, pod, node, -1),
  addPod: (cycle, pod, node) => updateHard(cycle, pod, node, 1),
  preScore(cycle, nodes) {
    const state = softState(cycle, nodes);
    if (state.constraints.length === 0) return skip;
    cycle.state.set(`${name}/soft`, state);
    return undefined;
  },
  score({ pod, state }, node) {
    const soft = state.get(`${name}/soft`) as SoftState;
    if (soft.ignored.has(node)) return 0;
    let score = 0;
    for (const [i, constraint] of soft.constraints.entries()) {
      const domain = labelsOf(node)[constraint.key];
      if (domain === undefined) continue;
      const count =
        constraint.key === hostnameLabel
          ? countMatching(node, constraint, pod.metadata?.namespace ?? "")
          : soft.counts[i]!.get(domain)!;
      score += count * soft.weights[i]! + (constraint.maxSkew - 1);
    }
    return Math.round(score);
  },
  normalize({ state }, nodes, scores) {
    const { ignored } = state.get(`${name}/soft`) as SoftState;
    const scored = scores.filter((_, i) => !ignored.has(nodes[i]!));
    const min = Math.min(...scored);
    const max = Math.max(0, ...scored);
    for (const [i, score] of scores.entries()) {
      if (ignored.has(nodes[i]!)) scores[i] = 0;
      else scores[i] = max === 0 ? scoreMax : Math.trunc((scoreMax * (max + min - score)) / max);
    }
  },
};
