/**
 * Pod: a group of containers on one node.
 *
 * Source  pkg/registry/core/pod/strategy.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { ResourceStrategy } from "../../../core/strategy.ts";
import { kind } from "../../generic.ts";
import { dns1123Subdomain } from "../../names.ts";
import { podColumns, podRow } from "./columns.ts";
import { defaultPod } from "./defaults.ts";
import { mergeLabelKeys, newPodStatus, preparePodUpdate } from "./prepare.ts";
import { validatePodUpdate } from "./update.ts";
import { validatePod } from "./validation.ts";
import { podWarnings } from "./warnings.ts";

export function podGracePeriod(pod: Pod, asked: number | undefined): number {
  let seconds = asked ?? pod.spec?.terminationGracePeriodSeconds ?? 0;
  if (!pod.spec?.nodeName) seconds = 0; // Nothing runs, nobody would confirm.
  if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") seconds = 0;
  return seconds < 0 ? 1 : seconds;
}

export function podFields(pod: Pod): Record<string, string> {
  const { spec, status } = pod;
  return {
    "spec.nodeName": spec?.nodeName ?? "",
    "spec.restartPolicy": spec?.restartPolicy ?? "",
    "spec.schedulerName": spec?.schedulerName ?? "",
    "spec.serviceAccountName": spec?.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec?.hostNetwork ?? false),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIPs?.[0]?.ip ?? "",
    "status.podIPs": status?.podIPs?.[0]?.ip ?? "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  };
}

export const podStrategy: ResourceStrategy = kind(
  {
    updateMeta: ["update", "whole"],
    status: true,
    initialStatus: (object) => newPodStatus(object as Pod),
    generation: [],
    name: dns1123Subdomain,
  },
  {
    default: (object) => defaultPod(object as Pod),
    prepareForCreate: (object) => mergeLabelKeys(object as Pod),
    prepareForUpdate: (object, old, context) =>
      preparePodUpdate(object as Pod, old as Pod, context),
    validate: (object) => validatePod(object as Pod),
    validateUpdate: (object, old, context) => validatePodUpdate(object as Pod, old as Pod, context),
    warnings: (object, old) => (old === undefined ? podWarnings(object as Pod) : []),
    selectableFields: (object) => podFields(object as Pod),
    columns: podColumns,
    row: (object, now) => podRow(object as Pod, now),
    gracePeriodSeconds: (object, asked) => podGracePeriod(object as Pod, asked),
  },
);
