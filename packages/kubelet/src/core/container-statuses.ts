/**
 * containerStatuses of a pod's status, from what the runtime has and what the API said before.
 *
 * The runtime forgets (a rebooted node, a collected container), so the old status fills the gaps:
 * a container that ran and is gone has ended, even when nobody saw how.
 * Source  pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses
 */

import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  ResourceRequirements,
  VolumeMountStatus,
} from "@nanokube/api/core/v1";
import { formatTime } from "@nanokube/machinery";
import { containersOf, findContainer, initContainersOf, isSidecar } from "./pod.ts";
import type { Allocation } from "./resize.ts";
import { shouldContainerRestart } from "./restart-policy.ts";
import { latestRun, type PodRuntimeStatus, type RuntimeContainer } from "./runtime-status.ts";

/** Why a container could not be started: becomes its waiting state. */
export interface StartFailure {
  reason: string;
  message: string;
}

export interface StatusInput {
  pod: Pod;
  runtime: PodRuntimeStatus;
  runtimeName: string;
  /** What the runtime has taken for a running container; absent is what the pod asks for. */
  actuated?: Allocation | undefined;
  /** The last failure to start the container of that name. */
  failure(name: string): StartFailure | undefined;
}

const UNKNOWN_EXIT = 137;

function volumeMountStatuses(container: Container): VolumeMountStatus[] {
  return (container.volumeMounts ?? []).map((mount) => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly === true ? { readOnly: true, recursiveReadOnly: "Disabled" } : {}),
  }));
}

function stateOf(run: RuntimeContainer, id: string, old: ContainerStatus | undefined) {
  const state: ContainerState = {};
  if (run.state === "running") state.running = { startedAt: formatTime(run.startedAtMs) };
  else if (run.state === "exited") {
    state.terminated = {
      exitCode: run.exitCode,
      ...(run.reason !== "" ? { reason: run.reason } : {}),
      ...(run.message !== "" ? { message: run.message } : {}),
      startedAt: formatTime(run.startedAtMs),
      finishedAt: formatTime(run.finishedAtMs),
      containerID: id,
    };
  } else if (run.state === "unknown" && old?.state?.running !== undefined) {
    state.terminated = {
      reason: "ContainerStatusUnknown",
      message: "The container could not be located when the pod was terminated",
      exitCode: UNKNOWN_EXIT,
    };
  } else state.waiting = {};
  return state;
}

/** A running container has what the runtime took; only cpu and memory can differ from the spec. */
function resourcesOf(
  spec: Container,
  run: RuntimeContainer,
  actuated: ResourceRequirements | undefined,
): ResourceRequirements {
  const resources = spec.resources ?? {};
  if (run.state !== "running" || actuated === undefined) return resources;
  const one = (field: "requests" | "limits") => {
    const list: Record<string, string> | undefined = resources[field];
    if (list === undefined) return {};
    const have: Record<string, string> = actuated[field] ?? {};
    const mixed = { ...list };
    for (const name of ["cpu", "memory"]) if (have[name] !== undefined) mixed[name] = have[name];
    return { [field]: mixed };
  };
  return { ...resources, ...one("limits"), ...one("requests") };
}

function fromRun(
  input: StatusInput,
  run: RuntimeContainer,
  old: ContainerStatus | undefined,
  base: ContainerStatus,
): ContainerStatus {
  const id = `${input.runtimeName}://${run.id}`;
  const spec = findContainer(input.pod, run.name);
  const lost = run.state === "unknown" && old?.state?.running !== undefined;
  const sameRun = old?.containerID === id;
  return {
    name: run.name,
    restartCount: lost ? (old?.restartCount ?? 0) + 1 : run.restartCount,
    image: run.image,
    imageID: run.imageRef,
    containerID: id,
    state: stateOf(run, id, old),
    lastState: sameRun ? (old?.lastState ?? {}) : (base.lastState ?? {}),
    ready: false,
    volumeMounts: base.volumeMounts,
    ...(run.state === "running" && old?.started !== undefined && sameRun
      ? { started: old.started }
      : {}),
    ...(spec?.resources?.requests === undefined
      ? {}
      : { allocatedResources: spec.resources.requests }),
    ...(spec?.resources === undefined
      ? {}
      : { resources: resourcesOf(spec, run, input.actuated?.containers[run.name]) }),
    ...(run.user === undefined ? {} : { user: { linux: run.user } }),
  };
}

/**
 * Before the runtime is asked: waiting, or what the API server last heard of an ended container.
 */
function baseStatus(
  container: Container,
  old: ContainerStatus | undefined,
  waitingReason: string,
): ContainerStatus {
  if (old?.state?.terminated !== undefined) return { ...old };
  return {
    name: container.name,
    image: container.image,
    imageID: "",
    ready: false,
    restartCount: old?.restartCount ?? 0,
    state: { waiting: { reason: waitingReason } },
    lastState: old?.lastState ?? {},
    volumeMounts: volumeMountStatuses(container),
  };
}

/** It ran, and the runtime has never heard of it: it ended while nobody looked. */
function markLost(status: ContainerStatus, old: ContainerStatus | undefined, pod: Pod): void {
  if (old?.state?.running === undefined || status.lastState?.terminated !== undefined) return;
  status.lastState = {
    terminated: {
      reason: "ContainerStatusUnknown",
      message:
        "The container could not be located when the pod was deleted.  The container used to be Running",
      exitCode: UNKNOWN_EXIT,
      startedAt: null as unknown as string,
      finishedAt: null as unknown as string,
    },
  };
  if (pod.metadata?.deletionTimestamp === undefined) {
    status.restartCount = (status.restartCount ?? 0) + 1;
  }
}

/** A container that is to be started and could not be is waiting, with the reason. */
function applyFailure(
  input: StatusInput,
  container: Container,
  status: ContainerStatus,
  isInit: boolean,
): void {
  const { pod, runtime } = input;
  const run = latestRun(runtime, container.name);
  if (isInit) {
    if (run?.state === "exited" && run.exitCode === 0) return;
    const mainMade = containersOf(pod.spec).some((c) => latestRun(runtime, c.name) !== undefined);
    const waits = status.state?.waiting !== undefined;
    if (run === undefined && mainMade && !isSidecar(container) && waits) {
      status.state = {
        terminated: {
          reason: "Completed",
          message:
            "Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally",
          exitCode: 0,
        },
      };
      return;
    }
  }
  if (!shouldContainerRestart(container, pod, runtime)) return;
  const failure = input.failure(container.name ?? "");
  if (failure === undefined) return;
  if (status.state?.terminated !== undefined) status.lastState = status.state;
  status.state = {
    waiting: {
      reason: failure.reason,
      ...(failure.message !== "" ? { message: failure.message } : {}),
    },
  };
}

/** The statuses of one of the pod's three lists of containers. */
export function containerStatuses(
  input: StatusInput,
  containers: readonly Container[],
  previous: readonly ContainerStatus[] | undefined,
  isInit: boolean,
): ContainerStatus[] {
  const { pod, runtime } = input;
  const hasInit = initContainersOf(pod.spec).length > 0;
  const waitingReason = hasInit ? "PodInitializing" : "ContainerCreating";
  const result: ContainerStatus[] = [];
  for (const container of containers) {
    const old = previous?.find((status) => status.name === container.name);
    let status = baseStatus(container, old, waitingReason);
    const runs = runtime.containers.filter((run) => run.name === container.name);
    const [last, before] = runs;
    if (last === undefined) markLost(status, old, pod);
    else {
      status = fromRun(input, last, old, status);
      if (before !== undefined) {
        status.lastState = stateOf(before, `${input.runtimeName}://${before.id}`, undefined);
      }
    }
    applyFailure(input, container, status, isInit);
    result.push(status);
  }
  // Upstream keeps init containers in the order of the spec and sorts the others by name.
  return isInit ? result : result.sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
}
