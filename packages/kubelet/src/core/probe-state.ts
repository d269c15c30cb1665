/**
 * When is a probe run, and what does its result mean? One state machine per container and kind.
 *
 * Verdict  what the kubelet acts on; changes only after `threshold` equal results in a row
 * Hold     after a liveness failure or a decided startup probe nothing is probed until the
 *          container is a new one
 * Source   pkg/kubelet/prober/worker.go doProbe
 */
import type { Container, ContainerStatus, Pod, Probe } from "@nanokube/api/core/v1";
import { isSidecar, isTerminalPhase, statusOf } from "./pod.ts";
import type { ProbeVerdict } from "./pod-actions.ts";
import { restartsAfter } from "./restart-policy.ts";
import { parseTime } from "./time.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

export interface ProbeState {
  containerID: string;
  verdict: ProbeVerdict | undefined;
  onHold: boolean;
  lastResult: ProbeVerdict | undefined;
  run: number;
}

export const newProbeState = (): ProbeState => ({
  containerID: "",
  verdict: undefined,
  onHold: false,
  lastResult: undefined,
  run: 0,
});

/** Before the first result: nothing is ready or started, everything is alive. */
export const initialVerdict = (kind: ProbeKind): ProbeVerdict => {
  if (kind === "readiness") return "failure";
  return kind === "liveness" ? "success" : "unknown";
};

export interface ProbeSubject {
  kind: ProbeKind;
  probe: Probe;
  pod: Pod;
  container: Container;
}

/** run: probe now; wait: at the next tick; stop: never again. */
export type ProbeStep = "run" | "wait" | "stop";

function onEnded(subject: ProbeSubject, state: ProbeState, status: ContainerStatus): ProbeStep {
  if (state.containerID !== "") state.verdict = "failure";
  const ended = status.state?.terminated;
  if (ended === undefined) return "wait";
  const again = restartsAfter(subject.container, subject.pod.spec ?? {}, ended.exitCode ?? 0);
  return again || isSidecar(subject.container) ? "wait" : "stop";
}

/**
 * What to do at this tick. Changes the state when the container is a new one.
 * `restartedAtMs`: containers older than that were running before this kubelet was.
 */
export function nextProbeStep(
  subject: ProbeSubject,
  state: ProbeState,
  nowMs: number,
  restartedAtMs: number,
): ProbeStep {
  const { kind, pod, container, probe } = subject;
  const status = pod.status;
  if (isTerminalPhase(status?.phase)) return "stop";
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const current = statusOf(all, container.name);
  const id = current?.containerID ?? "";
  if (current === undefined || id === "") return "wait";
  const startedAtMs = parseTime(current.state?.running?.startedAt);
  if (state.containerID !== id) {
    Object.assign(state, newProbeState(), { containerID: id });
    const known = startedAtMs > 0 && startedAtMs < restartedAtMs;
    // After a restart of the kubelet a running container keeps what it was known to be.
    if (!known) state.verdict = initialVerdict(kind);
    else if (kind === "startup" && current.started === true) state.verdict = "success";
  }
  if (state.onHold) return "wait";
  if (current.state?.running === undefined) return onEnded(subject, state, current);
  if (pod.metadata?.deletionTimestamp !== undefined && kind !== "readiness") {
    state.verdict = "success"; // Quiet shutdown.
    return "stop";
  }
  const ageSeconds = Math.floor((nowMs - startedAtMs) / 1000);
  if (ageSeconds < (probe.initialDelaySeconds ?? 0)) return "wait";
  const started = current.started === true;
  if (kind === "startup") return started ? "wait" : "run";
  return started ? "run" : "wait";
}

/** Enter a result; answers whether the verdict changed. */
export function enterProbeResult(
  subject: ProbeSubject,
  state: ProbeState,
  result: "success" | "failure",
): boolean {
  const { kind, probe } = subject;
  state.run = state.lastResult === result ? state.run + 1 : 1;
  state.lastResult = result;
  const threshold =
    result === "failure" ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
  if (state.run < threshold) return false;
  const changed = state.verdict !== result;
  state.verdict = result;
  if (kind === "startup" || (kind === "liveness" && result === "failure")) {
    state.onHold = true;
    state.run = 0;
  }
  return changed;
}
