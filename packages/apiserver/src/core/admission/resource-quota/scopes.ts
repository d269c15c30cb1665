/**
 * Which pods and claims a quota speaks of: its scopes must all hold.
 *
 * Source  pkg/quota/v1/evaluator/core/{pods,persistent_volume_claims}.go
 */
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "@nanokube/api/core/v1";
import type { KubeObject } from "@nanokube/machinery";
import { qosClass } from "../../../resources/core/pod/resources.ts";

function crossesNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (weighted) => weighted.podAffinityTerm,
    ),
  ]);
  return terms.some(
    (term: PodAffinityTerm | undefined) =>
      Boolean(term?.namespaces?.length) || term?.namespaceSelector !== undefined,
  );
}

/** The operator of a selector against the one name that an object carries. */
function nameMatches(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  name: string,
): boolean {
  switch (operator) {
    case "In":
      return name !== "" && values.includes(name);
    case "NotIn":
      return name === "" || !values.includes(name);
    case "DoesNotExist":
      return name === "";
    default:
      return name !== "";
  }
}

function podMatches(requirement: ScopedResourceSelectorRequirement, pod: Pod): boolean {
  const isTerminating = (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
  switch (requirement.scopeName) {
    case "Terminating":
      return isTerminating;
    case "NotTerminating":
      return !isTerminating;
    case "BestEffort":
      return qosClass(pod) === "BestEffort";
    case "NotBestEffort":
      return qosClass(pod) !== "BestEffort";
    case "PriorityClass":
      return nameMatches(requirement, pod.spec?.priorityClassName ?? "");
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(pod);
  }
  return false;
}

function claimMatches(
  requirement: ScopedResourceSelectorRequirement,
  claim: PersistentVolumeClaim,
): boolean {
  if (requirement.scopeName !== "VolumeAttributesClass") return false;
  const names = [
    claim.spec?.volumeAttributesClassName,
    claim.status?.currentVolumeAttributesClassName,
    claim.status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name): name is string => !!name);
  if (names.length === 0) return nameMatches(requirement, "");
  return names.some((name) => nameMatches(requirement, name));
}

export function isInScope(quota: ResourceQuota, plural: string, object: KubeObject): boolean {
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((requirement) => {
    if (plural === "pods") return podMatches(requirement, object as Pod);
    if (plural !== "persistentvolumeclaims") return false;
    return claimMatches(requirement, object as PersistentVolumeClaim);
  });
}
