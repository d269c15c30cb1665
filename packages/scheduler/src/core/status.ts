/**
 * Outcomes as values: a pod that fits nowhere is an answer, not an exception.
 *
 * Shapes  undefined is success; `skip` takes a plugin out of the rest of the cycle
 * Source  staging/src/k8s.io/kube-scheduler/framework/interface.go Code, Status
 */
export type StatusCode =
  | "unschedulable"
  /** No removal of other pods can help on this node. */
  | "unschedulableAndUnresolvable"
  | "wait"
  | "pending"
  | "skip"
  | "error";

export interface Status {
  code: StatusCode;
  reasons: readonly string[];
}

export const unschedulable = (...reasons: string[]): Status => ({ code: "unschedulable", reasons });

export const unresolvable = (...reasons: string[]): Status => ({
  code: "unschedulableAndUnresolvable",
  reasons,
});

export const pending = (...reasons: string[]): Status => ({ code: "pending", reasons });

export const skip: Status = { code: "skip", reasons: [] };
