/**
 * The pod of a DaemonSet on a node: bound to it by affinity, bearing what befalls nodes.
 *
 * Source  pkg/controller/daemon/util/daemonset_util.go
 */

import type { DaemonSet } from "@nanokube/api/apps/v1";
import type { Affinity, Node, Pod, PodSpec, Toleration } from "@nanokube/api/core/v1";
import { daemonSets } from "@nanokube/client";
import { findUntoleratedTaint, matchesRequiredNodeAffinity } from "@nanokube/machinery";
import { revisionLabel } from "../history/history.ts";
import { controllerReference } from "../ownership.ts";
import { podFromTemplate } from "../pod.ts";

const generationAnnotation = "deprecated.daemonset.template.generation";
const generationLabel = "pod-template-generation";

function tolerationsFor(spec: PodSpec): Toleration[] {
  const bears = (key: string, effect: string): Toleration => ({
    key: `node.kubernetes.io/${key}`,
    operator: "Exists",
    effect,
  });
  return [
    bears("not-ready", "NoExecute"),
    bears("unreachable", "NoExecute"),
    bears("disk-pressure", "NoSchedule"),
    bears("memory-pressure", "NoSchedule"),
    bears("pid-pressure", "NoSchedule"),
    bears("unschedulable", "NoSchedule"),
    ...(spec.hostNetwork ? [bears("network-unavailable", "NoSchedule")] : []),
  ];
}

/** Its own tolerations first; one that says the same is replaced. */
function allTolerations(spec: PodSpec): Toleration[] {
  const added = tolerationsFor(spec);
  const own = (spec.tolerations ?? []).filter(
    (old) =>
      !added.some(
        (next) =>
          next.key === old.key && next.effect === old.effect && next.operator === old.operator,
      ),
  );
  return [...own, ...added];
}

export function newDaemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const owner = controllerReference(set, daemonSets);
  const pod = podFromTemplate(set.spec?.template ?? {}, set.metadata?.namespace ?? "", owner);
  const generation = set.metadata?.annotations?.[generationAnnotation];
  const labels = {
    ...pod.metadata?.labels,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
    [revisionLabel]: hash,
  };
  const spec = pod.spec ?? {};
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: {
      ...spec,
      tolerations: allTolerations(spec),
      affinity: boundTo(spec.affinity, nodeName),
    },
  };
}

/** Whatever node affinity it had: that was judged when the node was chosen. */
function boundTo(affinity: Affinity | undefined, nodeName: string): Affinity {
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  };
}

/** The node that a daemon pod is for, scheduled already or not. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  for (const { matchFields = [] } of required?.nodeSelectorTerms ?? []) {
    const field = matchFields.find(
      ({ key, operator }) => key === "metadata.name" && operator === "In",
    );
    if (field?.values?.length === 1) return field.values[0];
  }
  return undefined;
}

export interface Fit {
  shouldRun: boolean;
  /** A taint NoSchedule keeps new ones away, but not those that run. */
  shouldContinue: boolean;
}

export function fits(set: DaemonSet, node: Node): Fit {
  const spec = set.spec?.template?.spec ?? {};
  const named = !spec.nodeName || spec.nodeName === node.metadata?.name;
  if (!named || !matchesRequiredNodeAffinity(spec, node))
    return { shouldRun: false, shouldContinue: false };
  const tolerations = allTolerations(spec);
  const { taints } = node.spec ?? {};
  return {
    shouldRun: findUntoleratedTaint(taints, tolerations, ["NoExecute", "NoSchedule"]) === undefined,
    shouldContinue: findUntoleratedTaint(taints, tolerations, ["NoExecute"]) === undefined,
  };
}

export function isUpdated(pod: Pod, set: DaemonSet, hash: string): boolean {
  const labels = pod.metadata?.labels ?? {};
  const generation = set.metadata?.annotations?.[generationAnnotation];
  return (
    labels[revisionLabel] === hash ||
    (generation !== undefined && labels[generationLabel] === generation)
  );
}
