/**
 * A Node as its kubelet would register it.
 *
 * Source  kubernetes pkg/kubelet/nodestatus/setters.go
 */

import { kubernetesVersion } from "@nanokube/api";
import type { Node, NodeStatus, Taint } from "@nanokube/api/core/v1";

export interface NodeSpec {
  name: string;
  labels?: Readonly<Record<string, string>> | undefined;
  taints?: readonly Taint[] | undefined;
  /** Quantities; 8 CPUs, 32Gi and 110 pods unless told. */
  capacity?: Readonly<Record<string, string>> | undefined;
}

export interface NodePlace {
  address: string;
  podCIDR: string;
}

export function nodeObject({ name, labels, taints }: NodeSpec, { podCIDR }: NodePlace): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        ...labels,
      },
    },
    spec: {
      podCIDR,
      podCIDRs: [podCIDR],
      ...(taints === undefined ? {} : { taints: [...taints] }),
    },
  };
}

const pressures: readonly [string, string, string][] = [
  ["MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
];

export function nodeStatus(spec: NodeSpec, { address }: NodePlace, now: string): NodeStatus {
  const capacity = { cpu: "8", memory: "32Gi", pods: "110", ...spec.capacity };
  const seen = { lastHeartbeatTime: now, lastTransitionTime: now };
  return {
    capacity,
    allocatable: capacity,
    conditions: [
      ...pressures.map(([type, reason, message]) => ({
        type,
        status: "False",
        reason,
        message,
        ...seen,
      })),
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "kubelet is posting ready status",
        ...seen,
      },
    ],
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: spec.name },
    ],
    nodeInfo: {
      machineID: spec.name,
      systemUUID: spec.name,
      bootID: spec.name,
      kernelVersion: "",
      osImage: "nanokube testenv",
      containerRuntimeVersion: "nanokube://0.1.0",
      kubeletVersion: kubernetesVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
  };
}
