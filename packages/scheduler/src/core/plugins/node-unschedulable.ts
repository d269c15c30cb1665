/**
 * A cordoned node takes only pods that tolerate the taint it stands for.
 *
 * Source  pkg/scheduler/framework/plugins/nodeunschedulable
 */
import { tolerationsTolerateTaint } from "@nanokube/machinery";
import type { Plugin } from "../framework.ts";
import { unresolvable } from "../status.ts";

const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export const nodeUnschedulable: Plugin = {
  name: "NodeUnschedulable",
  filter({ pod }, { node }) {
    if (node.spec?.unschedulable !== true) return undefined;
    if (tolerationsTolerateTaint(pod.spec?.tolerations, taint)) return undefined;
    return unresolvable("node(s) were unschedulable");
  },
};
