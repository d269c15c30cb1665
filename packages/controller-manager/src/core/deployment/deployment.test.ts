/**
 * Deployment and ReplicaSet together, from random states and under late events: bounds on every
 * prefix, one fixed point.
 */
import type { Deployment } from "@nanokube/api/apps/v1";
import { deployments, pods, replicaSets } from "@nanokube/client";
import { createSeededRandom, failure, type Random } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { movePod } from "../../testing/kubelet.ts";
import { losing, World } from "../../testing/world.ts";
import { scaled } from "../int-or-percent.ts";
import { isPodReady } from "../pod.ts";
import { createReplicaSetController } from "../replicaset/replicaset.ts";
import { createDeploymentController } from "./deployment.ts";

const deployment = (replicas: number, image: string, spec: object = {}): Deployment => ({
  apiVersion: "apps/v1",
  metadata: { namespace: "d", name: "web" },
  spec: {
    replicas,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image }] },
    },
    ...spec,
  },
});

const newWorld = () => new World(createDeploymentController(), createReplicaSetController());
const images = (world: World) => world.list(pods).map((pod) => pod.spec?.containers?.[0]?.image);
const alive = (world: World) =>
  world.list(pods).filter((pod) => pod.metadata?.deletionTimestamp === undefined);
const web = (world: World) => world.get(deployments, "d/web")!;

function change(world: World, spec: object): void {
  const d = web(world);
  world.put(deployments, { ...d, spec: { ...d.spec, ...spec } });
}

function settle(world: World, random: Random, each: () => void = () => {}): void {
  for (let steps = 0; world.step(random, () => movePod(world, random)); steps++) {
    each();
    if (steps > 20_000) throw new Error("does not come to rest");
  }
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);

describe("deployment", () => {
  test.each(seeds)("a rolling update keeps its bounds on every prefix (seed %i)", (seed) => {
    const random = createSeededRandom(seed);
    const replicas = 1 + Math.floor(random.next() * 9);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random.next() * list.length)]!;
    const maxSurge = pick([0, 1, 2, "25%", "100%"]);
    const maxUnavailable = pick([0, 1, 3, "25%", "50%"]);
    const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
    const surge = scaled(maxSurge, replicas, "up");
    const unavailable = scaled(maxUnavailable, replicas, "down");
    const missing = Math.min(replicas, surge + unavailable === 0 ? 1 : unavailable);
    const world = newWorld();
    world.refuse = losing(random, 0.05);
    world.put(deployments, deployment(replicas, "v1", { strategy }));
    settle(world, random);
    expect(images(world)).toEqual(Array(replicas).fill("v1"));

    const bounds = () => {
      // What is wanted; a pod that is not wanted any more may take a moment to go, as with
      // upstream's.
      const wanted = world.list(replicaSets).reduce((sum, rs) => sum + (rs.spec?.replicas ?? 0), 0);
      expect(wanted).toBeLessThanOrEqual(replicas + surge);
      expect(alive(world).filter(isPodReady).length).toBeGreaterThanOrEqual(replicas - missing);
    };
    for (const image of ["v2", "v3", "v1"]) {
      change(world, { template: deployment(0, image).spec?.template });
      // The next change comes in the middle of this one.
      const steps = Math.floor(random.next() * 60);
      for (let step = 0; step < steps; step++) {
        world.step(random, () => movePod(world, random));
        bounds();
      }
    }
    settle(world, random, bounds);
    expect(images(world)).toEqual(Array(replicas).fill("v1"));
    expect(web(world).status).toMatchObject({
      replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
    });
    const progressing = web(world).status?.conditions?.find(({ type }) => type === "Progressing");
    expect(progressing).toMatchObject({ status: "True", reason: "NewReplicaSetAvailable" });
  });

  test.each(seeds)(
    "scaling, pausing and changing at random ends where the last wish is (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed * 7919);
      const world = newWorld();
      world.put(deployments, deployment(3, "v1"));
      for (let wish = 0; wish < 8; wish++) {
        const kind = Math.floor(random.next() * 4);
        if (kind === 0) change(world, { replicas: Math.floor(random.next() * 10) });
        if (kind === 1) change(world, { template: deployment(0, `v${wish}`).spec?.template });
        if (kind === 2) change(world, { paused: random.next() < 0.5 });
        if (kind === 3) {
          const victim = alive(world)[0];
          if (victim !== undefined) world.remove(pods, `d/${victim.metadata?.name}`);
        }
        const steps = Math.floor(random.next() * 80);
        for (let step = 0; step < steps; step++) world.step(random, () => movePod(world, random));
      }
      change(world, { paused: false });
      settle(world, random);
      const { replicas = 0, template } = web(world).spec ?? {};
      expect(images(world)).toEqual(Array(replicas).fill(template?.spec?.containers?.[0]?.image));
      const active = world.list(replicaSets).filter((rs) => (rs.spec?.replicas ?? 0) > 0);
      expect(active.length).toBe(replicas === 0 ? 0 : 1);
      // At rest: looked at again, nothing is written.
      const before = JSON.stringify([web(world), world.list(replicaSets), world.list(pods)]);
      world.put(deployments, web(world));
      settle(world, random);
      const { resourceVersion: _, ...metadata } = web(world).metadata ?? {};
      const old = JSON.parse(before)[0] as Deployment;
      expect({ ...web(world), metadata }).toMatchObject({ ...old, metadata: { ...metadata } });
    },
  );

  test("scaled in the middle of a rollout, each ReplicaSet gets its share", () => {
    const random = createSeededRandom(1);
    const world = newWorld();
    world.put(
      deployments,
      deployment(10, "v1", {
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
      }),
    );
    settle(world, random);
    change(world, { template: deployment(0, "v2").spec?.template });
    // The new pods never become ready: the rollout stands at 8 old and 5 new.
    const fate = (pod: { spec?: { containers?: { image?: string }[] } }) =>
      pod.spec?.containers?.[0]?.image === "v2" ? ("Stuck" as const) : ("Ready" as const);
    const stuck = () => {
      for (let steps = 0; steps < 3000; steps++)
        world.step(random, () => movePod(world, random, fate));
    };
    stuck();
    const sizes = () => world.list(replicaSets).map((rs) => rs.spec?.replicas);
    expect(sizes()).toEqual([8, 5]);
    change(world, { replicas: 15 });
    stuck();
    // Kubernetes' documentation has this very example: 3 of the 5 more go to the larger one.
    expect(sizes()).toEqual([11, 7]);
  });

  test("Recreate starts nothing before the last old pod is gone", () => {
    const random = createSeededRandom(3);
    const world = newWorld();
    world.put(deployments, deployment(3, "v1", { strategy: { type: "Recreate" } }));
    settle(world, random);
    change(world, { template: deployment(0, "v2").spec?.template });
    settle(world, random, () => expect(new Set(images(world)).size).toBeLessThanOrEqual(1));
    expect(images(world)).toEqual(["v2", "v2", "v2"]);
  });

  test("a rollout that stands still passes its deadline, and says so", () => {
    const random = createSeededRandom(4);
    const world = newWorld();
    world.put(deployments, deployment(2, "v1", { progressDeadlineSeconds: 60 }));
    world.settle(random, () => movePod(world, random, () => "Stuck"));
    expect(web(world).status?.conditions?.find(({ type }) => type === "Progressing")).toMatchObject(
      {
        status: "False",
        reason: "ProgressDeadlineExceeded",
        message: expect.stringMatching(/^ReplicaSet "web-[a-z0-9]+" has timed out progressing\.$/),
      },
    );
  });

  test("pods that are refused stand in the conditions and in events", () => {
    const random = createSeededRandom(5);
    const world = newWorld();
    world.refuse = (effect) =>
      effect.do === "create" && effect.resource.plural === "pods"
        ? failure(403, "Forbidden", 'pods "web-" is forbidden: exceeded quota: q')
        : undefined;
    world.put(deployments, deployment(5, "v1"));
    for (let steps = 0; steps < 200; steps++) world.step(random);
    expect(web(world).status?.conditions).toContainEqual(
      expect.objectContaining({
        type: "ReplicaFailure",
        status: "True",
        reason: "FailedCreate",
        message: 'pods "web-" is forbidden: exceeded quota: q',
      }),
    );
    expect(world.notes).toContain(
      'Warning FailedCreate Error creating: pods "web-" is forbidden: exceeded quota: q',
    );
    world.refuse = undefined;
    settle(world, random);
    expect(alive(world)).toHaveLength(5);
    expect(web(world).status?.conditions?.some(({ type }) => type === "ReplicaFailure")).toBe(
      false,
    );
  });

  test.each(seeds.slice(0, 10))(
    "of old pods that serve nobody only as many go as may be missing (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed);
      const world = newWorld();
      const stuck = () => movePod(world, random, () => "Stuck");
      const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };
      world.put(deployments, deployment(4, "v1", { strategy, progressDeadlineSeconds: undefined }));
      world.settle(random, stuck);
      change(world, { template: deployment(4, "v2").spec!.template });
      world.settle(random, stuck);
      expect(images(world).sort()).toEqual(["v1", "v1", "v1", "v2", "v2"]);
    },
  );

  test("revisions go on after one that no double can hold", () => {
    const random = createSeededRandom(7);
    const world = newWorld();
    const name = "deployment.kubernetes.io/revision";
    const labels = { app: "web", by: "hand" };
    world.put(replicaSets, {
      apiVersion: "apps/v1",
      metadata: {
        namespace: "d",
        name: "old",
        labels,
        annotations: { [name]: "3546343826724305832" },
      },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "v0" }] } },
      },
    });
    world.put(deployments, deployment(1, "v1"));
    settle(world, random);
    expect(web(world).metadata?.annotations?.[name]).toBe("3546343826724305833");
  });

  test("the old annotation rolls back, says so, and goes", () => {
    const random = createSeededRandom(5);
    const world = newWorld();
    world.put(deployments, deployment(2, "v1"));
    settle(world, random);
    change(world, { template: deployment(2, "v2").spec!.template });
    settle(world, random);
    const ask = (revision: string) => {
      const { metadata, ...rest } = web(world);
      const annotations = {
        ...metadata?.annotations,
        "deprecated.deployment.rollback.to": revision,
      };
      world.put(deployments, { ...rest, metadata: { ...metadata, annotations } });
      settle(world, random);
    };
    ask("0");
    expect(images(world)).toEqual(["v1", "v1"]);
    expect(world.notes).toContain(
      'Normal DeploymentRollback Rolled back deployment "web" to revision 1',
    );
    expect(web(world).metadata?.annotations?.["deprecated.deployment.rollback.to"]).toBeUndefined();
    ask("77");
    expect(world.notes.at(-1)).toBe(
      "Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.",
    );
    expect(images(world)).toEqual(["v1", "v1"]);
  });
});
