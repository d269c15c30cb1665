/**
 * PodDisruptionBudget: how many of its pods may be evicted now. The eviction itself is the API
 * server's affair: it takes from `disruptionsAllowed`, and notes the pod in `disruptedPods` until
 * we see it go.
 *
 * Source  pkg/controller/disruption/disruption.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "@nanokube/api/policy/v1";
import {
  deployments,
  keyOf,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  splitKey,
  statefulSets,
} from "@nanokube/client";
import { deepEqual, labelSelectorToSelector } from "@nanokube/machinery";
import { findCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watch, watchOwn } from "../controller.ts";
import { scaled } from "../int-or-percent.ts";
import { controllerOf } from "../ownership.ts";
import { isPodReady, isPodTerminal } from "../pod.ts";
import { note, type Steps, updateStatus } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";

/** An eviction that the API server granted, but that never happened, is forgotten after this. */
const disruptedPodMs = 120_000;

export function createDisruptionController(): Controller {
  return {
    name: "disruption-controller",
    component: "controllermanager",
    watches: [
      watchOwn(podDisruptionBudgets),
      watch(pods, budgetsOf),
      watch(deployments, () => []),
      watch(replicaSets, () => []),
      watch(replicationControllers, () => []),
      watch(statefulSets, () => []),
    ],
    reconcile: reconcileDisruption,
  };
}

function budgetsOf(pod: Pod, caches: Caches): string[] {
  return caches
    .of(podDisruptionBudgets)
    .byNamespace(pod.metadata?.namespace ?? "")
    .filter((budget) => selects(budget, pod))
    .map(keyOf);
}

/** policy/v1: an empty selector selects all pods of the namespace, an absent one none. */
function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
  const selector = budget.spec?.selector;
  return selector !== undefined && labelSelectorToSelector(selector).matches(pod.metadata?.labels);
}

export function* reconcileDisruption(
  key: string,
  { caches, nowMs }: Context,
): Steps<number | undefined> {
  const { namespace, name } = splitKey(key);
  const budget = caches.of(podDisruptionBudgets).get(namespace, name);
  if (budget === undefined) return undefined;
  const own = caches
    .of(pods)
    .byNamespace(namespace)
    .filter((pod) => selects(budget, pod) && !isPodTerminal(pod));
  let counts: Counts;
  try {
    counts = expectedCounts(budget, own, caches);
  } catch (error) {
    const message = (error as Error).message;
    yield* note(
      budget,
      "Warning",
      "CalculateExpectedPodCountFailed",
      `Failed to calculate the number of expected pods: ${message}`,
    );
    yield* write(budget, failedStatus(budget, message, nowMs));
    return undefined;
  }
  if (own.length === 0) yield* note(budget, "Normal", "NoPods", "No matching pods found");
  const disruptedPods = stillDisrupted(budget, own, nowMs);
  const healthy = own.filter(
    (pod) =>
      isPodReady(pod) &&
      pod.metadata?.deletionTimestamp === undefined &&
      disruptedPods[pod.metadata?.name ?? ""] === undefined,
  ).length;
  const allowed = counts.expected <= 0 ? 0 : Math.max(0, healthy - counts.desired);
  const status: PodDisruptionBudgetStatus = {
    currentHealthy: healthy,
    desiredHealthy: counts.desired,
    expectedPods: counts.expected,
    disruptionsAllowed: allowed,
    observedGeneration: budget.metadata?.generation ?? 0,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: conditionsWith(
      budget,
      allowed > 0 ? ["True", "SufficientPods"] : ["False", "InsufficientPods"],
      "",
      nowMs,
    ),
  };
  yield* write(budget, status);
  const times = Object.values(disruptedPods).map(
    (time) => parseTime(time) + disruptedPodMs - nowMs,
  );
  return times.length === 0 ? undefined : Math.max(1, Math.min(...times));
}

interface Counts {
  expected: number;
  desired: number;
}

function expectedCounts(budget: PodDisruptionBudget, own: readonly Pod[], caches: Caches): Counts {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const expected = controllersScale(own, caches);
    return { expected, desired: Math.max(0, expected - scaled(maxUnavailable, expected, "up")) };
  }
  if (typeof minAvailable === "number") return { expected: own.length, desired: minAvailable };
  if (minAvailable === undefined) return { expected: own.length, desired: 0 };
  const expected = controllersScale(own, caches);
  return { expected, desired: scaled(minAvailable, expected, "up") };
}

/** A share needs to know of what: the replicas of the pods' controllers, each counted once. */
function controllersScale(own: readonly Pod[], caches: Caches): number {
  const scales = new Map<string, number>();
  for (const pod of own) {
    const reference = controllerOf(pod);
    const { namespace = "", name } = pod.metadata ?? {};
    if (reference === undefined) {
      throw new Error(`found no controllers for pod "${name}"`);
    }
    const found = scaleOf(namespace, reference.kind ?? "", reference.name ?? "", caches);
    if (found === undefined) {
      throw new Error(
        `${reference.kind} "${reference.name}" does not implement the scale subresource`,
      );
    }
    scales.set(found.uid, found.replicas);
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

function scaleOf(
  namespace: string,
  kind: string,
  name: string,
  caches: Caches,
): { uid: string; replicas: number } | undefined {
  const known = {
    ReplicaSet: replicaSets,
    ReplicationController: replicationControllers,
    StatefulSet: statefulSets,
    Deployment: deployments,
  } as const;
  const resource = known[kind as keyof typeof known];
  if (resource === undefined) return undefined;
  const object = caches.of(resource as typeof replicaSets).get(namespace, name);
  if (object === undefined) return undefined;
  const parent = kind === "ReplicaSet" ? controllerOf(object) : undefined;
  if (parent?.kind === "Deployment")
    return scaleOf(namespace, "Deployment", parent.name ?? "", caches);
  return { uid: object.metadata?.uid ?? "", replicas: object.spec?.replicas ?? 1 };
}

function stillDisrupted(
  budget: PodDisruptionBudget,
  own: readonly Pod[],
  nowMs: number,
): Record<string, string> {
  const alive = new Set(
    own
      .filter((pod) => pod.metadata?.deletionTimestamp === undefined)
      .map((pod) => pod.metadata?.name ?? ""),
  );
  const kept = Object.entries(budget.status?.disruptedPods ?? {}).filter(
    ([name, time]) => alive.has(name) && parseTime(time) + disruptedPodMs > nowMs,
  );
  return Object.fromEntries(kept);
}

function conditionsWith(
  budget: PodDisruptionBudget,
  [status, reason]: readonly [status: "True" | "False", reason: string],
  message: string,
  nowMs: number,
): NonNullable<PodDisruptionBudgetStatus["conditions"]> {
  const old = findCondition(budget.status?.conditions, "DisruptionAllowed");
  const others = (budget.status?.conditions ?? []).filter((condition) => condition !== old);
  const lastTransitionTime = old?.status === status ? old.lastTransitionTime : formatTime(nowMs);
  const observedGeneration = budget.metadata?.generation ?? 0;
  return [
    ...others,
    { type: "DisruptionAllowed", status, reason, message, lastTransitionTime, observedGeneration },
  ];
}

/** When in doubt, nobody is evicted. */
function failedStatus(
  budget: PodDisruptionBudget,
  message: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...budget.status,
    disruptionsAllowed: 0,
    observedGeneration: budget.metadata?.generation ?? 0,
    conditions: conditionsWith(budget, ["False", "SyncFailed"], message, nowMs),
  };
}

function* write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Steps {
  if (deepEqual(status, budget.status ?? {})) return;
  yield* updateStatus(podDisruptionBudgets, { ...budget, status });
}
