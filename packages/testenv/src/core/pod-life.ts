/**
 * A scripted pod as a function of time: the status that a kubelet would report now.
 *
 * Pure: the same pod, scripts and times give the same status. Ordinary init containers end at once
 * unless their script says otherwise; sidecars (restartPolicy Always) run on.
 *
 * Source  kubernetes pkg/kubelet/kubelet_pods.go (getPhase, convertToAPIContainerStatuses),
 *         pkg/kubelet/status/generate.go
 */
import type { Container, ContainerStatus, Pod, PodStatus } from "@nanokube/api/core/v1";
import type { Behaviour } from "@nanokube/cri-embedded";
import { formatTime } from "@nanokube/machinery";
import {
  type ContainerLife,
  containerLife,
  nearer,
  type RestartPolicy,
  type Run,
} from "./container-life.ts";
import { podConditions } from "./pod-conditions.ts";

export interface PodLifeOptions {
  pod: Pod;
  /** When the node began with the pod. */
  startMs: number;
  nowMs: number;
  hostIP: string;
  podIP: string;
  script(container: Container, isInit: boolean): Behaviour;
}

export interface PodLife {
  status: PodStatus;
  /** When the status changes next by itself. */
  nextMs: number | undefined;
}

interface Named {
  container: Container;
  life: ContainerLife | undefined;
}

export function podLife(options: PodLifeOptions): PodLife {
  const { pod, startMs, hostIP, podIP } = options;
  const policy = (pod.spec?.restartPolicy ?? "Always") as RestartPolicy;
  const init = initLife(options, policy);
  const main: Named[] = (pod.spec?.containers ?? []).map((container) => ({
    container,
    life:
      init.doneMs === undefined
        ? undefined
        : lifeOf(options, container, false, policy, init.doneMs),
  }));
  const phase = init.failed ? "Failed" : phaseOf(main);
  const nextMs = [...init.containers, ...main].reduce<number | undefined>(
    (next, { life }) => nearer(next, life?.nextMs),
    undefined,
  );
  const running = phase === "Running" || phase === "Pending";
  const containerStatuses = main.map((m) => statusOf(pod, m, "PodInitializing"));
  const status: PodStatus = {
    ...pod.status,
    phase,
    startTime: formatTime(startMs),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    containerStatuses,
    ...(init.containers.length === 0
      ? {}
      : { initContainerStatuses: init.containers.map((m) => statusOf(pod, m, "PodInitializing")) }),
  };
  status.conditions = podConditions({
    pod,
    containerStatuses,
    initialized: init.doneMs !== undefined,
    running,
    phase,
    nowMs: options.nowMs,
  });
  return { status, nextMs };
}

function lifeOf(
  options: PodLifeOptions,
  container: Container,
  isInit: boolean,
  policy: RestartPolicy,
  startMs: number,
): ContainerLife {
  const script = options.script(container, isInit);
  return containerLife({ script, policy, startMs, nowMs: options.nowMs });
}

/** Init containers run one after the other; `doneMs` is when the last of them had ended. */
function initLife(
  options: PodLifeOptions,
  policy: RestartPolicy,
): { containers: Named[]; doneMs: number | undefined; failed: boolean } {
  let doneMs: number | undefined = options.startMs;
  let failed = false;
  const containers = (options.pod.spec?.initContainers ?? []).map((container): Named => {
    if (doneMs === undefined) return { container, life: undefined };
    const isSidecar = container.restartPolicy === "Always";
    // An init container that succeeded is done, whatever the pod's policy says.
    const own = isSidecar ? "Always" : policy === "Never" ? "Never" : "OnFailure";
    const life = lifeOf(options, container, true, own, doneMs);
    if (isSidecar) return { container, life };
    const ended = life.state.kind === "ended" ? life.state.run : undefined;
    failed ||= ended !== undefined && ended.exitCode !== 0;
    doneMs = ended?.exitCode === 0 ? ended.endedMs : undefined;
    return { container, life };
  });
  return { containers, doneMs, failed };
}

function phaseOf(containers: readonly Named[]): string {
  const lives = containers.map(({ life }) => life);
  if (lives.some((life) => life === undefined || life.state.kind === "refused")) return "Pending";
  if (!lives.every((life) => life!.state.kind === "ended")) return "Running";
  const codes = lives.map((life) => (life!.state as { run: Run }).run.exitCode);
  return codes.every((code) => code === 0) ? "Succeeded" : "Failed";
}

function statusOf(pod: Pod, { container, life }: Named, waiting: string): ContainerStatus {
  const name = container.name ?? "";
  const restartCount = life?.restarts ?? 0;
  const id = (run: number) => `nanokube://${pod.metadata?.uid}/${name}/${run}`;
  const begun = life !== undefined && life.state.kind !== "refused";
  const status: ContainerStatus = {
    name,
    image: container.image ?? "",
    imageID: "",
    ready: life?.state.kind === "running" && life.state.ready,
    started: life?.state.kind === "running",
    restartCount,
    state: {},
    lastState: {},
    ...(begun ? { containerID: id(restartCount) } : {}),
  };
  if (life?.lastRun !== undefined) {
    const last = life.state.kind === "backing-off" ? restartCount : restartCount - 1;
    status.lastState = { terminated: terminated(life.lastRun, id(last)) };
  }
  if (life === undefined) status.state = { waiting: { reason: waiting } };
  else if (life.state.kind === "running") {
    status.state = { running: { startedAt: formatTime(life.state.run.startedMs) } };
  } else if (life.state.kind === "ended") {
    status.state = { terminated: terminated(life.state.run, id(restartCount)) };
    // A finished init container counts as ready.
    status.ready = isInitOf(pod, container) && life.state.run.exitCode === 0;
  } else if (life.state.kind === "refused") {
    status.state = { waiting: { reason: "RunContainerError", message: life.state.message } };
  } else status.state = { waiting: backOff(pod, name, life.state.waitMs) };
  return status;
}

const isInitOf = (pod: Pod, container: Container) =>
  pod.spec?.initContainers?.includes(container) ?? false;

function backOff(pod: Pod, name: string, waitMs: number) {
  const { namespace, name: podName, uid } = pod.metadata ?? {};
  const wait =
    waitMs >= 60_000
      ? `${Math.floor(waitMs / 60_000)}m${(waitMs % 60_000) / 1000}s`
      : `${waitMs / 1000}s`;
  return {
    reason: "CrashLoopBackOff",
    message: `back-off ${wait} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`,
  };
}

function terminated(run: Run, containerID: string) {
  return {
    exitCode: run.exitCode,
    reason: run.exitCode === 0 ? "Completed" : "Error",
    startedAt: formatTime(run.startedMs),
    finishedAt: formatTime(run.endedMs ?? run.startedMs),
    containerID,
  };
}
