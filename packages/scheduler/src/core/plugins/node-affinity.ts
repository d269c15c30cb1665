/**
 * Node selector and node affinity: required terms filter, preferred ones score by their weights.
 *
 * Source  pkg/scheduler/framework/plugins/nodeaffinity
 */

import type { NodeSelectorTerm, Pod } from "@nanokube/api/core/v1";
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity } from "@nanokube/machinery";
import { normalizeByMax, type Plugin } from "../framework.ts";
import { skip, unresolvable } from "../status.ts";

/** Names of the nodes that metadata.name terms allow; undefined when some term leaves it open. */
function namedNodes(terms: readonly NodeSelectorTerm[]): Set<string> | undefined {
  const names = new Set<string>();
  for (const term of terms) {
    let termNames: Set<string> | undefined;
    for (const field of term.matchFields ?? []) {
      if (field.key !== "metadata.name" || field.operator !== "In") continue;
      const values = new Set(field.values);
      termNames = termNames === undefined ? values : termNames.intersection(values);
    }
    if (termNames === undefined) return undefined;
    for (const name of termNames) names.add(name);
  }
  return names;
}

const preferredTerms = (pod: Pod) =>
  pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

export const nodeAffinity: Plugin = {
  name: "NodeAffinity",
  weight: 2,
  preFilter({ pod }) {
    const required =
      pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined && pod.spec?.nodeSelector === undefined) return { status: skip };
    if (!required?.nodeSelectorTerms?.length) return undefined;
    const names = namedNodes(required.nodeSelectorTerms);
    if (names === undefined) return undefined;
    if (names.size > 0) return { nodeNames: names };
    return {
      status: unresolvable("pod affinity terms conflict: no node has all the required names"),
    };
  },
  filter({ pod }, { node }) {
    if (matchesRequiredNodeAffinity(pod.spec, node)) return undefined;
    return unresolvable("node(s) didn't match Pod's node affinity/selector");
  },
  preScore: ({ pod }) => (preferredTerms(pod).length === 0 ? skip : undefined),
  score({ pod }, { node }) {
    let score = 0;
    for (const { weight = 0, preference } of preferredTerms(pod)) {
      if (preference !== undefined && matchesNodeSelectorTerm(preference, node)) score += weight;
    }
    return score;
  },
  normalize: (_cycle, _nodes, scores) => normalizeByMax(scores, false),
};
