/**
 * Taints of a node against tolerations of a pod.
 *
 * Source  staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go,
 *         staging/src/k8s.io/api/core/v1/toleration.go ToleratesTaint
 */
import type { Taint, Toleration } from "@nanokube/api/core/v1";

export function tolerationToleratesTaint(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "Equal") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    default:
      return false;
  }
}

/** Does one of them bear the taint? */
export const tolerationsTolerateTaint = (
  tolerations: readonly Toleration[] | undefined,
  taint: Taint,
) => (tolerations ?? []).some((toleration) => tolerationToleratesTaint(toleration, taint));

/** The first taint of these effects that none of them bears. */
export function findUntoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find(
    (taint) =>
      effects.includes(taint.effect ?? "") && !tolerationsTolerateTaint(tolerations, taint),
  );
}
