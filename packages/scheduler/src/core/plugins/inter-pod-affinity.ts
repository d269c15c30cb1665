/**
 * Inter-pod affinity and anti-affinity: near these pods, away from those.
 *
 * A term counts pods by the value its topology key has on their node. Required terms filter (the
 * pod's own, and the anti-affinity of pods that run already); preferred ones, and required affinity
 * of running pods, score.
 *
 * Source  pkg/scheduler/framework/plugins/interpodaffinity
 */
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from "@nanokube/api/core/v1";
import { labelSelectorToSelector, type Selector } from "@nanokube/machinery";
import { type Cycle, type Plugin, scoreMax } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { skip, unresolvable, unschedulable } from "../status.ts";

const name = "InterPodAffinity";

/** One more than any weight a user may give: required affinity of a running pod, when scoring. */
const hardAffinityWeight = 1;

interface Term {
  selector: Selector;
  key: string;
  namespaces: ReadonlySet<string>;
  namespaceSelector: Selector | undefined;
  weight: number;
}

function toTerm(term: PodAffinityTerm, owner: Pod, weight = 0): Term {
  const expressions = [...(term.labelSelector?.matchExpressions ?? [])];
  const labels = owner.metadata?.labels ?? {};
  for (const [keys, operator] of [
    [term.matchLabelKeys, "In"],
    [term.mismatchLabelKeys, "NotIn"],
  ] as const) {
    for (const key of keys ?? []) {
      if (labels[key] !== undefined) expressions.push({ key, operator, values: [labels[key]] });
    }
  }
  const named = term.namespaces ?? [];
  const own = owner.metadata?.namespace ?? "";
  const implied = named.length === 0 && term.namespaceSelector === undefined ? [own] : named;
  return {
    // No selector selects nothing, an empty one everything.
    selector: labelSelectorToSelector(
      term.labelSelector && { ...term.labelSelector, matchExpressions: expressions },
    ),
    key: term.topologyKey ?? "",
    namespaces: new Set(implied),
    namespaceSelector: term.namespaceSelector && labelSelectorToSelector(term.namespaceSelector),
    weight,
  };
}

function matches(term: Term, pod: Pod, { snapshot }: Cycle): boolean {
  const namespace = pod.metadata?.namespace ?? "";
  const inNamespace =
    term.namespaces.has(namespace) ||
    term.namespaceSelector?.matches(snapshot.namespace(namespace)?.metadata?.labels) === true;
  return inNamespace && term.selector.matches(pod.metadata?.labels);
}

const required = (terms: readonly PodAffinityTerm[] | undefined, owner: Pod) =>
  (terms ?? []).map((term) => toTerm(term, owner));

const preferred = (terms: readonly WeightedPodAffinityTerm[] | undefined, owner: Pod) =>
  (terms ?? []).map(({ podAffinityTerm, weight }) =>
    toTerm(podAffinityTerm ?? { topologyKey: "" }, owner, weight),
  );

const requiredAffinity = (pod: Pod) =>
  required(pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod);

const requiredAntiAffinity = (pod: Pod) =>
  required(
    pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    pod,
  );

/** Counts by "key\0value" of a topology. */
type Counts = Map<string, number>;

function count(counts: Counts, key: string, node: NodeInfo, by: number): void {
  const value = node.node.metadata?.labels?.[key];
  if (value === undefined) return;
  const pair = `${key}\0${value}`;
  counts.set(pair, (counts.get(pair) ?? 0) + by);
}

function countAt(counts: Counts, key: string, node: NodeInfo): number {
  const value = node.node.metadata?.labels?.[key];
  return value === undefined ? 0 : (counts.get(`${key}\0${value}`) ?? 0);
}

interface FilterState {
  affinity: Term[];
  antiAffinity: Term[];
  /** Pods that match all the pod's affinity terms, its anti-affinity, and those who mind it. */
  affinityCounts: Counts;
  antiAffinityCounts: Counts;
  existingAntiAffinity: Counts;
}

function update(cycle: Cycle, state: FilterState, info: PodInfo, node: NodeInfo, by: number) {
  const { pod } = info;
  if (info.hasRequiredAntiAffinity) {
    for (const term of requiredAntiAffinity(pod)) {
      if (matches(term, cycle.pod, cycle)) count(state.existingAntiAffinity, term.key, node, by);
    }
  }
  if (state.affinity.length > 0 && state.affinity.every((t) => matches(t, pod, cycle))) {
    for (const term of state.affinity) count(state.affinityCounts, term.key, node, by);
  }
  for (const term of state.antiAffinity) {
    if (matches(term, pod, cycle)) count(state.antiAffinityCounts, term.key, node, by);
  }
}

function filterState(cycle: Cycle): FilterState {
  const state: FilterState = {
    affinity: requiredAffinity(cycle.pod),
    antiAffinity: requiredAntiAffinity(cycle.pod),
    affinityCounts: new Map(),
    antiAffinityCounts: new Map(),
    existingAntiAffinity: new Map(),
  };
  const hasTerms = state.affinity.length + state.antiAffinity.length > 0;
  for (const node of cycle.snapshot.nodes) {
    if (!hasTerms && node.podsWithRequiredAntiAffinity === 0) continue;
    for (const info of node.pods.values()) update(cycle, state, info, node, 1);
  }
  return state;
}

/** The first pod of a group that wants its own kind near may go anywhere. */
function affinityHolds(cycle: Cycle, state: FilterState, node: NodeInfo): boolean {
  const labels = node.node.metadata?.labels ?? {};
  if (state.affinity.some((term) => labels[term.key] === undefined)) return false;
  if (state.affinity.every((term) => countAt(state.affinityCounts, term.key, node) > 0))
    return true;
  const noneAnywhere = [...state.affinityCounts.values()].every((n) => n === 0);
  return noneAnywhere && state.affinity.every((term) => matches(term, cycle.pod, cycle));
}

function addScores(counts: Counts, cycle: Cycle, info: PodInfo, node: NodeInfo): void {
  const incoming = cycle.pod;
  const existing = info.pod;
  const own = incoming.spec?.affinity;
  const theirs = existing.spec?.affinity;
  const add = (terms: Term[], target: Pod, sign: 1 | -1) => {
    for (const term of terms) {
      if (matches(term, target, cycle)) count(counts, term.key, node, sign * term.weight);
    }
  };
  const soft = "preferredDuringSchedulingIgnoredDuringExecution";
  add(preferred(own?.podAffinity?.[soft], incoming), existing, 1);
  add(preferred(own?.podAntiAffinity?.[soft], incoming), existing, -1);
  if (!info.hasAffinity) return;
  const hard = requiredAffinity(existing).map((t) => ({ ...t, weight: hardAffinityWeight }));
  add(hard, incoming, 1);
  add(preferred(theirs?.podAffinity?.[soft], existing), incoming, 1);
  add(preferred(theirs?.podAntiAffinity?.[soft], existing), incoming, -1);
}

export const interPodAffinity: Plugin = {
  name,
  weight: 2,
  preFilter(cycle) {
    const state = filterState(cycle);
    const idle =
      state.affinity.length + state.antiAffinity.length + state.existingAntiAffinity.size === 0;
    if (idle) return { status: skip };
    cycle.state.set(name, state);
    return undefined;
  },
  filter(cycle, node) {
    const state = cycle.state.get(name) as FilterState;
    if (state.affinity.length > 0 && !affinityHolds(cycle, state, node)) {
      return unresolvable("node(s) didn't match pod affinity rules");
    }
    if (state.antiAffinity.some((t) => countAt(state.antiAffinityCounts, t.key, node) > 0)) {
      return unschedulable("node(s) didn't match pod anti-affinity rules");
    }
    for (const [key, value] of Object.entries(node.node.metadata?.labels ?? {})) {
      if ((state.existingAntiAffinity.get(`${key}\0${value}`) ?? 0) > 0) {
        return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
      }
    }
    return undefined;
  },
  removePod(cycle, pod, node) {
    const state = cycle.state.get(name) as FilterState | undefined;
    if (state !== undefined) update(cycle, state, pod, node, -1);
  },
  addPod(cycle, pod, node) {
    const state = cycle.state.get(name) as FilterState | undefined;
    if (state !== undefined) update(cycle, state, pod, node, 1);
  },
  preScore(cycle) {
    const { podAffinity, podAntiAffinity } = cycle.pod.spec?.affinity ?? {};
    const soft = "preferredDuringSchedulingIgnoredDuringExecution";
    const hasOwn = (podAffinity?.[soft]?.length ?? 0) + (podAntiAffinity?.[soft]?.length ?? 0) > 0;
    const counts: Counts = new Map();
    for (const node of cycle.snapshot.nodes) {
      if (!hasOwn && node.podsWithAffinity === 0) continue;
      for (const info of node.pods.values()) addScores(counts, cycle, info, node);
    }
    if (counts.size === 0) return skip;
    cycle.state.set(`${name}/score`, counts);
    return undefined;
  },
  score({ state }, node) {
    const counts = state.get(`${name}/score`) as Counts;
    let score = 0;
    for (const [key, value] of Object.entries(node.node.metadata?.labels ?? {})) {
      score += counts.get(`${key}\0${value}`) ?? 0;
    }
    return score;
  },
  normalize(_cycle, _nodes, scores) {
    const min = Math.min(...scores);
    const range = Math.max(...scores) - min;
    for (const [i, score] of scores.entries()) {
      scores[i] = range === 0 ? 0 : Math.trunc((scoreMax * (score - min)) / range);
    }
  },
};
