/**
 * A pod's phase, from the states of its containers.
 *
 * Pending    something has not been started yet
 * Running    all have been started and one runs, or one will run again
 * Succeeded / Failed  all ended for good: all with 0 / one not
 * Source     pkg/kubelet/kubelet_pods.go getPhase
 */
import type { Container, ContainerStatus, Pod, PodSpec } from "@nanokube/api/core/v1";
import { containersOf, initContainersOf, isSidecar, isStaticPod, statusOf } from "./pod.ts";
import { restartsAfter } from "./restart-policy.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

interface InitCount {
  pending: number;
  failedForGood: number;
}

/** The exit code of a container that ended, also when it waits for its next run. */
function lastExitCode(status: ContainerStatus | undefined): number | undefined {
  const state = status?.state;
  if (state?.terminated !== undefined) return state.terminated.exitCode ?? 0;
  if (state?.waiting === undefined) return undefined;
  const before = status?.lastState?.terminated;
  return before === undefined ? undefined : (before.exitCode ?? 0);
}

function countInit(spec: PodSpec, statuses: readonly ContainerStatus[]): InitCount {
  const count: InitCount = { pending: 0, failedForGood: 0 };
  for (const container of initContainersOf(spec)) {
    if (isSidecar(container)) continue;
    const exitCode = lastExitCode(statusOf(statuses, container.name));
    if (exitCode === undefined) count.pending += 1;
    else if (exitCode !== 0 && !restartsAfter(container, spec, exitCode)) count.failedForGood += 1;
  }
  return count;
}

interface MainCount {
  pendingSidecars: number;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

function countSidecar(count: MainCount, status: ContainerStatus | undefined): void {
  if (status === undefined) count.unknown += 1;
  else if (status.state?.running !== undefined) {
    if (status.started !== true) count.pendingSidecars += 1;
    count.running += 1;
  } else if (status.state?.terminated !== undefined) return;
  else if (status.state?.waiting !== undefined) {
    if (status.lastState?.terminated !== undefined) return;
    count.pendingSidecars += 1;
    count.waiting += 1;
  } else {
    count.pendingSidecars += 1;
    count.unknown += 1;
  }
}

function countMain(
  count: MainCount,
  spec: PodSpec,
  container: Container,
  status: ContainerStatus | undefined,
): void {
  if (status?.state?.running !== undefined) {
    count.running += 1;
    return;
  }
  const exitCode = lastExitCode(status);
  if (exitCode !== undefined) {
    count.stopped += 1;
    if (!restartsAfter(container, spec, exitCode)) count.stoppedForGood += 1;
    if (exitCode === 0 && status?.state?.terminated !== undefined) count.succeeded += 1;
  } else if (status?.state?.waiting !== undefined) count.waiting += 1;
  else count.unknown += 1;
}

export interface PhaseInput {
  pod: Pod;
  /** Init and main containers' statuses together. */
  statuses: readonly ContainerStatus[];
  /** Nothing will be started any more, whatever the restart policy says. */
  terminal: boolean;
  /** A main container was made in the present sandbox. */
  initialized: boolean;
}

export function podPhase({ pod, statuses, terminal, initialized }: PhaseInput): PodPhase {
  const spec = pod.spec ?? {};
  const init = countInit(spec, statuses);
  const count: MainCount = {
    pendingSidecars: 0,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  for (const container of initContainersOf(spec)) {
    if (isSidecar(container)) countSidecar(count, statusOf(statuses, container.name));
  }
  for (const container of containersOf(spec)) {
    countMain(count, spec, container, statusOf(statuses, container.name));
  }
  if (init.failedForGood > 0) return "Failed";
  if (init.pending > 0 || (count.pendingSidecars > 0 && !initialized)) return "Pending";
  if (count.waiting > 0) return "Pending";
  if (count.unknown > 0) return "Pending";
  if (count.running > 0) return "Running";
  if (count.stopped === 0) return "Pending";
  const ending = count.stopped === count.succeeded ? "Succeeded" : "Failed";
  if (terminal && !isStaticPod(pod)) return ending;
  return count.stopped !== count.stoppedForGood ? "Running" : ending;
}
