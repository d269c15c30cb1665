/**
 * A pod's row: READY, the STATUS word and RESTARTS, computed from the container statuses.
 *
 * Source  pkg/printers/internalversion/printers.go printPod
 */
import type { Container, ContainerStatus, Pod } from "@nanokube/api/core/v1";
import { age, columns, nameOf, since } from "../../table.ts";

export const podColumns = columns(
  "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*",
);

interface Tally {
  reason: string;
  ready: number;
  restarts: number;
  /** Milliseconds since the epoch of the newest end of an earlier run; 0 is never. */
  lastRestart: number;
}

export function isSidecar(container: Container | undefined): boolean {
  return container?.restartPolicy === "Always";
}

function lastEnd(status: ContainerStatus): number {
  const finished = status.lastState?.terminated?.finishedAt;
  return finished === undefined || finished === null ? 0 : Date.parse(finished);
}

function hasTrueCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((c) => c.type === type && c.status === "True");
}

/** What an init container's status says; undefined when it holds nothing up. */
function initReason(status: ContainerStatus, index: number, count: number, sidecar: boolean) {
  const { terminated, waiting } = status.state ?? {};
  if (terminated !== undefined && (terminated.exitCode ?? 0) === 0) return undefined;
  if (sidecar && status.started === true) return undefined;
  if (terminated !== undefined) {
    if (terminated.reason) return `Init:${terminated.reason}`;
    if (terminated.signal) return `Init:Signal:${terminated.signal}`;
    return `Init:ExitCode:${terminated.exitCode ?? 0}`;
  }
  if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${count}`;
}

function tallyInit(pod: Pod, tally: Tally): { initializing: boolean; sidecars: Tally } {
  const specs = new Map((pod.spec?.initContainers ?? []).map((c) => [c.name, c]));
  const sidecars: Tally = { reason: "", ready: 0, restarts: 0, lastRestart: 0 };
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(specs.get(status.name));
    for (const sum of sidecar ? [tally, sidecars] : [tally]) {
      sum.restarts += status.restartCount ?? 0;
      sum.lastRestart = Math.max(sum.lastRestart, lastEnd(status));
    }
    const reason = initReason(status, index, specs.size, sidecar);
    if (reason !== undefined) {
      tally.reason = reason;
      return { initializing: true, sidecars };
    }
    if (sidecar && status.state?.terminated === undefined && status.ready) tally.ready++;
  }
  return { initializing: false, sidecars };
}

function tallyContainers(pod: Pod, tally: Tally): void {
  let hasRunning = false;
  let errorReason = "";
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    tally.restarts += status.restartCount ?? 0;
    tally.lastRestart = Math.max(tally.lastRestart, lastEnd(status));
    const { terminated, waiting, running } = status.state ?? {};
    if (waiting?.reason) {
      tally.reason = waiting.reason;
    } else if (terminated !== undefined) {
      tally.reason =
        terminated.reason ||
        (terminated.signal
          ? `Signal:${terminated.signal}`
          : `ExitCode:${terminated.exitCode ?? 0}`);
      if ((terminated.exitCode ?? 0) !== 0) errorReason = tally.reason;
    } else if (status.ready && running !== undefined) {
      hasRunning = true;
      tally.ready++;
    }
  }
  if (tally.reason !== "Completed") return;
  if (hasRunning && hasTrueCondition(pod, "Ready")) tally.reason = "Running";
  else if (errorReason !== "") tally.reason = errorReason;
  else if (hasRunning) tally.reason = "NotReady";
}

function tallyPod(pod: Pod): Tally {
  const { status } = pod;
  const tally: Tally = {
    reason: status?.reason || status?.phase || "",
    ready: 0,
    restarts: 0,
    lastRestart: 0,
  };
  const gated = (status?.conditions ?? []).some(
    (c) => c.type === "PodScheduled" && c.reason === "SchedulingGated",
  );
  if (gated) tally.reason = "SchedulingGated";
  const { initializing, sidecars } = tallyInit(pod, tally);
  if (!initializing || hasTrueCondition(pod, "Initialized")) {
    tally.restarts = sidecars.restarts;
    tally.lastRestart = sidecars.lastRestart;
    tallyContainers(pod, tally);
  }
  const deleting = Boolean(pod.metadata?.deletionTimestamp);
  const terminal = status?.phase === "Succeeded" || status?.phase === "Failed";
  if (deleting && status?.reason === "NodeLost") tally.reason = "Unknown";
  else if (deleting && !terminal) tally.reason = "Terminating";
  return tally;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter(
    (gate) => pod.status?.conditions?.find((c) => c.type === gate.conditionType)?.status === "True",
  );
  return `${met.length}/${gates.length}`;
}

export function podRow(pod: Pod, now: number): unknown[] {
  const tally = tallyPod(pod);
  const total =
    (pod.spec?.containers ?? []).length + (pod.spec?.initContainers ?? []).filter(isSidecar).length;
  const restarts =
    tally.restarts !== 0 && tally.lastRestart !== 0
      ? `${tally.restarts} (${since(new Date(tally.lastRestart).toISOString(), now)} ago)`
      : String(tally.restarts);
  return [
    nameOf(pod),
    `${tally.ready}/${total}`,
    tally.reason,
    restarts,
    age(pod, now),
    pod.status?.podIPs?.[0]?.ip || "<none>",
    pod.spec?.nodeName || "<none>",
    pod.status?.nominatedNodeName || "<none>",
    readinessGates(pod),
  ];
}
