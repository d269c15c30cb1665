/**
 * Pods with scheduling gates wait outside the queue until the last gate is removed.
 *
 * Source  pkg/scheduler/framework/plugins/schedulinggates
 */
import type { Plugin } from "../framework.ts";
import { unresolvable } from "../status.ts";

export const schedulingGates: Plugin = {
  name: "SchedulingGates",
  preEnqueue(pod) {
    const gates = pod.spec?.schedulingGates ?? [];
    if (gates.length === 0) return undefined;
    const names = gates.map((gate) => gate.name).join(" ");
    return unresolvable(`waiting for scheduling gates: [${names}]`);
  },
};
