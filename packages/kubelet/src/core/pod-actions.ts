/**
 * What must be done to a pod's sandbox and containers, given what the runtime has.
 *
 * Pure: the same pod, runtime status and probe results give the same actions.
 * `io/runtime-manager.ts` carries them out in the order: kill, sandbox, ephemeral, init, main.
 *
 * Shapes  killPod            stop every container and the sandbox
 *         createSandbox      make a new sandbox of number `attempt`
 *         init/main/ephemeral  indexes into the spec's lists, in the order to start them
 *         resize             running containers that get other resources without a restart
 *         containersToKill   running containers that must end, with upstream's message
 * Source  pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { containerHash } from "./container-hash.ts";
import { computeInitActions } from "./init-actions.ts";
import { containersOf, ephemeralContainersOf, initContainersOf, isHostNetwork } from "./pod.ts";
import {
  type Allocation,
  noResize,
  planContainerResize,
  type ResizePlan,
  sameResources,
} from "./resize.ts";
import { restartsWhileRunning, shouldContainerRestart } from "./restart-policy.ts";
import { latestRun, type PodRuntimeStatus, type RuntimeContainer } from "./runtime-status.ts";

export type KillReason = "" | "LivenessProbe" | "StartupProbe" | "FailedPostStartHook" | "Unknown";

export interface ContainerToKill {
  id: string;
  name: string;
  message: string;
  reason: KillReason;
}

export interface PodActions {
  killPod: boolean;
  createSandbox: boolean;
  sandboxID: string;
  attempt: number;
  initToStart: number[];
  containersToStart: number[];
  ephemeralToStart: number[];
  containersToKill: ContainerToKill[];
  resize: ResizePlan;
}

export type ProbeVerdict = "success" | "failure" | "unknown";

/** The last verdict of a container's probes; undefined when none was given yet. */
export interface ProbeResults {
  liveness(containerID: string): ProbeVerdict | undefined;
  startup(containerID: string): ProbeVerdict | undefined;
}

interface SandboxVerdict {
  changed: boolean;
  attempt: number;
  sandboxID: string;
}

/** Does the pod need a (new) sandbox? */
export function sandboxChanged(pod: Pod, status: PodRuntimeStatus): SandboxVerdict {
  const newest = status.sandboxes[0];
  if (newest === undefined) return { changed: true, attempt: 0, sandboxID: "" };
  const again = { changed: true, attempt: newest.attempt + 1, sandboxID: newest.id };
  if (status.sandboxes.filter((sandbox) => sandbox.ready).length > 1 || !newest.ready) return again;
  if (newest.hostNetwork !== isHostNetwork(pod)) return { ...again, sandboxID: "" };
  if (!newest.hostNetwork && newest.ips.length === 0) return again;
  return { changed: false, attempt: newest.attempt, sandboxID: newest.id };
}

const succeeded = (run: RuntimeContainer | undefined): boolean =>
  run?.state === "exited" && run.exitCode === 0;

/** With a new sandbox everything starts over, except what has already done its work. */
function actionsForNewSandbox(pod: Pod, status: PodRuntimeStatus, actions: PodActions): PodActions {
  const never = pod.spec?.restartPolicy === "Never";
  if (never && actions.attempt !== 0 && status.containers.length !== 0) {
    return { ...actions, createSandbox: false };
  }
  const toStart: number[] = [];
  for (const [index, container] of containersOf(pod.spec).entries()) {
    const policy = container.restartPolicy ?? pod.spec?.restartPolicy;
    if (policy === "OnFailure" && succeeded(latestRun(status, container.name))) continue;
    toStart.push(index);
  }
  const ranBefore = containersOf(pod.spec).some((c) => latestRun(status, c.name) !== undefined);
  if (toStart.length === 0 && ranBefore) return { ...actions, createSandbox: false };
  if (initContainersOf(pod.spec).length > 0) return { ...actions, initToStart: [0] };
  return { ...actions, containersToStart: toStart };
}

/** Why a running container must go, or undefined when it may stay. */
function reasonToKill(
  container: Container,
  run: RuntimeContainer,
  probes: ProbeResults,
): { message: string; reason: KillReason; forced: boolean } | undefined {
  const name = container.name;
  if (containerHash(container) !== run.hash) {
    return { message: `Container ${name} definition changed`, reason: "", forced: true };
  }
  if (probes.liveness(run.id) === "failure") {
    const message = `Container ${name} failed liveness probe`;
    return { message, reason: "LivenessProbe", forced: false };
  }
  if (probes.startup(run.id) === "failure") {
    const message = `Container ${name} failed startup probe`;
    return { message, reason: "StartupProbe", forced: false };
  }
  return undefined;
}

/** Decide on the main containers; returns how many running ones are kept. */
function decideMainContainers(
  pod: Pod,
  status: PodRuntimeStatus,
  probes: ProbeResults,
  actuated: Allocation | undefined,
  actions: PodActions,
): number {
  let kept = 0;
  for (const [index, container] of containersOf(pod.spec).entries()) {
    const run = latestRun(status, container.name);
    if (run?.state !== "running") {
      if (!shouldContainerRestart(container, pod, status)) continue;
      actions.containersToStart.push(index);
      if (run?.state === "unknown") {
        // It may be running after all: two instances at once would be worse than a needless kill.
        const message = `Container is in "unknown" state, try killing it before restart`;
        actions.containersToKill.push({ id: run.id, name: run.name, message, reason: "Unknown" });
      }
      continue;
    }
    const why = reasonToKill(container, run, probes);
    if (why === undefined) {
      if (planContainerResize(pod, container, run, actuated, actions.resize)) {
        actions.containersToStart.push(index);
        const message = `Container ${container.name} resize requires restart`;
        actions.containersToKill.push({ id: run.id, name: run.name, message, reason: "" });
      } else kept += 1;
      continue;
    }
    const restart = why.forced || restartsWhileRunning(container, pod.spec);
    if (restart) actions.containersToStart.push(index);
    const message = restart ? `${why.message}, will be restarted` : why.message;
    actions.containersToKill.push({ id: run.id, name: run.name, message, reason: why.reason });
  }
  return kept;
}

/** The pod's next actions. */
export function computePodActions(
  pod: Pod,
  status: PodRuntimeStatus,
  probes: ProbeResults,
  actuated?: Allocation,
): PodActions {
  const { changed, attempt, sandboxID } = sandboxChanged(pod, status);
  const actions: PodActions = {
    killPod: changed,
    createSandbox: changed,
    sandboxID,
    attempt,
    initToStart: [],
    containersToStart: [],
    ephemeralToStart: [],
    containersToKill: [],
    resize: noResize(),
  };
  if (changed) return actionsForNewSandbox(pod, status, actions);

  for (const [index, container] of ephemeralContainersOf(pod.spec).entries()) {
    if (latestRun(status, container.name) === undefined) actions.ephemeralToStart.push(index);
  }
  const initialized = computeInitActions(pod, status, probes, actions, actuated);
  if (actuated !== undefined && !sameResources(actuated.pod, pod.spec?.resources)) {
    actions.resize.pod = true;
  }
  if (actions.killPod || !initialized) return actions;

  const kept = decideMainContainers(pod, status, probes, actuated, actions);
  if (kept === 0 && actions.containersToStart.length === 0) {
    actions.killPod = true;
    actions.initToStart = []; // A sidecar must not keep a finished pod alive.
  }
  return actions;
}
