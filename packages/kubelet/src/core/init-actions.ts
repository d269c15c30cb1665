/**
 * Which init containers and sidecars must start, and is the pod initialized?
 *
 * Walks the list backwards: finished init containers may have been removed from the runtime, so the
 * last one that has a run tells how far the pod came. Sidecars after that point are kept running.
 *
 * Source  pkg/kubelet/kuberuntime/kuberuntime_container.go computeInitContainerActions
 */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { containerHash } from "./container-hash.ts";
import { containersOf, initContainersOf, isSidecar } from "./pod.ts";
import type { KillReason, PodActions, ProbeResults } from "./pod-actions.ts";
import { type Allocation, planContainerResize } from "./resize.ts";
import { restartsWhileRunning, shouldContainerRestart } from "./restart-policy.ts";
import { latestRun, type PodRuntimeStatus, type RuntimeContainer } from "./runtime-status.ts";

interface Walk {
  pod: Pod;
  status: PodRuntimeStatus;
  probes: ProbeResults;
  actions: PodActions;
  actuated: Allocation | undefined;
  start: number[];
  /** A later container has run, so everything before it was initialized once. */
  wasInitialized: boolean;
  initialized: boolean;
}

function kill(walk: Walk, run: RuntimeContainer, message: string, reason: KillReason): void {
  walk.actions.containersToKill.push({ id: run.id, name: run.name, message, reason });
}

/** This one is done for the first time: go on to the next, or to the main containers. */
function advance(walk: Walk, index: number): void {
  if (index === initContainersOf(walk.pod.spec).length - 1) walk.initialized = true;
  else if (!walk.wasInitialized) walk.start.push(index + 1);
}

function visitRunningSidecar(walk: Walk, index: number, c: Container, run: RuntimeContainer): void {
  if (c.startupProbe !== undefined) {
    const startup = walk.probes.startup(run.id);
    if (startup === undefined) return; // Not probed yet: wait.
    if (startup !== "success") {
      if (startup === "failure") {
        kill(walk, run, `Init container ${c.name} failed startup probe`, "StartupProbe");
        walk.start.push(index);
      }
      return;
    }
  }
  advance(walk, index);
  if (containerHash(c) !== run.hash) {
    kill(walk, run, `Init container ${c.name} definition changed`, "");
    walk.start.push(index);
    return;
  }
  if (c.livenessProbe !== undefined && walk.probes.liveness(run.id) === "failure") {
    kill(walk, run, `Init container ${c.name} failed liveness probe`, "LivenessProbe");
    walk.start.push(index);
    return;
  }
  resize(walk, index, c, run);
}

function resize(walk: Walk, index: number, c: Container, run: RuntimeContainer): void {
  if (!planContainerResize(walk.pod, c, run, walk.actuated, walk.actions.resize)) return;
  kill(walk, run, `Container ${c.name} resize requires restart`, "");
  walk.start.push(index);
}

/** Returns false when the pod has failed for good. */
function visitExited(walk: Walk, index: number, c: Container, run: RuntimeContainer): boolean {
  if (isSidecar(c)) {
    walk.start.push(index);
    return true;
  }
  if (run.exitCode === 0) {
    advance(walk, index);
    return true;
  }
  if (!shouldContainerRestart(c, walk.pod, walk.status)) return false;
  walk.start.push(index);
  return true;
}

function visitUnknown(walk: Walk, index: number, c: Container, run: RuntimeContainer): boolean {
  if (!isSidecar(c) && !restartsWhileRunning(c, walk.pod.spec)) return false;
  kill(walk, run, `Init container is in "unknown" state, try killing it before restart`, "Unknown");
  walk.start.push(index);
  return true;
}

/** Returns false when the pod has failed for good. */
function visit(walk: Walk, index: number, c: Container): boolean {
  const run = latestRun(walk.status, c.name);
  if (run === undefined) {
    if (walk.wasInitialized && isSidecar(c)) walk.start.push(index);
    return true;
  }
  if (walk.wasInitialized && !isSidecar(c)) return true;
  let alive = true;
  if (run.state === "created")
    walk.start.push(index); // Its start failed: try again.
  else if (run.state === "running") {
    if (isSidecar(c)) visitRunningSidecar(walk, index, c, run);
    else resize(walk, index, c, run);
  } else if (run.state === "exited") alive = visitExited(walk, index, c, run);
  else alive = visitUnknown(walk, index, c, run);
  if (alive) walk.wasInitialized = true;
  return alive;
}

/** Fills `actions` and answers whether the main containers may run. */
export function computeInitActions(
  pod: Pod,
  status: PodRuntimeStatus,
  probes: ProbeResults,
  actions: PodActions,
  actuated?: Allocation,
): boolean {
  const inits = initContainersOf(pod.spec);
  if (inits.length === 0) return true;
  // A main container that runs proves initialization; an ended one does not, as it may be of the
  // sandbox before (a rebooted node).
  const initialized = containersOf(pod.spec).some((c) => {
    const state = latestRun(status, c.name)?.state;
    return state === "running" || state === "created";
  });
  const walk: Walk = {
    pod,
    status,
    probes,
    actions,
    actuated,
    start: [],
    wasInitialized: initialized,
    initialized,
  };
  for (let index = inits.length - 1; index >= 0; index -= 1) {
    if (visit(walk, index, inits[index]!)) continue;
    actions.killPod = true;
    actions.initToStart = [];
    return false;
  }
  if (!walk.wasInitialized) walk.start.push(0);
  actions.initToStart = walk.start.reverse();
  return walk.initialized;
}
