/**
 * Replicas by use: up at once and by steps, down after a while, within bounds; what cannot be had
 * is told.
 */
import type { HorizontalPodAutoscaler } from "@nanokube/api/autoscaling/v2";
import { deployments, horizontalPodAutoscalers, pods, type ResourceRef } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { World } from "../../testing/world.ts";
import { formatTime } from "../time.ts";
import { createHorizontalPodAutoscalerController } from "./autoscaler.ts";
import { type PodUsage, replicasWanted } from "./usage.ts";

const random = createSeededRandom(1);
const podMetrics: ResourceRef = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  plural: "pods",
  namespaced: true,
  kind: "PodMetrics",
};
const meta = (name: string) => ({ namespace: "d", name, labels: { app: "web" } });

function worldWith(replicas: number, spec: object = {}): World {
  const world = new World(createHorizontalPodAutoscalerController());
  world.discovered = [{ ...deployments, kind: "Deployment", verbs: [] } as never];
  world.put(deployments, {
    metadata: meta("web"),
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: {} },
  });
  world.put(horizontalPodAutoscalers, {
    metadata: meta("web"),
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
  } as HorizontalPodAutoscaler);
  return world;
}

/** Every pod asks for 100m and uses so much. */
function use(world: World, milli: number): void {
  const { replicas = 0 } = world.get(deployments, "d/web")?.spec ?? {};
  for (const pod of world.list(pods)) world.remove(pods, `d/${pod.metadata?.name}`);
  for (let i = 0; i < replicas; i += 1) {
    const old = formatTime(world.nowMs - 3_600_000);
    world.put(pods, {
      metadata: meta(`p${i}`),
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "100m" } } }] },
      status: {
        phase: "Running",
        startTime: old,
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: old }],
      },
    });
    world.put(podMetrics, {
      metadata: meta(`p${i}`),
      timestamp: formatTime(world.nowMs),
      window: "30s",
      containers: [{ name: "c", usage: { cpu: `${milli}m` } }],
    } as never);
  }
}

/** Goes on for so many seconds, with that use at every one of them. */
function pass(world: World, seconds: number, milli: number): void {
  const until = world.nowMs + seconds * 1000;
  let state = "";
  while (world.nowMs < until) {
    const now = `${world.nowMs} ${size(world)}`;
    if (now !== state) use(world, milli);
    state = now;
    world.step(random);
  }
}

const size = (world: World) => world.get(deployments, "d/web")?.spec?.replicas;
const conditions = (world: World) =>
  Object.fromEntries(
    (world.get(horizontalPodAutoscalers, "d/web")?.status?.conditions ?? []).map((c) => [
      c.type,
      `${c.status} ${c.reason}`,
    ]),
  );

test("too much use makes it grow, to the bound and no further", () => {
  const world = worldWith(2);
  pass(world, 1, 100);
  expect(world.notes).toContain(
    "Normal SuccessfulRescale New size: 4; reason: cpu resource utilization (percentage of request) above target",
  );
  pass(world, 120, 100);
  expect(size(world)).toBe(10);
  expect(conditions(world)).toMatchObject({
    ScalingActive: "True ValidMetricFound",
    ScalingLimited: "True TooManyReplicas",
  });
});

test("little use makes it shrink, but not before five minutes of it", () => {
  const world = worldWith(6);
  pass(world, 200, 10);
  expect(size(world)).toBe(6);
  expect(conditions(world).AbleToScale).toBe("True ScaleDownStabilized");
  pass(world, 200, 10);
  expect(size(world)).toBeLessThanOrEqual(2);
  expect(world.notes.some((text) => text.endsWith("reason: All metrics below target"))).toBe(true);
});

test("use near the target changes nothing", () => {
  const world = worldWith(3);
  pass(world, 60, 53);
  expect(size(world)).toBe(3);
  expect(conditions(world).ScalingLimited).toBe("False DesiredWithinRange");
});

test("a metric that nobody serves is told in upstream's words", () => {
  const world = worldWith(3, { metrics: [{ type: "External", external: {} }] });
  for (let steps = 0; steps < 20; steps += 1) world.step(random);
  expect(size(world)).toBe(3);
  expect(conditions(world).ScalingActive).toBe("False FailedGetExternalMetric");
});

const question = (usage: Record<string, number | undefined>, target: number) => ({
  pods: Object.keys(usage).map((name) => ({
    metadata: { name },
    spec: { containers: [{ name: "c", resources: { requests: { memory: "1" } } }] },
    status: { phase: "Running" },
  })),
  usage: new Map<string, PodUsage>(
    Object.entries(usage).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, { timeMs: 0, windowMs: 0, value: value * 10 }] as const],
    ),
  ),
  resource: "memory",
  container: "",
  current: Object.keys(usage).length,
  target: { utilization: target },
  tolerance: { up: 0.1, down: 0.1 },
  nowMs: 0,
});

test.for([
  // use in percent of the request, target, replicas
  [{ a: 100, b: 100 }, 50, 4],
  [{ a: 20, b: 20, c: 20, d: 20 }, 50, 2],
  [{ a: 100, b: 100, c: undefined }, 50, 4],
  [{ a: 10, b: 10, c: undefined }, 50, 3],
  [{ a: 20, b: undefined, c: undefined }, 50, 3],
] as const)("%j at %i%% are %i", ([usage, target, want]) => {
  expect(replicasWanted(question(usage, target)).replicas).toBe(want);
});
