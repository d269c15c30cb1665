/** Workers: one step at a time, the newest wish wins, no wish is lost. */
import type { Pod } from "@nanokube/api/core/v1";
import { nullLog, systemClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { type PodSteps, PodWorkers } from "./pod-workers.ts";

const pod = (more: object = {}, phase = "Running"): Pod => ({
  metadata: { name: "p", namespace: "d", uid: "u", ...more },
  spec: { containers: [], terminationGracePeriodSeconds: 30 },
  status: { phase },
});
const deleted = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 };
const settle = () => new Promise((resolve) => setImmediate(resolve));

function workersWith(steps: Partial<PodSteps>, said: string[]) {
  return new PodWorkers({
    clock: systemClock,
    log: nullLog,
    hasRunningContainers: () => false,
    onGone: () => said.push("gone"),
    steps: {
      sync: async () => ({ terminal: false }),
      terminate: async () => {},
      cleanUp: async () => {},
      ...steps,
    },
  });
}

test("a deletion that comes while an ended pod is cleared away is not lost", async () => {
  const said: string[] = [];
  const clearing = Promise.withResolvers<void>();
  const workers = workersWith(
    {
      sync: async () => ({ terminal: true }),
      async cleanUp(seen) {
        said.push(seen.metadata?.deletionTimestamp === undefined ? "clear" : "clear deleted");
        if (said.length === 1) await clearing.promise;
      },
    },
    said,
  );
  workers.update(pod());
  await settle();
  workers.update(pod(deleted));
  clearing.resolve();
  await settle();
  expect(said).toEqual(["clear", "clear deleted"]);
});

test("a deletion interrupts what a sync is waiting for", async () => {
  const said: string[] = [];
  const workers = workersWith(
    {
      sync: (_pod, signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      terminate: async (_pod, why) => void said.push(`terminate ${why.graceSeconds}`),
    },
    said,
  );
  workers.update(pod());
  await settle();
  workers.update(pod(deleted));
  await settle();
  expect([said, workers.phase("u")]).toEqual([["terminate 30"], "terminated"]);
});

test("a shorter grace starts the end again, a longer one does not", async () => {
  const said: string[] = [];
  const workers = workersWith(
    {
      terminate(_pod, why, signal) {
        said.push(`terminate ${why.graceSeconds}`);
        if (why.graceSeconds === 1) return Promise.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    },
    said,
  );
  workers.update(pod(deleted));
  await settle();
  workers.update(pod({ ...deleted, deletionGracePeriodSeconds: 60 }));
  await settle();
  workers.update(pod({ ...deleted, deletionGracePeriodSeconds: 1 }));
  await settle();
  expect(said).toEqual(["terminate 30", "terminate 1"]);
});

test("a pod is forgotten when it has ended and its object is gone, not before", async () => {
  const said: string[] = [];
  const workers = workersWith({}, said);
  workers.update(pod(deleted));
  await settle();
  expect(said).toEqual([]);
  workers.terminate("u", { orphaned: true });
  await settle();
  expect([said, workers.uids()]).toEqual([["gone"], []]);
});

test("a pod that ended under an earlier kubelet is only cleared away", async () => {
  const said: string[] = [];
  const workers = workersWith(
    {
      sync: async () => {
        said.push("sync");
        return { terminal: false };
      },
      cleanUp: async () => void said.push("clear"),
    },
    said,
  );
  workers.update(pod({}, "Succeeded"));
  await settle();
  expect(said).toEqual(["clear"]);
});
