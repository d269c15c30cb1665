/**
 * The cluster as one scheduling cycle sees it.
 *
 * The nodes are a plain array in a fixed order, zone by zone in turn, so that a search which starts
 * where the last one ended spreads over zones; everything else a plugin may ask is here as well,
 * so that `schedule` needs no I/O.
 *
 * Source  pkg/scheduler/backend/cache/snapshot.go, node_tree.go
 */
import type {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import type { CSINode, StorageClass } from "@nanokube/api/storage/v1";
import type { NodeInfo } from "./node-info.ts";

export interface Snapshot {
  nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  namespace(name: string): Namespace | undefined;
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  csiNode(name: string): CSINode | undefined;
  /** Selectors of the Services and workloads that own a pod, for default spreading. */
  ownerSelectors(pod: Pod): readonly LabelSelector[];
  /** Disruptions a budget still allows to pods it selects, by namespace. */
  disruptionBudgets(namespace: string): readonly DisruptionBudget[];
}

export interface DisruptionBudget {
  selector: LabelSelector | undefined;
  disruptionsAllowed: number;
}

const zoneLabel = "topology.kubernetes.io/zone";
const regionLabel = "topology.kubernetes.io/region";

/** Orders nodes so that consecutive ones lie in different zones. */
export function interleaveZones(nodes: Iterable<NodeInfo>): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const info of nodes) {
    const labels = info.node.metadata?.labels ?? {};
    const zone = `${labels[regionLabel] ?? ""}:${labels[zoneLabel] ?? ""}`;
    const list = zones.get(zone);
    if (list === undefined) zones.set(zone, [info]);
    else list.push(info);
  }
  if (zones.size === 1) return [...zones.values()][0]!;
  const ordered: NodeInfo[] = [];
  const lists = [...zones.values()];
  for (let i = 0; lists.some((list) => i < list.length); i += 1) {
    for (const list of lists) if (i < list.length) ordered.push(list[i]!);
  }
  return ordered;
}
