/**
 * Jobs under late events: every pod counts once, no index runs twice at a time, the end is decided
 * once.
 */

import type { Job } from "@nanokube/api/batch/v1";
import { jobs, pods } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { movePod } from "../../testing/kubelet.ts";
import { losing, World } from "../../testing/world.ts";
import { remainingMs, withEnded } from "./backoff.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";
import { createJobController } from "./job.ts";

const job = (spec: object): Job => ({
  apiVersion: "batch/v1",
  metadata: { namespace: "d", name: "work" },
  spec: {
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    selector: { matchLabels: { job: "work" } },
    template: {
      metadata: { labels: { job: "work" } },
      spec: { restartPolicy: "Never", containers: [{ name: "c" }] },
    },
    ...spec,
  },
});
const work = (world: World) => world.get(jobs, "d/work")!;
const conditions = (world: World) => work(world).status?.conditions?.map(({ type }) => type);
const seeds = Array.from({ length: 30 }, (_, seed) => seed + 1);

describe("job", () => {
  test.each(seeds)("completes with every pod counted once (seed %i)", (seed) => {
    const random = createSeededRandom(seed);
    const completions = 1 + Math.floor(random.next() * 8);
    const parallelism = 1 + Math.floor(random.next() * 4);
    const indexed = random.next() < 0.5;
    const world = new World(createJobController());
    world.put(
      jobs,
      job({
        completions,
        parallelism,
        completionMode: indexed ? "Indexed" : "NonIndexed",
        backoffLimit: 100,
      }),
    );
    world.refuse = losing(random, 0.1);
    const ends = new Map<string, "Succeeded" | "Failed">();
    const fate = (pod: { metadata?: { uid?: string } }) => {
      const uid = pod.metadata?.uid ?? "";
      if (!ends.has(uid)) ends.set(uid, random.next() < 0.25 ? "Failed" : "Succeeded");
      return ends.get(uid)!;
    };
    for (let steps = 0; world.step(random, () => movePod(world, random, fate)); steps++) {
      if (steps > 20_000) throw new Error("does not come to rest");
      const running = world
        .list(pods)
        .filter(
          (p) =>
            p.metadata?.deletionTimestamp === undefined &&
            !["Succeeded", "Failed"].includes(p.status?.phase ?? ""),
        );
      expect(running.length).toBeLessThanOrEqual(parallelism);
      if (indexed) {
        const indexes = running.map(indexOf);
        expect(new Set(indexes).size).toBe(indexes.length);
      }
    }
    const failed = [...ends.values()].filter((end) => end === "Failed").length;
    expect(work(world).status).toMatchObject({ succeeded: completions });
    expect(work(world).status?.failed ?? 0).toBe(failed);
    expect(work(world).status?.uncountedTerminatedPods).toEqual({});
    expect(conditions(world)).toEqual(["SuccessCriteriaMet", "Complete"]);
    if (indexed) {
      const all = new Set(Array.from({ length: completions }, (_, index) => index));
      expect(work(world).status?.completedIndexes).toBe(formatIndexes(all));
    }
    expect(world.list(pods).some((pod) => (pod.metadata?.finalizers ?? []).length > 0)).toBe(false);
  });

  test.each(seeds.slice(0, 10))(
    "past its limit it fails once, and nothing runs on (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed);
      const world = new World(createJobController());
      world.put(jobs, job({ completions: 4, parallelism: 2, backoffLimit: 2 }));
      world.settle(random, () => movePod(world, random, () => "Failed"));
      expect(conditions(world)).toEqual(["FailureTarget", "Failed"]);
      expect(work(world).status?.conditions?.[1]).toMatchObject({
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit",
      });
      expect(work(world).status?.failed).toBeGreaterThanOrEqual(3);
      expect(work(world).status?.active ?? 0).toBe(0);
    },
  );

  test("past its deadline it fails, with what still runs", () => {
    const random = createSeededRandom(1);
    const world = new World(createJobController());
    world.put(jobs, job({ completions: 2, parallelism: 2, activeDeadlineSeconds: 30 }));
    world.settle(random, () => movePod(world, random, () => "Ready"));
    expect(work(world).status?.conditions?.at(-1)).toMatchObject({
      type: "Failed",
      reason: "DeadlineExceeded",
    });
    expect(world.list(pods)).toEqual([]);
  });

  test("a failure policy fails the Job at once, or lets a failure not count", () => {
    const run = (action: string) => {
      const random = createSeededRandom(2);
      const world = new World(createJobController());
      const rules = [{ action, onExitCodes: { operator: "In", values: [42] } }];
      world.put(jobs, job({ completions: 1, backoffLimit: 0, podFailurePolicy: { rules } }));
      let failures = 0;
      const others = () => {
        const pod = world.list(pods).find((p) => p.status?.phase === "Pending");
        if (pod === undefined || failures > 0) return movePod(world, random, () => "Succeeded");
        failures++;
        const containerStatuses = [{ name: "c", state: { terminated: { exitCode: 42 } } }];
        world.put(pods, { ...pod, status: { phase: "Failed", containerStatuses } });
        return true;
      };
      world.settle(random, others);
      return work(world).status?.conditions?.map(({ type, reason, message }) => [
        type,
        reason,
        message,
      ]);
    };
    expect(run("FailJob")?.[0]).toEqual([
      "FailureTarget",
      "PodFailurePolicy",
      expect.stringMatching(
        /^Container c for pod d\/work-\S+ failed with exit code 42 matching FailJob rule at index 0$/,
      ),
    ]);
    expect(run("Ignore")?.at(-1)?.[0]).toBe("Complete");
  });
});

test.each([
  [[], ""],
  [[3], "3"],
  [[1, 2], "1,2"],
  [[0, 1, 2, 5, 7, 8, 9], "0-2,5,7-9"],
])("indexes %j are written %j", (list, text) => {
  expect(formatIndexes(new Set(list))).toBe(text);
  expect([...parseIndexes(text, 100)]).toEqual(list);
});

test("indexes out of range and nonsense are left out", () => {
  expect([...parseIndexes("1-3,x,7,9-200", 10)]).toEqual([1, 2, 3, 7, 9]);
});

test("back-off: 10 s, doubling, ten minutes at most, begun anew by a success", () => {
  const ended = (seconds: number) => ({
    metadata: { creationTimestamp: new Date(seconds * 1000).toISOString() },
  });
  const after = (failures: number) => remainingMs({ failures, lastFailureMs: 0 }, 0);
  expect([0, 1, 2, 3, 7, 20].map(after)).toEqual([0, 10_000, 20_000, 40_000, 600_000, 600_000]);
  const twice = withEnded(undefined, [], [ended(1), ended(2)]);
  expect(twice).toEqual({ failures: 2, lastFailureMs: 2000 });
  expect(withEnded(twice, [ended(5)], [ended(4), ended(6)])).toEqual({
    failures: 1,
    lastFailureMs: 6000,
  });
  expect(withEnded(twice, [ended(5)], [])).toEqual({ failures: 0, lastFailureMs: 0 });
});
