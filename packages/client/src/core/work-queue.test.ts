/** The work queue keeps client-go's promises. */
import { createFakeClock } from "@nanokube/machinery/clock";
import { describe, expect, test } from "vitest";
import { runWorkers, WorkQueue } from "./work-queue.ts";

describe("WorkQueue", () => {
  test("a key added twice is handed out once", async () => {
    const queue = new WorkQueue();
    queue.add("a");
    queue.add("a");
    queue.add("b");
    expect(queue.length).toBe(2);
    expect([await queue.get(), await queue.get()]).toEqual(["a", "b"]);
  });

  test("a key added while it is worked on comes back only after done", async () => {
    const queue = new WorkQueue();
    queue.add("a");
    await queue.get();
    queue.add("a");
    queue.add("a");
    expect(queue.length).toBe(0);
    queue.done("a");
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe("a");
    queue.done("a");
    expect(queue.length).toBe(0);
  });

  test("failures double the delay from 5 ms, and forget begins anew", async () => {
    const clock = createFakeClock();
    const queue = new WorkQueue({ clock });
    const waits: number[] = [];
    for (let failure = 0; failure < 5; failure++) {
      const before = clock.monotonic();
      queue.addRateLimited("a");
      while (queue.length === 0) await clock.step(1);
      waits.push(clock.monotonic() - before);
      queue.done((await queue.get())!);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80]);
    expect(queue.numRequeues("a")).toBe(5);
    queue.forget("a");
    queue.addRateLimited("a");
    await clock.step(5);
    expect(queue.length).toBe(1);
  });

  test("the delay never passes 1000 s", async () => {
    const clock = createFakeClock();
    const queue = new WorkQueue({ clock });
    for (let failure = 0; failure < 40; failure++) {
      queue.addRateLimited("a");
      await clock.step(1_000_000);
      expect(await queue.get()).toBe("a");
      queue.done("a");
    }
  });

  test("of two delays the earlier counts, once", async () => {
    const clock = createFakeClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter("a", 100);
    queue.addAfter("a", 10);
    queue.addAfter("a", 50);
    await clock.step(10);
    expect(await queue.get()).toBe("a");
    queue.done("a");
    await clock.step(200);
    expect(queue.length).toBe(0);
  });

  test("shut down hands out the rest, then tells its takers", async () => {
    const queue = new WorkQueue();
    queue.add("a");
    queue.shutDown();
    queue.add("b");
    expect([await queue.get(), await queue.get()]).toEqual(["a", undefined]);
  });

  test("workers never share a key, and a failed one is tried again", async () => {
    const clock = createFakeClock();
    const queue = new WorkQueue({ clock });
    const active = new Set<string>();
    const runs: string[] = [];
    let failures = 2;
    for (const key of ["a", "bad", "a", "b"]) queue.add(key);
    const running = runWorkers({
      queue,
      workers: 3,
      onError: () => {},
      work: async (key) => {
        expect(active.has(key)).toBe(false);
        active.add(key);
        await Promise.resolve();
        active.delete(key);
        runs.push(key);
        if (key === "bad" && failures-- > 0) throw new Error("not yet");
        return undefined;
      },
    });
    await clock.step(100);
    expect(runs.filter((key) => key === "bad")).toHaveLength(3);
    expect(runs.filter((key) => key === "a")).toHaveLength(1);
    queue.shutDown();
    await running;
  });
});
