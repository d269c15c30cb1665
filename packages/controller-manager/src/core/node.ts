/**
 * Does a pod fit a node by its selectors, and what taints does it not bear?
 *
 * Source  k8s.io/component-helpers scheduling/corev1: nodeaffinity, helpers.go
 *         FindMatchingUntoleratedTaint
 */
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from "@nanokube/api/core/v1";

/** nodeSelector and the required node affinity, together. */
export function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const selected = Object.entries(spec.nodeSelector ?? {}).every(
    ([label, value]) => labels[label] === value,
  );
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    selected &&
    (required === undefined ||
      (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node)))
  );
}

/** Any term is enough; in a term all must hold; an empty term holds for none. */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata?.labels ?? {};
  const fields: Record<string, string> = { "metadata.name": node.metadata?.name ?? "" };
  return (
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key ?? ""])) &&
    matchFields.every((requirement) => holds(requirement, fields[requirement.key ?? ""]))
  );
}

function holds(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const { operator, values = [] } = requirement;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && Number.parseInt(value, 10) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number.parseInt(value, 10) < Number(values[0]);
    default:
      return false;
  }
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || "Equal") {
    case "Exists":
      return true;
    case "Equal":
      return Boolean(toleration.key) && (toleration.value ?? "") === (taint.value ?? "");
    default:
      return false;
  }
}

export function untolerated(
  taints: readonly Taint[] = [],
  tolerations: readonly Toleration[] = [],
  effects: readonly string[],
): Taint | undefined {
  return taints
    .filter((taint) => effects.includes(taint.effect ?? ""))
    .find((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
}
