/**
 * The conditions of a pod, from its containers; a time of change stays while the answer stays.
 *
 * Source  kubernetes pkg/kubelet/status/generate.go (GeneratePodReadyCondition, …)
 */
import type { ContainerStatus, Pod, PodCondition } from "@nanokube/api/core/v1";
import { formatTime } from "@nanokube/machinery";

export interface ConditionInput {
  pod: Pod;
  containerStatuses: readonly ContainerStatus[];
  initialized: boolean;
  running: boolean;
  phase: string;
  nowMs: number;
}

type Verdict = Omit<PodCondition, "type" | "lastTransitionTime">;

const yes: Verdict = { status: "True" };

export function podConditions(input: ConditionInput): PodCondition[] {
  const { pod, nowMs } = input;
  const previous = new Map((pod.status?.conditions ?? []).map((c) => [c.type ?? "", c]));
  const containers = containersReady(input);
  const verdicts: Record<string, Verdict> = {
    PodReadyToStartContainers: input.running ? yes : { status: "False" },
    Initialized: initialized(input),
    Ready: gates(pod, containers),
    ContainersReady: containers,
    PodScheduled: yes,
  };
  const observedGeneration = pod.metadata?.generation;
  const own = Object.entries(verdicts).map(([type, verdict]): PodCondition => {
    const before: PodCondition | undefined = previous.get(type);
    previous.delete(type);
    const stays = before !== undefined && before.status === verdict.status;
    const since = stays ? before.lastTransitionTime : undefined;
    return {
      type,
      ...(observedGeneration === undefined ? {} : { observedGeneration }),
      lastTransitionTime: since ?? formatTime(nowMs),
      ...verdict,
    };
  });
  // Conditions of others (readiness gates, disruption) are theirs to change.
  return [...own, ...previous.values()];
}

function initialized({ pod, initialized: done, phase }: ConditionInput): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  if (done) return yes;
  const names = (pod.spec?.initContainers ?? []).map((c) => c.name).join(" ");
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${names}]`,
  };
}

function containersReady({ containerStatuses, phase }: ConditionInput): Verdict {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return yes;
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function gates(pod: Pod, containers: Verdict): Verdict {
  if (containers.status !== "True") return containers;
  const closed = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (found?.status === "True") return [];
    return found === undefined
      ? [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`];
  });
  if (closed.length === 0) return yes;
  return { status: "False", reason: "ReadinessGatesNotReady", message: closed.join(", ") };
}
