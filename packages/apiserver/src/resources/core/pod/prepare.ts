/**
 * What the server itself writes into a new or changed pod.
 *
 * Source  pkg/registry/core/pod/strategy.go
 */
import type { Pod, PodAffinityTerm, PodStatus } from "@nanokube/api/core/v1";
import type { LabelSelector } from "@nanokube/api/meta/v1";
import { deepClone } from "@nanokube/machinery";
import type { StrategyContext } from "../../../core/strategy.ts";
import { allMetadata, copyField } from "../../generic.ts";
import { semanticEqual } from "../../semantic-equal.ts";
import { qosClass } from "./resources.ts";

export function newPodStatus(pod: Pod): PodStatus {
  const status: PodStatus = { phase: "Pending", qosClass: qosClass(pod) };
  if ((pod.spec?.schedulingGates ?? []).length > 0) {
    status.conditions = [
      {
        type: "PodScheduled",
        status: "False",
        reason: "SchedulingGated",
        message: "Scheduling is blocked due to non-empty scheduling gates",
      },
    ];
  }
  return status;
}

function addLabelKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: "In" | "NotIn",
  labels: Record<string, string>,
): void {
  if (selector === undefined) return;
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions = [
      ...(selector.matchExpressions ?? []),
      { key, operator, values: [value] },
    ];
  }
}

/** matchLabelKeys become ordinary requirements, so that the scheduler need not know them. */
export function mergeLabelKeys(pod: Pod): void {
  const labels = pod.metadata?.labels ?? {};
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const terms: PodAffinityTerm[] = [podAffinity, podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((weighted) =>
      weighted.podAffinityTerm === undefined ? [] : [weighted.podAffinityTerm],
    ),
  ]);
  for (const term of terms) {
    addLabelKeys(term.labelSelector, term.matchLabelKeys, "In", labels);
    addLabelKeys(term.labelSelector, term.mismatchLabelKeys, "NotIn", labels);
  }
  for (const constraint of pod.spec?.topologySpreadConstraints ?? []) {
    addLabelKeys(constraint.labelSelector, constraint.matchLabelKeys, "In", labels);
  }
}

/** A client that does not know observedGeneration must not erase it. */
function preserveObservedGeneration(pod: Pod, old: Pod): void {
  const status = pod.status ?? {};
  if (!status.observedGeneration && old.status?.observedGeneration) {
    status.observedGeneration = old.status.observedGeneration;
  }
  const known = new Map<string, (number | undefined)[]>();
  for (const condition of old.status?.conditions ?? []) {
    const type = condition.type ?? "";
    known.set(type, [...(known.get(type) ?? []), condition.observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const before = known.get(condition.type ?? "")?.shift();
    if (!condition.observedGeneration && before) condition.observedGeneration = before;
  }
  pod.status = status;
}

/** Only resources and resizePolicy of containers of the same name and order may change. */
function keepAllButResources(pod: Pod, old: Pod): void {
  const resources = pod.spec?.resources;
  const before = deepClone(old.spec ?? {});
  for (const list of ["containers", "initContainers"] as const) {
    const [fresh, stale] = [pod.spec?.[list] ?? [], before[list] ?? []];
    if (fresh.length !== stale.length) return; // Validation refuses it.
    if (fresh.some((container, i) => container.name !== stale[i]?.name)) return;
    for (const [i, container] of fresh.entries()) {
      copyField(stale[i] ?? {}, container, "resources");
      copyField(stale[i] ?? {}, container, "resizePolicy");
    }
  }
  pod.spec = before;
  if (resources !== undefined) pod.spec.resources = resources;
}

export function preparePodUpdate(pod: Pod, old: Pod, context: StrategyContext): void {
  const metadata = pod.metadata ?? {};
  if (context.subresource === "status") {
    copyField(metadata, old.metadata ?? {}, "deletionTimestamp");
    copyField(metadata, old.metadata ?? {}, "ownerReferences");
    preserveObservedGeneration(pod, old);
    if (pod.status !== undefined) pod.status.qosClass ||= old.status?.qosClass;
    return;
  }
  if (context.subresource === "ephemeralcontainers" || context.subresource === "resize") {
    copyField(pod, old, "status");
    for (const key of allMetadata) copyField(metadata, old.metadata ?? {}, key);
  }
  if (context.subresource === "ephemeralcontainers") {
    const added = pod.spec?.ephemeralContainers;
    pod.spec = { ...deepClone(old.spec) };
    if (added !== undefined) pod.spec.ephemeralContainers = added;
  }
  if (context.subresource === "resize") keepAllButResources(pod, old);
  if (!semanticEqual(pod.spec, old.spec)) {
    metadata.generation = (old.metadata?.generation ?? 0) + 1;
  }
}
