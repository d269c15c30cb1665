/**
 * The conditions of a pod that the kubelet owns.
 *
 * Source  pkg/kubelet/status/generate.go, pkg/kubelet/types/pod_status.go
 */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "@nanokube/api/core/v1";
import { containersOf, initContainersOf, isSidecar, statusOf } from "./pod.ts";
import { sandboxChanged } from "./pod-actions.ts";
import type { PodRuntimeStatus } from "./runtime-status.ts";

/** Conditions of these types are the kubelet's; all others in a pod's status are kept untouched. */
export const KUBELET_CONDITIONS: ReadonlySet<string> = new Set([
  "PodScheduled",
  "Ready",
  "Initialized",
  "ContainersReady",
  "PodReadyToStartContainers",
  "PodResizePending",
  "PodResizeInProgress",
]);

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };

/** Go prints a list of strings as `[a b]`. */
const goList = (names: readonly (string | undefined)[]): string => `[${names.join(" ")}]`;

function terminalVerdict(phase: string): Verdict {
  return { status: "False", reason: phase === "Failed" ? "PodFailed" : "PodCompleted" };
}

function containersReady(
  pod: Pod,
  statuses: readonly ContainerStatus[] | undefined,
  phase: string,
): Verdict {
  if (statuses === undefined) return { status: "False", reason: "UnknownContainerStatuses" };
  const unknown: (string | undefined)[] = [];
  const unready: (string | undefined)[] = [];
  const kept = initContainersOf(pod.spec).filter(isSidecar);
  for (const container of [...kept, ...containersOf(pod.spec)]) {
    const status = statusOf(statuses, container.name);
    if (status === undefined) unknown.push(container.name);
    else if (status.ready !== true) unready.push(container.name);
  }
  if (phase === "Succeeded" && unknown.length === 0) return terminalVerdict(phase);
  if (phase === "Failed") return terminalVerdict(phase);
  const messages: string[] = [];
  if (unknown.length > 0) messages.push(`containers with unknown status: ${goList(unknown)}`);
  if (unready.length > 0) messages.push(`containers with unready status: ${goList(unready)}`);
  if (messages.length === 0) return TRUE;
  return { status: "False", reason: "ContainersNotReady", message: messages.join(", ") };
}

function podReady(pod: Pod, ready: Verdict, others: readonly PodCondition[]): Verdict {
  if (ready.status !== "True") return ready;
  const messages: string[] = [];
  for (const gate of pod.spec?.readinessGates ?? []) {
    const type = gate.conditionType ?? "";
    const found = others.find((condition) => condition.type === type);
    if (found === undefined) {
      messages.push(`corresponding condition of pod readiness gate "${type}" does not exist.`);
    } else if (found.status !== "True") {
      messages.push(
        `the status of pod readiness gate "${type}" is not "True", but ${found.status}`,
      );
    }
  }
  if (messages.length === 0) return TRUE;
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function initialized(
  pod: Pod,
  statuses: readonly ContainerStatus[] | undefined,
  phase: string,
): Verdict {
  const inits = initContainersOf(pod.spec);
  if (statuses === undefined && inits.length > 0) {
    return { status: "False", reason: "UnknownContainerStatuses" };
  }
  const unknown: (string | undefined)[] = [];
  const incomplete: (string | undefined)[] = [];
  for (const container of inits) {
    const status = statusOf(statuses, container.name);
    const done = isSidecar(container) ? status?.started === true : status?.ready === true;
    if (status === undefined) unknown.push(container.name);
    else if (!done) incomplete.push(container.name);
  }
  if (phase === "Succeeded" && unknown.length === 0) {
    return { status: "True", reason: "PodCompleted" };
  }
  const mainStarted = containersOf(pod.spec).some((container) => {
    const state = statusOf(statuses, container.name)?.state;
    return state?.running !== undefined || state?.terminated !== undefined;
  });
  if (mainStarted) return TRUE;
  const messages: string[] = [];
  if (unknown.length > 0) messages.push(`containers with unknown status: ${goList(unknown)}`);
  if (incomplete.length > 0) {
    messages.push(`containers with incomplete status: ${goList(incomplete)}`);
  }
  if (messages.length === 0) return TRUE;
  return { status: "False", reason: "ContainersNotInitialized", message: messages.join(", ") };
}

export interface ConditionInput {
  pod: Pod;
  runtime: PodRuntimeStatus;
  /** Init and main statuses together. */
  statuses: readonly ContainerStatus[] | undefined;
  phase: string;
}

/** The kubelet's conditions after the ones others wrote, in upstream's order, without times. */
export function podConditions({ pod, runtime, statuses, phase }: ConditionInput): PodCondition[] {
  const others = (pod.status?.conditions ?? []).filter(
    (condition) => !KUBELET_CONDITIONS.has(condition.type ?? ""),
  );
  const ready = containersReady(pod, statuses, phase);
  const sandbox: Verdict = { status: sandboxChanged(pod, runtime).changed ? "False" : "True" };
  const own: [string, Verdict][] = [
    ["PodReadyToStartContainers", sandbox],
    ["Initialized", initialized(pod, statuses, phase)],
    ["Ready", podReady(pod, ready, others)],
    ["ContainersReady", ready],
    ["PodScheduled", TRUE],
  ];
  const observedGeneration = pod.metadata?.generation;
  const mine = own.map(([type, verdict]) => ({
    type,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...verdict,
  }));
  return [...others, ...mine];
}

/** Carries over the times of transitions: a condition's time changes only with its status. */
export function withTransitionTimes(
  conditions: readonly PodCondition[],
  before: PodStatus | undefined,
  now: string,
): PodCondition[] {
  return conditions.map((condition) => {
    if (!KUBELET_CONDITIONS.has(condition.type ?? "")) return condition;
    const old = before?.conditions?.find((c) => c.type === condition.type);
    const same = old?.status === condition.status && old?.lastTransitionTime !== undefined;
    return {
      ...condition,
      lastProbeTime: null as unknown as string,
      lastTransitionTime: same ? old.lastTransitionTime : now,
    };
  });
}
