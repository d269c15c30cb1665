/**
 * May a pod that was bound to this node run on it? The scheduler may have been wrong, or absent.
 *
 * Answers upstream's reason and message; a refused pod becomes Failed.
 * Source  pkg/kubelet/lifecycle/predicate.go
 */
import type { Node, Pod } from "@nanokube/api/core/v1";
import {
  findUntoleratedTaint,
  matchesRequiredNodeAffinity,
  parseQuantity,
} from "@nanokube/machinery";
import { hasFreeHostPorts } from "./host-ports.ts";
import { isCriticalPod } from "./qos.ts";
import { podRequest } from "./resources.ts";

export interface Refusal {
  reason: string;
  message: string;
}

const RESOURCES = ["cpu", "memory", "ephemeral-storage"] as const;

const toleratesNoExecute = (pod: Pod, node: Node): boolean =>
  findUntoleratedTaint(node.spec?.taints, pod.spec?.tolerations, ["NoExecute"]) === undefined;

const OS = "linux";

function wrongOS(pod: Pod): Refusal | undefined {
  const label = pod.metadata?.labels?.["kubernetes.io/os"];
  if (label !== undefined && label !== OS) {
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  }
  const wanted = pod.spec?.os?.name;
  if (wanted === undefined || wanted === OS) return undefined;
  return {
    reason: "PodOSNotSupported",
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
}

export function admitPod(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  const foreign = wrongOS(pod);
  if (foreign !== undefined) return foreign;
  const name = node.metadata?.name;
  const allocatable: Record<string, string> = node.status?.allocatable ?? {};
  const podCapacity = Number(allocatable.pods ?? Number.POSITIVE_INFINITY);
  if (others.length + 1 > podCapacity) {
    return {
      reason: "OutOfpods",
      message: `Node didn't have enough resource: pods, requested: 1, used: ${others.length}, capacity: ${podCapacity}`,
    };
  }
  for (const resource of RESOURCES) {
    const requested = podRequest(pod, resource);
    if (requested === 0 || allocatable[resource] === undefined) continue;
    const quantity = parseQuantity(allocatable[resource]);
    const capacity = resource === "cpu" ? quantity.milliValue() : quantity.value();
    const used = others.reduce((sum, other) => sum + podRequest(other, resource), 0);
    if (used + requested <= capacity || isCriticalPod(pod)) continue;
    return {
      reason: `OutOf${resource}`,
      message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
    };
  }
  if (!matchesRequiredNodeAffinity(pod.spec, node)) {
    return {
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    };
  }
  if (!hasFreeHostPorts(pod, others)) {
    return {
      reason: "NodePorts",
      message:
        "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    };
  }
  if (!toleratesNoExecute(pod, node)) {
    return {
      reason: "TaintToleration",
      message: "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    };
  }
  if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== name) {
    return {
      reason: "NodeName",
      message: "Predicate NodeName failed: node(s) didn't match the requested node name",
    };
  }
  return undefined;
}
