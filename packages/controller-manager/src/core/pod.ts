/**
 * What controllers ask of a pod: is it active, ready, available, and which of several goes first?
 *
 * Source  pkg/controller/controller_utils.go ActivePodsWithRanks; pkg/api/v1/pod
 */
import type { Pod, PodCondition, PodTemplateSpec } from "@nanokube/api/core/v1";
import type { OwnerReference } from "@nanokube/api/meta/v1";
import { deepClone } from "@nanokube/machinery";
import { parseTime } from "./time.ts";

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** Done, one way or the other. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata?.deletionTimestamp === undefined;
}

/** Has a deletion time, and has not ended yet. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata?.deletionTimestamp !== undefined;
}

/** Ready for at least minReadySeconds. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false;
  if (minReadySeconds === 0) return true;
  const since = podCondition(pod, "Ready")?.lastTransitionTime;
  return since !== undefined && parseTime(since) + minReadySeconds * 1000 <= nowMs;
}

/** Until the next ready pod becomes available; undefined when time changes nothing. */
export function nextAvailabilityMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  if (minReadySeconds <= 0) return undefined;
  const waits = pods.filter(isPodReady).flatMap((pod) => {
    const since = podCondition(pod, "Ready")?.lastTransitionTime;
    const waitMs = parseTime(since) + minReadySeconds * 1000 - nowMs;
    return since !== undefined && waitMs > 0 ? [waitMs] : [];
  });
  return waits.length === 0 ? undefined : Math.min(...waits);
}

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Negative when `a` is to be deleted before `b`: unassigned, not running, not ready, dearer to lose
 * last.
 *
 * `ranks` counts the siblings on a pod's node: crowded nodes give first.
 */
export function compareForDeletion(
  a: Pod,
  b: Pod,
  ranks: ReadonlyMap<Pod, number>,
  nowMs: number,
): number {
  const assigned = Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName));
  if (assigned !== 0) return assigned;
  const phase = phaseRank(a) - phaseRank(b);
  if (phase !== 0) return phase;
  const ready = Number(isPodReady(a)) - Number(isPodReady(b));
  if (ready !== 0) return ready;
  const cost = deletionCost(a) - deletionCost(b);
  if (cost !== 0) return cost;
  const crowd = (ranks.get(b) ?? 0) - (ranks.get(a) ?? 0);
  if (crowd !== 0) return crowd;
  const ready1 = isPodReady(a) ? readySince(a) : createdNever;
  const ready2 = isPodReady(b) ? readySince(b) : createdNever;
  if (ready1 !== ready2) return compareAges(a, b, { aMs: ready1, bMs: ready2, nowMs });
  const [regularA, sidecarA] = maxRestarts(a);
  const [regularB, sidecarB] = maxRestarts(b);
  if (regularA !== regularB) return regularB - regularA;
  if (sidecarA !== sidecarB) return sidecarB - sidecarA;
  const [aMs, bMs] = [createdAt(a), createdAt(b)];
  return aMs === bMs ? 0 : compareAges(a, b, { aMs, bMs, nowMs });
}

function phaseRank(pod: Pod): number {
  return phaseOrder[pod.status?.phase ?? ""] ?? 0;
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata?.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "";
  return /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
}

/** Sorts before every time, as Go's zero time does. */
const createdNever = 0;

function readySince(pod: Pod): number {
  return parseTime(podCondition(pod, "Ready")?.lastTransitionTime) || createdNever;
}

function createdAt(pod: Pod): number {
  return parseTime(pod.metadata?.creationTimestamp) || createdNever;
}

/**
 * Younger first. Ages count by the power of two of their nanoseconds, and near equals go by uid:
 * that is as good as by chance, so that scaling down does not always hit the youngest.
 */
function compareAges(
  a: Pod,
  b: Pod,
  { aMs, bMs, nowMs }: { aMs: number; bMs: number; nowMs: number },
): number {
  if (aMs === createdNever) return -1;
  if (bMs === createdNever) return 1;
  const rank = (ms: number) => (nowMs > ms ? Math.floor(Math.log2((nowMs - ms) * 1e6)) : -1);
  const difference = rank(aMs) - rank(bMs);
  if (difference !== 0) return difference;
  return (a.metadata?.uid ?? "") < (b.metadata?.uid ?? "") ? -1 : 1;
}

/** Of containers, and of sidecars. */
function maxRestarts(pod: Pod): [regular: number, sidecar: number] {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? [])
      .filter((container) => container.restartPolicy === "Always")
      .map((container) => container.name),
  );
  const max = (statuses: readonly { restartCount?: number }[]) =>
    Math.max(0, ...statuses.map((status) => status.restartCount ?? 0));
  const init = pod.status?.initContainerStatuses ?? [];
  return [
    max(pod.status?.containerStatuses ?? []),
    max(init.filter((status) => sidecars.has(status.name))),
  ];
}

/** A pod as the template says, owned by the controller. */
export function podFromTemplate(
  template: PodTemplateSpec,
  namespace: string,
  owner: OwnerReference,
): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace,
      generateName: `${owner.name}-`,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [owner],
    },
    spec: deepClone(template.spec ?? {}),
  };
}
