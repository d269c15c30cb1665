/** Indexes that fail for themselves, and successes that are enough. */
import type { Job } from "@nanokube/api/batch/v1";
import type { Pod } from "@nanokube/api/core/v1";
import { jobs, pods } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import { movePod } from "../../testing/kubelet.ts";
import { World } from "../../testing/world.ts";
import { indexOf } from "./indexes.ts";
import { createJobController } from "./job.ts";

const job = (spec: object): Job => ({
  apiVersion: "batch/v1",
  metadata: { namespace: "d", name: "work" },
  spec: {
    selector: { matchLabels: { job: "work" } },
    template: {
      metadata: { labels: { job: "work" } },
      spec: { restartPolicy: "Never", containers: [{ name: "c" }] },
    },
    ...spec,
  },
});
const work = (world: World) => world.get(jobs, "d/work")!;

describe("indexes of a Job", () => {
  test("an index that fails too often fails alone; the others go on", () => {
    const random = createSeededRandom(3);
    const world = new World(createJobController());
    world.put(
      jobs,
      job({
        completions: 3,
        parallelism: 3,
        completionMode: "Indexed",
        backoffLimit: 100,
        backoffLimitPerIndex: 1,
      }),
    );
    const tries: Record<string, string[]> = {};
    const fate = (pod: Pod) => {
      const index = indexOf(pod)!;
      const count =
        pod.metadata?.annotations?.["batch.kubernetes.io/job-index-failure-count"] ?? "";
      tries[index] ??= [];
      const seen = tries[index];
      if (!seen.includes(count)) seen.push(count);
      return index === 1 ? ("Failed" as const) : ("Succeeded" as const);
    };
    world.settle(random, () => movePod(world, random, fate));
    expect(tries).toEqual({ 0: ["0"], 1: ["0", "1"], 2: ["0"] });
    expect(work(world).status).toMatchObject({
      succeeded: 2,
      failed: 2,
      completedIndexes: "0,2",
      failedIndexes: "1",
    });
    expect(work(world).status?.conditions?.at(-1)).toMatchObject({
      type: "Failed",
      reason: "FailedIndexes",
      message: "Job has failed indexes",
    });
  });

  test("a rule fails an index at once; too many failed indexes fail the Job", () => {
    const random = createSeededRandom(4);
    const world = new World(createJobController());
    const rules = [{ action: "FailIndex", onExitCodes: { operator: "In", values: [42] } }];
    world.put(
      jobs,
      job({
        completions: 4,
        parallelism: 4,
        completionMode: "Indexed",
        backoffLimit: 100,
        backoffLimitPerIndex: 5,
        maxFailedIndexes: 1,
        podFailurePolicy: { rules },
      }),
    );
    const others = () => {
      for (const pod of world.list(pods)) {
        if (pod.status?.phase === "Failed" || indexOf(pod)! > 1) continue;
        const state = { terminated: { exitCode: 42, finishedAt: "2026-01-01T00:00:00Z" } };
        const status = { phase: "Failed", containerStatuses: [{ name: "c", state }] };
        world.put(pods, { ...pod, status });
        return true;
      }
      return movePod(world, random, () => "Ready");
    };
    world.settle(random, others);
    expect(work(world).status?.failedIndexes).toBe("0,1");
    expect(work(world).status?.conditions?.at(-1)).toMatchObject({
      type: "Failed",
      reason: "MaxFailedIndexesExceeded",
      message: "Job has exceeded the specified maximal number of failed indexes",
    });
  });

  test("a success policy ends the Job before all have succeeded", () => {
    const random = createSeededRandom(5);
    const world = new World(createJobController());
    const rules = [{ succeededIndexes: "0-1", succeededCount: 1 }];
    world.put(
      jobs,
      job({
        completions: 3,
        parallelism: 3,
        completionMode: "Indexed",
        successPolicy: { rules },
      }),
    );
    const fate = (pod: Pod) => (indexOf(pod) === 1 ? "Succeeded" : "Ready");
    world.settle(random, () => movePod(world, random, fate));
    expect(work(world).status?.completedIndexes).toBe("1");
    expect(work(world).status?.conditions).toMatchObject([
      { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: "Matched rules at index 0" },
      { type: "Complete", reason: "SuccessPolicy" },
    ]);
  });
});
