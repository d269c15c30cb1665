/**
 * Scheduler and kubelet of a World, in one: each call moves one pod one step on.
 *
 * Steps  no node → a node → Running → Ready; being deleted → gone
 */
import type { Pod } from "@nanokube/api/core/v1";
import { keyOf, pods } from "@nanokube/client";
import type { Random } from "@nanokube/machinery";
import { formatTime } from "../core/time.ts";
import type { World } from "./world.ts";

export function movePod(
  world: World,
  random: Random,
  fate: (pod: Pod) => "Ready" | "Succeeded" | "Failed" | "Stuck" = () => "Ready",
): boolean {
  const moves = world.list(pods).flatMap((pod) => nextState(pod, fate(pod), world) ?? []);
  if (moves.length === 0) return false;
  moves[Math.floor(random.next() * moves.length)]!();
  return true;
}

function nextState(
  pod: Pod,
  fate: "Ready" | "Succeeded" | "Failed" | "Stuck",
  world: World,
): (() => void) | undefined {
  if (pod.metadata?.deletionTimestamp !== undefined) {
    const kept = (pod.metadata.finalizers ?? []).length > 0;
    const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (kept)
      return ended
        ? undefined
        : () => world.put(pods, { ...pod, status: { ...pod.status, phase: "Failed" } });
    return () => world.remove(pods, keyOf(pod));
  }
  if (!pod.spec?.nodeName) {
    return () =>
      world.put(pods, {
        ...pod,
        spec: { ...pod.spec, nodeName: "n1" },
        status: { phase: "Pending" },
      });
  }
  if (fate === "Stuck" || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed")
    return undefined;
  if (fate !== "Ready") return () => world.put(pods, { ...pod, status: { phase: fate } });
  if (pod.status?.conditions !== undefined) return undefined;
  return () =>
    world.put(pods, {
      ...pod,
      status: {
        phase: "Running",
        podIP: "10.0.0.1",
        podIPs: [{ ip: "10.0.0.1" }],
        conditions: [
          { type: "Ready", status: "True", lastTransitionTime: formatTime(world.nowMs) },
        ],
      },
    });
}
