/**
 * Taints keep pods away, PreferNoSchedule ones by score alone.
 *
 * Source  pkg/scheduler/framework/plugins/tainttoleration
 */
import { findUntoleratedTaint, tolerationsTolerateTaint } from "@nanokube/machinery";
import { normalizeByMax, type Plugin } from "../framework.ts";
import { unresolvable } from "../status.ts";

export const taintToleration: Plugin = {
  name: "TaintToleration",
  weight: 3,
  filter({ pod }, { node }) {
    const effects = ["NoSchedule", "NoExecute"];
    if (!findUntoleratedTaint(node.spec?.taints, pod.spec?.tolerations, effects)) return undefined;
    return unresolvable("node(s) had untolerated taint(s)");
  },
  score({ pod }, { node }) {
    const tolerations = (pod.spec?.tolerations ?? []).filter(
      ({ effect }) => !effect || effect === "PreferNoSchedule",
    );
    return (node.spec?.taints ?? []).filter(
      (taint) =>
        taint.effect === "PreferNoSchedule" && !tolerationsTolerateTaint(tolerations, taint),
    ).length;
  },
  normalize: (_cycle, _nodes, scores) => normalizeByMax(scores, true),
};
