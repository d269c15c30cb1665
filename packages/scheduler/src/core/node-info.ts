/**
 * A node with what runs on it, kept as sums so that a filter never walks the pods.
 *
 * Shapes  `requested` counts assumed pods too; `nonZero` counts a default for pods that ask nothing
 * Source  pkg/scheduler/framework/types.go NodeInfo
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import {
  addResources,
  noResources,
  podRequests,
  type ResourceList,
  type Resources,
  resourcesOf,
} from "./resources.ts";

export interface PodInfo {
  pod: Pod;
  key: string;
  requests: Resources;
  nonZeroRequests: Resources;
  hasAffinity: boolean;
  hasRequiredAntiAffinity: boolean;
  hostPorts: readonly HostPort[];
}

export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

export interface ImageState {
  sizeBytes: number;
}

export class NodeInfo {
  readonly name: string;
  node: Node;
  allocatable: Resources = noResources();
  podsMax = 0;
  readonly requested = noResources();
  readonly nonZeroRequested = noResources();
  readonly pods = new Map<string, PodInfo>();
  images = new Map<string, ImageState>();
  /** How many pods of this node have (anti-)affinity terms; most nodes have none. */
  podsWithAffinity = 0;
  podsWithRequiredAntiAffinity = 0;

  constructor(node: Node) {
    this.name = node.metadata?.name ?? "";
    this.node = node;
    this.setNode(node);
  }

  setNode(node: Node): void {
    this.node = node;
    const allocatable = node.status?.allocatable as ResourceList | undefined;
    this.allocatable = resourcesOf(allocatable);
    this.podsMax = Number(allocatable?.["pods"] ?? 0);
    this.images = new Map();
    for (const image of node.status?.images ?? []) {
      for (const name of image.names ?? []) {
        this.images.set(name, { sizeBytes: image.sizeBytes ?? 0 });
      }
    }
  }

  addPod(info: PodInfo): void {
    if (this.pods.has(info.key)) this.removePod(info.key);
    this.pods.set(info.key, info);
    this.#count(info, 1);
  }

  removePod(key: string): void {
    const info = this.pods.get(key);
    if (info === undefined) return;
    this.pods.delete(key);
    this.#count(info, -1);
  }

  /** A copy that preemption may take pods from. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    for (const info of this.pods.values()) copy.addPod(info);
    return copy;
  }

  #count(info: PodInfo, sign: 1 | -1): void {
    addResources(this.requested, info.requests, sign);
    addResources(this.nonZeroRequested, info.nonZeroRequests, sign);
    if (info.hasAffinity) this.podsWithAffinity += sign;
    if (info.hasRequiredAntiAffinity) this.podsWithRequiredAntiAffinity += sign;
  }
}

export const podKey = (pod: Pod) => `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;

function hostPortsOf(pod: Pod): HostPort[] {
  const containers = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always"),
  ];
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap((port) =>
      port.hostPort === undefined || port.hostPort === 0
        ? []
        : [
            {
              ip: port.hostIP || "0.0.0.0",
              protocol: port.protocol || "TCP",
              port: port.hostPort,
            },
          ],
    ),
  );
}

export function podInfo(pod: Pod): PodInfo {
  const affinity = pod.spec?.affinity;
  const anti = affinity?.podAntiAffinity;
  return {
    pod,
    key: podKey(pod),
    requests: podRequests(pod),
    nonZeroRequests: podRequests(pod, true),
    hasAffinity: affinity?.podAffinity !== undefined || anti !== undefined,
    hasRequiredAntiAffinity:
      (anti?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0,
    hostPorts: hostPortsOf(pod),
  };
}
