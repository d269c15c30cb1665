/**
 * Sandboxes, containers and images as the runtime remembers them, and as CRI shows them.
 *
 * Units  *AtNanos  nanoseconds since the epoch, rounded to what a double holds
 */
import { cri } from "@nanokube/rpc";

export interface Sandbox {
  id: string;
  config: cri.PodSandboxConfig;
  createdAtNanos: number;
  ready: boolean;
  ip: string;
  runtimeHandler: string;
}

export type ContainerPhase = "created" | "running" | "exited";

export interface ContainerRecord {
  id: string;
  sandboxID: string;
  config: cri.ContainerConfig;
  imageRef: string;
  phase: ContainerPhase;
  createdAtNanos: number;
  startedAtNanos: number;
  finishedAtNanos: number;
  exitCode: number;
  reason: string;
  message: string;
  logPath: string;
}

const STATE = {
  created: cri.ContainerState.CONTAINER_CREATED,
  running: cri.ContainerState.CONTAINER_RUNNING,
  exited: cri.ContainerState.CONTAINER_EXITED,
} as const;

const sandboxState = (sandbox: Sandbox): number =>
  sandbox.ready ? cri.PodSandboxState.SANDBOX_READY : cri.PodSandboxState.SANDBOX_NOTREADY;

export function toPodSandbox(sandbox: Sandbox) {
  const { config } = sandbox;
  return {
    id: sandbox.id,
    metadata: config.metadata,
    state: sandboxState(sandbox),
    createdAt: sandbox.createdAtNanos,
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: sandbox.runtimeHandler,
  };
}

export function toPodSandboxStatus(sandbox: Sandbox) {
  const options = sandbox.config.linux?.securityContext?.namespaceOptions;
  return {
    ...toPodSandbox(sandbox),
    network: { ip: sandbox.ip },
    linux: { namespaces: { options: options ?? {} } },
  };
}

export function toContainer(record: ContainerRecord) {
  const { config } = record;
  return {
    id: record.id,
    podSandboxId: record.sandboxID,
    metadata: config.metadata,
    image: config.image,
    imageRef: record.imageRef,
    state: STATE[record.phase],
    createdAt: record.createdAtNanos,
    labels: config.labels,
    annotations: config.annotations,
    imageId: record.imageRef,
  };
}

export function toContainerStatus(record: ContainerRecord) {
  const { config } = record;
  return {
    id: record.id,
    metadata: config.metadata,
    state: STATE[record.phase],
    createdAt: record.createdAtNanos,
    startedAt: record.startedAtNanos,
    finishedAt: record.finishedAtNanos,
    exitCode: record.exitCode,
    image: config.image,
    imageRef: record.imageRef,
    imageId: record.imageRef,
    reason: record.reason,
    message: record.message,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: record.logPath,
  };
}

const hasLabels = (labels: Record<string, string>, wanted: Record<string, string> | undefined) =>
  Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value);

export function matchesSandbox(
  sandbox: Sandbox,
  filter: cri.PodSandboxFilter | undefined,
): boolean {
  if (filter === undefined) return true;
  if (filter.id !== "" && !sandbox.id.startsWith(filter.id)) return false;
  if (filter.state !== undefined && filter.state.state !== sandboxState(sandbox)) return false;
  return hasLabels(sandbox.config.labels, filter.labelSelector);
}

export function matchesContainer(
  record: ContainerRecord,
  filter: cri.ContainerFilter | undefined,
): boolean {
  if (filter === undefined) return true;
  if (filter.id !== "" && !record.id.startsWith(filter.id)) return false;
  if (filter.podSandboxId !== "" && !record.sandboxID.startsWith(filter.podSandboxId)) return false;
  if (filter.state !== undefined && filter.state.state !== STATE[record.phase]) return false;
  return hasLabels(record.config.labels, filter.labelSelector);
}
