/**
 * The status of a pod as the API server shall show it.
 *
 * Pure: what the runtime has, what was written before, probe verdicts and the node's address in;
 * a whole PodStatus out. Times of conditions come in as `now`.
 * Source  pkg/kubelet/kubelet_pods.go generateAPIPodStatus,
 *         pkg/kubelet/prober/prober_manager.go UpdatePodStatus
 */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "@nanokube/api/core/v1";
import { containerStatuses, type StartFailure } from "./container-statuses.ts";
import {
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
  isHostNetwork,
  isSidecar,
  isTerminalPhase,
} from "./pod.ts";
import { podConditions, withTransitionTimes } from "./pod-conditions.ts";
import { podPhase } from "./pod-phase.ts";
import { qosClass } from "./qos.ts";
import type { Allocation } from "./resize.ts";
import { activeContainers, type PodRuntimeStatus, runtimeIPs } from "./runtime-status.ts";

export interface ReadinessView {
  /** Has the startup probe passed, or is there none? */
  started(container: string, status: ContainerStatus): boolean;
  /** Has the readiness probe passed, or is there none? */
  ready(container: string, status: ContainerStatus): boolean;
}

/** The node asked the pod to go: over its deadline, or refused at the door. */
export interface Eviction {
  reason: string;
  message: string;
  /** The text of the DisruptionTarget condition, for a pod that others must replace. */
  disruption?: string;
}

export interface PodStatusInput {
  pod: Pod;
  /** The last status the kubelet made for this pod, else the API server's. */
  before: PodStatus | undefined;
  runtime: PodRuntimeStatus;
  runtimeName: string;
  probes: ReadinessView;
  failure(container: string): StartFailure | undefined;
  actuated?: Allocation | undefined;
  /** PodResizePending, PodResizeInProgress. */
  resizeConditions?: readonly PodCondition[];
  eviction?: Eviction | undefined;
  terminal: boolean;
  hostIPs: readonly string[];
  startTime: string;
  now: string;
}

function applyProbes(pod: Pod, statuses: ContainerStatus[], probes: ReadinessView, init: boolean) {
  for (const status of statuses) {
    const name = status.name ?? "";
    const running = status.state?.running !== undefined;
    const spec = initContainersOf(pod.spec).find((container) => container.name === name);
    status.started = running && probes.started(name, status);
    if (init && spec !== undefined && !isSidecar(spec)) {
      status.ready =
        status.state?.terminated?.exitCode === 0 && status.state.terminated !== undefined;
    } else status.ready = status.started && probes.ready(name, status);
  }
}

function addresses(input: PodStatusInput): Partial<PodStatus> {
  const { pod, before, runtime, hostIPs } = input;
  let ips = runtimeIPs(runtime);
  if (isHostNetwork(pod)) ips = [...hostIPs];
  // A pod that has ended keeps the address it had.
  if (ips.length === 0) ips = (before?.podIPs ?? []).map((entry) => entry.ip ?? "");
  return {
    ...(hostIPs.length === 0
      ? {}
      : { hostIP: hostIPs[0]!, hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(ips.length === 0 ? {} : { podIP: ips[0]!, podIPs: ips.map((ip) => ({ ip })) }),
  };
}

function phaseOf(input: PodStatusInput, statuses: ContainerStatus[]) {
  const { pod, before, runtime, terminal } = input;
  if (input.eviction !== undefined) {
    const { reason, message } = input.eviction;
    return { phase: "Failed", reason, message };
  }
  const active = new Set(activeContainers(runtime).map((run) => run.name));
  const initialized = containersOf(pod.spec).some((c) => active.has(c.name ?? ""));
  let phase: string = podPhase({ pod, statuses, terminal, initialized });
  // A pod that has ended stays as it ended.
  if (isTerminalPhase(before?.phase)) phase = before!.phase!;
  if (isTerminalPhase(pod.status?.phase)) phase = pod.status!.phase!;
  if (phase !== before?.phase) return { phase };
  const reason = before?.reason ?? pod.status?.reason;
  const message = before?.message ?? pod.status?.message;
  return {
    phase,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

/** Tells owners that the pod did not fail by itself. */
function disruptionTarget(
  { eviction, before, pod, now }: PodStatusInput,
  others: readonly PodCondition[],
): PodCondition[] {
  const type = "DisruptionTarget";
  if (eviction?.disruption === undefined || others.some((c) => c.type === type)) return [];
  const old = before?.conditions?.find((condition) => condition.type === type);
  if (old !== undefined) return [old];
  const observedGeneration = pod.metadata?.generation;
  return [
    {
      type,
      ...(observedGeneration === undefined ? {} : { observedGeneration }),
      status: "True",
      reason: "TerminationByKubelet",
      message: eviction.disruption,
      lastProbeTime: null as unknown as string,
      lastTransitionTime: now,
    },
  ];
}

export function podStatus(given: PodStatusInput): PodStatus {
  const input = { ...given, before: given.before ?? given.pod.status };
  const { pod, before, runtime, runtimeName, failure, probes } = input;
  const from = { pod, runtime, runtimeName, failure, actuated: given.actuated };
  const main = containerStatuses(from, containersOf(pod.spec), before?.containerStatuses, false);
  const init = containerStatuses(
    from,
    initContainersOf(pod.spec),
    before?.initContainerStatuses,
    true,
  );
  const ephemeral = containerStatuses(
    from,
    ephemeralContainersOf(pod.spec),
    before?.ephemeralContainerStatuses,
    false,
  );
  applyProbes(pod, main, probes, false);
  applyProbes(pod, init, probes, true);
  const statuses = [...init, ...main];
  const phase = phaseOf(input, statuses);
  const conditions = podConditions({ pod, runtime, statuses, phase: phase.phase });
  const resizing = isTerminalPhase(phase.phase) ? [] : (input.resizeConditions ?? []);
  return {
    ...(pod.metadata?.generation === undefined
      ? {}
      : { observedGeneration: pod.metadata.generation }),
    ...phase,
    conditions: [
      ...withTransitionTimes(conditions, before, input.now),
      ...resizing,
      ...disruptionTarget(input, conditions),
    ],
    ...addresses(input),
    startTime: input.startTime,
    containerStatuses: main,
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: qosClass(pod),
  };
}
