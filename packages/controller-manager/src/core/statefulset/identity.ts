/**
 * A StatefulSet's pods have names: web-0, web-1 …; and claims that follow the name: data-web-0.
 *
 * Source  pkg/controller/statefulset/stateful_set_utils.go
 */
import type { StatefulSet } from "@nanokube/api/apps/v1";
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from "@nanokube/api/core/v1";
import { statefulSets } from "@nanokube/client";
import { deepClone } from "@nanokube/machinery";
import { revisionLabel } from "../history/history.ts";
import { controllerReference } from "../ownership.ts";
import { isPodAvailable, isPodReady, podFromTemplate } from "../pod.ts";

const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

/** "web-12" → web, 12; -1 where the name has no number. */
export function splitName(pod: Pod): { parent: string; ordinal: number } {
  const match = /^(.*)-([0-9]+)$/.exec(pod.metadata?.name ?? "");
  return match === null
    ? { parent: "", ordinal: -1 }
    : { parent: match[1]!, ordinal: Number(match[2]) };
}

export function ordinalOf(pod: Pod): number {
  return splitName(pod).ordinal;
}

export function startOrdinal(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

export function replicasWanted(set: StatefulSet): number {
  return set.spec?.replicas ?? 1;
}

export function inRange(pod: Pod, set: StatefulSet): boolean {
  const index = ordinalOf(pod) - startOrdinal(set);
  return index >= 0 && index < replicasWanted(set);
}

export function claimName(
  set: StatefulSet,
  template: PersistentVolumeClaim,
  ordinal: number,
): string {
  return `${template.metadata?.name}-${set.metadata?.name}-${ordinal}`;
}

export function claimsFor(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { name: _, namespace: __, ...metadata } = template.metadata ?? {};
    const labels = { ...metadata.labels, ...set.spec?.selector?.matchLabels };
    return {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        ...metadata,
        labels,
        name: claimName(set, template, ordinal),
        namespace: set.metadata?.namespace,
      },
      spec: deepClone(template.spec ?? {}),
    };
  });
}

export function newPod(
  set: StatefulSet,
  template: PodTemplateSpec,
  revision: string,
  ordinal: number,
): Pod {
  const owner = controllerReference(set, statefulSets);
  const pod = podFromTemplate(template, set.metadata?.namespace ?? "", owner);
  const name = `${set.metadata?.name}-${ordinal}`;
  const { generateName: _, ...metadata } = pod.metadata ?? {};
  const labels = {
    ...metadata.labels,
    ...identityLabels(name, ordinal),
    [revisionLabel]: revision,
  };
  return {
    ...pod,
    metadata: { ...metadata, name, labels },
    spec: {
      ...pod.spec,
      hostname: name,
      ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...storage(set, pod, ordinal),
    },
  };
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [podNameLabel]: name, [podIndexLabel]: String(ordinal) };
}

function storage(set: StatefulSet, pod: Pod, ordinal: number): { volumes?: Volume[] } {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const names = new Set(templates.map((template) => template.metadata?.name));
  const claimed = templates.map((template) => ({
    name: template.metadata?.name,
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const volumes = [...claimed, ...(pod.spec?.volumes ?? []).filter(({ name }) => !names.has(name))];
  return volumes.length === 0 ? {} : { volumes };
}

export function hasIdentity(set: StatefulSet, pod: Pod): boolean {
  const { parent } = splitName(pod);
  return (
    parent === set.metadata?.name && pod.metadata?.labels?.[podNameLabel] === pod.metadata?.name
  );
}

export function withIdentity(pod: Pod): Pod {
  const labels = {
    ...pod.metadata?.labels,
    ...identityLabels(pod.metadata?.name ?? "", ordinalOf(pod)),
  };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

export function revisionOf(pod: Pod): string {
  return pod.metadata?.labels?.[revisionLabel] ?? "";
}

/** The server has it: one that is only planned has no phase. */
export function isCreated(pod: Pod): boolean {
  return Boolean(pod.status?.phase);
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod);
}

export function isUnavailable(pod: Pod, set: StatefulSet, nowMs: number): boolean {
  return isTerminating(pod) || !isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
}
