/**
 * Node selectors: does a node satisfy spec.nodeSelector and required node affinity?
 *
 * Shapes  terms are OR-ed, the expressions and fields of one term AND-ed; an empty term matches
 *         nothing; the only field is metadata.name
 * Source  staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
 */
import type {
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
} from "@nanokube/api/core/v1";

function compareNumbers(value: string | undefined, operands: readonly string[]): number {
  const left = Number.parseInt(value ?? "", 10);
  const right = Number.parseInt(operands[0] ?? "", 10);
  return left - right;
}

export function matchesNodeSelectorRequirement(
  requirement: NodeSelectorRequirement,
  value: string | undefined,
): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return compareNumbers(value, values) > 0;
    case "Lt":
      return compareNumbers(value, values) < 0;
    default:
      return false;
  }
}

export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels = node.metadata?.labels ?? {};
  return (
    expressions.every((r) => matchesNodeSelectorRequirement(r, labels[r.key ?? ""])) &&
    fields.every(
      (r) => r.key === "metadata.name" && matchesNodeSelectorRequirement(r, node.metadata?.name),
    )
  );
}

export const matchesNodeSelector = (selector: NodeSelector, node: Node) =>
  (selector.nodeSelectorTerms ?? []).some((term) => matchesNodeSelectorTerm(term, node));

/** nodeSelector and the required node affinity, together. */
export function matchesRequiredNodeAffinity(spec: PodSpec | undefined, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) {
    if (labels[key] !== value) return false;
  }
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}
