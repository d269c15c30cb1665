/**
 * Volumes that only one pod, or a limited number on a node, may use.
 *
 * ReadWriteOncePod claims have one user in the whole cluster; a CSI driver tells how many of its
 * volumes a node can attach.
 *
 * Source  pkg/scheduler/framework/plugins/{volumerestrictions,nodevolumelimits}
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { Cycle, Plugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { skip, unschedulable } from "../status.ts";
import { claimNames } from "./volume-binding.ts";

const oncePodConflict =
  "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";

function oncePodClaims({ pod, snapshot }: Cycle): Set<string> {
  const namespace = pod.metadata?.namespace ?? "";
  const names = claimNames(pod).filter(({ name }) =>
    snapshot.claim(namespace, name)?.spec?.accessModes?.includes("ReadWriteOncePod"),
  );
  return new Set(names.map(({ name }) => name));
}

export const volumeRestrictions: Plugin = {
  name: "VolumeRestrictions",
  preFilter(cycle) {
    const claims = oncePodClaims(cycle);
    if (claims.size === 0) return { status: skip };
    const inUse = cycle.snapshot.nodes.some((node) =>
      [...node.pods.values()].some(
        ({ pod }) =>
          pod.metadata?.namespace === cycle.pod.metadata?.namespace &&
          claimNames(pod).some(({ name }) => claims.has(name)),
      ),
    );
    cycle.state.set("VolumeRestrictions", inUse);
    return undefined;
  },
  filter: ({ state }) =>
    state.get("VolumeRestrictions") === true ? unschedulable(oncePodConflict) : undefined,
};

/** Volumes of one CSI driver a pod uses, by volume name (or claim, while it is unbound). */
function csiVolumes(pod: Pod, { snapshot }: Cycle): Map<string, Set<string>> {
  const byDriver = new Map<string, Set<string>>();
  const namespace = pod.metadata?.namespace ?? "";
  for (const { name } of claimNames(pod)) {
    const claim = snapshot.claim(namespace, name);
    const volume = snapshot.volume(claim?.spec?.volumeName ?? "");
    const driver =
      volume?.spec?.csi?.driver ??
      snapshot.storageClass(claim?.spec?.storageClassName ?? "")?.provisioner;
    if (driver === undefined) continue;
    const names = byDriver.get(driver) ?? new Set<string>();
    names.add(volume?.metadata?.name ?? `${namespace}/${name}`);
    byDriver.set(driver, names);
  }
  return byDriver;
}

function exceedsLimit(cycle: Cycle, node: NodeInfo): boolean {
  const limits = new Map<string, number>();
  for (const driver of cycle.snapshot.csiNode(node.name)?.spec?.drivers ?? []) {
    const count = driver.allocatable?.count;
    if (count !== undefined) limits.set(driver.name ?? "", count);
  }
  if (limits.size === 0) return false;
  for (const [driver, wanted] of csiVolumes(cycle.pod, cycle)) {
    const limit = limits.get(driver);
    if (limit === undefined) continue;
    const used = new Set<string>();
    for (const { pod } of node.pods.values()) {
      for (const volume of csiVolumes(pod, cycle).get(driver) ?? []) used.add(volume);
    }
    const added = [...wanted].filter((volume) => !used.has(volume));
    if (added.length > 0 && used.size + added.length > limit) return true;
  }
  return false;
}

export const nodeVolumeLimits: Plugin = {
  name: "NodeVolumeLimits",
  preFilter: ({ pod }) => (claimNames(pod).length === 0 ? { status: skip } : undefined),
  filter: (cycle, node) =>
    exceedsLimit(cycle, node) ? unschedulable("node(s) exceed max volume count") : undefined,
};
