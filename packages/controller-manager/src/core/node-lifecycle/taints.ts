/**
 * A node's conditions as taints: NoSchedule for each that is bad, NoExecute for one that is not
 * ready or not reachable.
 *
 * Source  pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass,
 *         processTaintBaseEviction
 */
import type { Node, Taint } from "@nanokube/api/core/v1";
import { findCondition } from "../conditions.ts";
import { formatTime } from "../time.ts";

const prefix = "node.kubernetes.io/";
const bad: readonly (readonly [type: string, status: string, taint: string])[] = [
  ["Ready", "False", "not-ready"],
  ["Ready", "Unknown", "unreachable"],
  ["MemoryPressure", "True", "memory-pressure"],
  ["DiskPressure", "True", "disk-pressure"],
  ["PIDPressure", "True", "pid-pressure"],
  ["NetworkUnavailable", "True", "network-unavailable"],
];
const scheduling: ReadonlySet<string> = new Set([
  ...bad.map(([, , taint]) => prefix + taint),
  `${prefix}unschedulable`,
]);
const executing: ReadonlySet<string> = new Set([`${prefix}not-ready`, `${prefix}unreachable`]);

/** The taints that a node should have; undefined when it has them. */
export function taintsWanted(node: Node, evicting: boolean, nowMs: number): Taint[] | undefined {
  const taints = node.spec?.taints ?? [];
  const has = (type: string, status: string) =>
    findCondition(node.status?.conditions, type)?.status === status;
  const keys = bad
    .filter(([type, status]) => has(type, status))
    .map(([, , taint]) => prefix + taint);
  if (node.spec?.unschedulable) keys.push(`${prefix}unschedulable`);

  const wanted = new Map(keys.map((key) => [`${key}:NoSchedule`, { key, effect: "NoSchedule" }]));
  const lost = keys.find((key) => executing.has(key));
  if (lost !== undefined && evicting) {
    wanted.set(`${lost}:NoExecute`, { key: lost, effect: "NoExecute" });
  }
  const others = taints.filter((taint) => !isOurs(taint));
  const kept = taints.filter(
    (taint) => isOurs(taint) && wanted.has(`${taint.key}:${taint.effect}`),
  );
  const missing = [...wanted].filter(
    ([id]) => !kept.some((taint) => `${taint.key}:${taint.effect}` === id),
  );
  if (missing.length === 0 && kept.length + others.length === taints.length) return undefined;
  const timeAdded = formatTime(nowMs);
  return [...others, ...kept, ...missing.map(([, taint]) => ({ ...taint, timeAdded }))];
}

function isOurs({ key = "", effect }: Taint): boolean {
  return effect === "NoSchedule"
    ? scheduling.has(key)
    : effect === "NoExecute" && executing.has(key);
}
