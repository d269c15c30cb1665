/**
 * The strategic merge patch that makes the API server's status the kubelet's.
 *
 * Lists with merge keys keep what is not named, so what is over must be named as such; the
 * conditions of others are none of ours, also when we have not seen them yet.
 */
import type { PodStatus } from "@nanokube/api/core/v1";
import { deepEqual } from "@nanokube/machinery";
import { KUBELET_CONDITIONS } from "./pod-conditions.ts";

/** Fields that were written before and are not there any more must be taken away by name. */
export function statusPatch(
  status: PodStatus,
  before: PodStatus | undefined,
): Record<string, unknown> {
  const patch: Record<string, unknown> = { ...status };
  for (const key of Object.keys(before ?? {})) if (!(key in status)) patch[key] = null;
  // Lists merged by a key keep what is not named: say that they are whole.
  const whole = { $patch: "replace" };
  for (const key of ["podIPs", "hostIPs"] as const) {
    const list = status[key];
    const changed = before?.[key] !== undefined && !deepEqual(list, before[key]);
    if (list !== undefined && changed) patch[key] = [whole, ...list];
  }
  const types = new Set((status.conditions ?? []).map((condition) => condition.type));
  // Only our own: what others wrote meanwhile is missing in a status made from an older pod.
  const over = (before?.conditions ?? []).filter(
    ({ type }) => !types.has(type) && KUBELET_CONDITIONS.has(type ?? ""),
  );
  if (over.length > 0) {
    const deletions = over.map(({ type }) => ({ $patch: "delete", type }));
    patch.conditions = [...deletions, ...(status.conditions ?? [])];
  }
  return patch;
}
