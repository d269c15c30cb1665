/**
 * What the runtime says about one pod, in the kubelet's words.
 *
 * Shapes  sandboxes   newest first; only the newest counts, the others are rubbish to collect
 *         containers  newest first over all sandboxes, so that the first of a name is its last run
 * Units   *AtMs       milliseconds since the epoch; 0 when it has not happened
 * Source  pkg/kubelet/container/runtime.go PodStatus, Status
 */

import type { LifecycleHandler } from "@nanokube/api/core/v1";

export type ContainerState = "created" | "running" | "exited" | "unknown";

export interface RuntimeContainer {
  id: string;
  name: string;
  sandboxID: string;
  state: ContainerState;
  image: string;
  imageRef: string;
  /** Of the container's definition when it was made; differs when name or image was changed. */
  hash: string;
  restartCount: number;
  createdAtMs: number;
  startedAtMs: number;
  finishedAtMs: number;
  exitCode: number;
  reason: string;
  message: string;
  logPath: string;
  /** As the pod said when the container was made: all that is known of a pod that is gone. */
  gracePeriodSeconds?: number;
  preStop?: LifecycleHandler;
  user?: { uid: number; gid: number; supplementalGroups: number[] };
}

export interface RuntimeSandbox {
  id: string;
  attempt: number;
  ready: boolean;
  createdAtMs: number;
  ips: string[];
  hostNetwork: boolean;
}

export interface PodRuntimeStatus {
  uid: string;
  name: string;
  namespace: string;
  sandboxes: RuntimeSandbox[];
  containers: RuntimeContainer[];
}

export const emptyRuntimeStatus = (
  uid: string,
  name: string,
  namespace: string,
): PodRuntimeStatus => ({ uid, name, namespace, sandboxes: [], containers: [] });

/** The last run of the container, in whatever sandbox. */
export const latestRun = (
  status: PodRuntimeStatus,
  name: string | undefined,
): RuntimeContainer | undefined => status.containers.find((c) => c.name === name);

export const runningContainers = (status: PodRuntimeStatus): RuntimeContainer[] =>
  status.containers.filter((c) => c.state === "running");

/** Addresses of the pod: those of its newest sandbox while it is ready, else of the last one. */
export function runtimeIPs(status: PodRuntimeStatus): string[] {
  const sandbox = status.sandboxes[0];
  return sandbox?.ready === true ? sandbox.ips : [];
}

/** Containers that belong to the newest ready sandbox. */
export function activeContainers(status: PodRuntimeStatus): RuntimeContainer[] {
  const sandbox = status.sandboxes[0];
  if (sandbox?.ready !== true) return [];
  return status.containers.filter((c) => c.sandboxID === sandbox.id);
}
