/** StatefulSets under late events: order, names that are never twice, partitions. */
import type { StatefulSet } from "@nanokube/api/apps/v1";
import { persistentVolumeClaims, pods, statefulSets } from "@nanokube/client";
import { createSeededRandom, type Random } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { movePod } from "../../testing/kubelet.ts";
import { losing, World } from "../../testing/world.ts";
import { isPodReady } from "../pod.ts";
import { createStatefulSetController } from "./statefulset.ts";

const template = (image: string) => ({
  metadata: { labels: { app: "db" } },
  spec: { containers: [{ name: "c", image }] },
});
const statefulSet = (replicas: number, spec: object = {}): StatefulSet => ({
  apiVersion: "apps/v1",
  metadata: { namespace: "d", name: "db" },
  spec: {
    replicas,
    serviceName: "db",
    selector: { matchLabels: { app: "db" } },
    template: template("v1"),
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }],
    ...spec,
  },
});
const db = (world: World) => world.get(statefulSets, "d/db")!;
const change = (world: World, spec: object) =>
  world.put(statefulSets, { ...db(world), spec: { ...db(world).spec, ...spec } });
const sorted = (world: World) =>
  world.list(pods).sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
const seeds = Array.from({ length: 30 }, (_, seed) => seed + 1);

function settle(world: World, random: Random, each: () => void = () => {}): void {
  for (let steps = 0; world.step(random, () => movePod(world, random)); steps++) {
    each();
    if (steps > 20_000) throw new Error("does not come to rest");
  }
}

describe("statefulset", () => {
  test.each(seeds)(
    "ordered: no pod before those below it are ready, one missing at a time in an update (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed);
      const replicas = 2 + Math.floor(random.next() * 4);
      const world = new World(createStatefulSetController());
      world.refuse = losing(random, 0.1);
      world.put(statefulSets, statefulSet(replicas));
      const seen = new Set<string>();
      settle(world, random, () => {
        for (const pod of world.list(pods)) {
          const name = pod.metadata?.name ?? "";
          if (seen.has(name)) continue;
          seen.add(name);
          const below = sorted(world).filter((p) => (p.metadata?.name ?? "") < name);
          expect(below.every(isPodReady)).toBe(true);
          expect(below.some((p) => p.metadata?.deletionTimestamp !== undefined)).toBe(false);
        }
      });
      expect(sorted(world).map((pod) => pod.metadata?.name)).toEqual(
        Array.from({ length: replicas }, (_, i) => `db-${i}`),
      );
      expect(world.list(persistentVolumeClaims)).toHaveLength(replicas);

      change(world, { template: template("v2") });
      settle(world, random, () => {
        const up = world
          .list(pods)
          .filter((pod) => isPodReady(pod) && pod.metadata?.deletionTimestamp === undefined);
        expect(up.length).toBeGreaterThanOrEqual(replicas - 1);
      });
      expect(sorted(world).map((pod) => pod.spec?.containers?.[0]?.image)).toEqual(
        Array(replicas).fill("v2"),
      );
      const { currentRevision, updateRevision, currentReplicas } = db(world).status ?? {};
      expect(currentRevision).toBe(updateRevision);
      expect(currentReplicas).toBe(replicas);
    },
  );

  test.each(seeds.slice(0, 10))(
    "a partition keeps what is below it, also when it is lost (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed);
      const world = new World(createStatefulSetController());
      const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 2 } };
      world.put(statefulSets, statefulSet(4, { updateStrategy }));
      settle(world, random);
      change(world, { template: template("v2") });
      settle(world, random);
      world.remove(pods, "d/db-0");
      world.remove(pods, "d/db-3");
      settle(world, random);
      expect(sorted(world).map((pod) => pod.spec?.containers?.[0]?.image)).toEqual([
        "v1",
        "v1",
        "v2",
        "v2",
      ]);
    },
  );

  test("scaled down, the highest goes first; Parallel doesn't wait", () => {
    const random = createSeededRandom(7);
    const world = new World(createStatefulSetController());
    world.put(statefulSets, statefulSet(4));
    settle(world, random);
    const gone: string[] = [];
    change(world, { replicas: 1 });
    let before = new Set(sorted(world).map((pod) => pod.metadata?.name ?? ""));
    settle(world, random, () => {
      const now = new Set(sorted(world).map((pod) => pod.metadata?.name ?? ""));
      for (const name of before) if (!now.has(name)) gone.push(name);
      before = now;
    });
    expect(gone).toEqual(["db-3", "db-2", "db-1"]);

    const parallel = new World(createStatefulSetController());
    parallel.put(statefulSets, statefulSet(5, { podManagementPolicy: "Parallel" }));
    parallel.settle(random, () => movePod(parallel, random, () => "Stuck"));
    expect(parallel.list(pods)).toHaveLength(5);
    const ordered = new World(createStatefulSetController());
    ordered.put(statefulSets, statefulSet(5));
    ordered.settle(random, () => movePod(ordered, random, () => "Stuck"));
    expect(ordered.list(pods)).toHaveLength(1);
  });

  test("scaled down, a pod that is not available waits for a lower one that is not either", () => {
    const random = createSeededRandom(8);
    const world = new World(createStatefulSetController());
    world.put(statefulSets, statefulSet(4));
    settle(world, random);
    const setReady = (name: string, status: string) => {
      const pod = world.get(pods, `d/${name}`)!;
      const conditions = [
        { type: "Ready", status, lastTransitionTime: new Date(world.nowMs).toISOString() },
      ];
      world.put(pods, { ...pod, status: { ...pod.status, conditions } });
    };
    setReady("db-2", "False");
    setReady("db-3", "False");
    change(world, { replicas: 2 });
    world.settle(random);
    expect(sorted(world).some((pod) => pod.metadata?.deletionTimestamp !== undefined)).toBe(false);
    setReady("db-2", "True");
    settle(world, random);
    expect(sorted(world).map((pod) => pod.metadata?.name)).toEqual(["db-0", "db-1"]);
  });

  test("the next pod is made when the one before has been ready for minReadySeconds", () => {
    const random = createSeededRandom(9);
    const world = new World(createStatefulSetController());
    world.put(statefulSets, statefulSet(2, { minReadySeconds: 30 }));
    let readySinceMs = 0;
    let secondMs = 0;
    settle(world, random, () => {
      const [first, second] = sorted(world);
      if (readySinceMs === 0 && first !== undefined && isPodReady(first))
        readySinceMs = world.nowMs;
      if (secondMs === 0 && second !== undefined) secondMs = world.nowMs;
    });
    expect(secondMs - readySinceMs).toBeGreaterThanOrEqual(30_000);
  });
});
