/**
 * Does a newer version of a pod ask for work? The kubelet's own status writes come back to it; were
 * they work, a message that is new each time (a container's id) would make it run in a circle.
 *
 * Source  pkg/kubelet/config/config.go checkAndUpdatePod
 */
import type { Pod } from "@nanokube/api/core/v1";
import { deepEqual } from "@nanokube/machinery";
import { isTerminalPhase } from "./pod.ts";
import { KUBELET_CONDITIONS } from "./pod-conditions.ts";

/** What others say of the pod: its readiness gates among them. */
const foreignConditions = (pod: Pod) =>
  (pod.status?.conditions ?? [])
    .filter((condition) => !KUBELET_CONDITIONS.has(condition.type ?? ""))
    .map(({ type, status }) => ({ type, status }));

export function asksForWork(before: Pod, after: Pod): boolean {
  const wish = ({ metadata, spec }: Pod) => ({
    spec,
    labels: metadata?.labels,
    annotations: metadata?.annotations,
    deletion: metadata?.deletionTimestamp,
    grace: metadata?.deletionGracePeriodSeconds,
  });
  if (!deepEqual(wish(before), wish(after))) return true;
  if (isTerminalPhase(after.status?.phase) !== isTerminalPhase(before.status?.phase)) return true;
  return !deepEqual(foreignConditions(before), foreignConditions(after));
}
