/**
 * When was a node last heard of? By our own clock, at the moment we saw its heartbeat or lease
 * change.
 *
 * Source  pkg/controller/nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth
 */
import type { Lease } from "@nanokube/api/coordination/v1";
import type { Node, NodeCondition } from "@nanokube/api/core/v1";
import { findCondition } from "../conditions.ts";
import { formatTime, parseTime } from "../time.ts";

export interface Health {
  /** What was seen last; another text is a sign of life. */
  heartbeat: string;
  renewTime: string;
  heardMs: number;
}

const heartbeats = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

export function observe(
  old: Health | undefined,
  node: Node,
  lease: Lease | undefined,
  nowMs: number,
): Health {
  const ready = findCondition(node.status?.conditions, "Ready");
  const heartbeat = ready?.lastHeartbeatTime ?? "";
  const renewTime = lease?.spec?.renewTime ?? "";
  if (old === undefined) {
    // Never heard: counted from its creation. Heard before we came: from now.
    const createdMs = parseTime(node.metadata?.creationTimestamp);
    const never = ready === undefined && renewTime === "";
    return { heartbeat, renewTime, heardMs: never ? createdMs : nowMs };
  }
  const alive = heartbeat !== old.heartbeat || renewTime > old.renewTime;
  return { heartbeat, renewTime, heardMs: alive ? nowMs : old.heardMs };
}

/** The conditions of a node that is silent; undefined when they say so already. */
export function silentConditions(node: Node, nowMs: number): NodeCondition[] | undefined {
  const now = formatTime(nowMs);
  const conditions = [...(node.status?.conditions ?? [])];
  let changed = false;
  for (const type of heartbeats) {
    const index = conditions.findIndex((condition) => condition.type === type);
    const current = conditions[index];
    if (current?.status === "Unknown") continue;
    changed = true;
    if (current === undefined) {
      conditions.push({
        type,
        status: "Unknown",
        reason: "NodeStatusNeverUpdated",
        message: "Kubelet never posted node status.",
        lastHeartbeatTime: node.metadata?.creationTimestamp,
        lastTransitionTime: now,
      });
    } else {
      conditions[index] = {
        ...current,
        status: "Unknown",
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
        lastTransitionTime: now,
      };
    }
  }
  return changed ? conditions : undefined;
}
