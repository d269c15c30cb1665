/** The queue against a list that is searched each time: the same answers, whatever happens. */
import type { Pod } from "@nanokube/api/core/v1";
import { createSeededRandom } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { backoffMaxMs, SchedulingQueue, unschedulableMaxMs } from "./queue.ts";

const pod = (name: string, priority = 0, gated = false): Pod => ({
  metadata: { namespace: "d", name, uid: name },
  spec: { priority, ...(gated ? { schedulingGates: [{ name: "g" }] } : {}) },
});
const newQueue = () => new SchedulingQueue((p) => (p.spec?.schedulingGates ?? []).length > 0);
const popAll = (queue: SchedulingQueue, nowMs: number) => {
  const names: (string | undefined)[] = [];
  for (let next = queue.pop(nowMs); next !== undefined; next = queue.pop(nowMs)) {
    names.push(next.pod.metadata?.name);
  }
  return names;
};

test.for([1, 2, 3])("a heap gives back in order (seed %i)", (seed) => {
  const random = createSeededRandom(seed);
  const heap = new Heap<number>((a, b) => a < b);
  const numbers = Array.from({ length: 500 }, () => Math.floor(random.next() * 100));
  for (const number of numbers) heap.push(number);
  const out: number[] = [];
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) out.push(next);
  expect(out).toEqual(numbers.toSorted((a, b) => a - b));
});

test("higher priority first, then first come; who is deleted is not tried", () => {
  const queue = newQueue();
  for (const [name, priority] of [
    ["a", 1],
    ["b", 5],
    ["c", 1],
    ["d", 9],
  ] as const) {
    queue.addOrUpdate(pod(name, priority), 0);
  }
  queue.delete(pod("d"));
  expect(popAll(queue, 0)).toEqual(["b", "a", "c"]);
});

test("who failed goes behind those that came meanwhile", () => {
  const queue = newQueue();
  queue.addOrUpdate(pod("a"), 0);
  queue.pop(0);
  queue.addOrUpdate(pod("b"), 10);
  queue.requeue(pod("a"), 20, queue.moves, true);
  expect(popAll(queue, 2000)).toEqual(["b", "a"]);
});

test("who failed waits for an event and its back-off, or five minutes", () => {
  const queue = newQueue();
  queue.addOrUpdate(pod("a"), 0);
  expect(popAll(queue, 0)).toEqual(["a"]);
  queue.requeue(pod("a"), 0, queue.moves);
  expect(queue.nextReadyMs()).toBe(unschedulableMaxMs);
  queue.moveAll(100);
  expect(popAll(queue, 100)).toEqual([]);
  expect(queue.nextReadyMs()).toBe(1000);
  expect(popAll(queue, 1000)).toEqual(["a"]);
  for (let attempt = 0; attempt < 6; attempt += 1) {
    queue.requeue(pod("a"), 1000, queue.moves, true);
    expect(popAll(queue, 1000 + backoffMaxMs)).toEqual(["a"]);
  }
  queue.requeue(pod("a"), 20_000, queue.moves);
  expect(popAll(queue, 20_000 + unschedulableMaxMs)).toEqual(["a"]);
});

test("a gate holds a pod back until it is taken away; a changed pod is tried again", () => {
  const queue = newQueue();
  queue.addOrUpdate(pod("a", 0, true), 0);
  expect(queue.nextReadyMs()).toBeUndefined();
  queue.addOrUpdate(pod("a"), 5);
  expect(popAll(queue, 5)).toEqual(["a"]);
  queue.requeue(pod("a"), 5, queue.moves);
  const labelled = { ...pod("a"), metadata: { ...pod("a").metadata, labels: { x: "y" } } };
  queue.addOrUpdate(labelled, 2000);
  expect(popAll(queue, 2000)).toEqual(["a"]);
});

test("a pod of the same name that is another one starts anew", () => {
  const queue = newQueue();
  queue.addOrUpdate(pod("a"), 0);
  queue.pop(0);
  const other = { ...pod("a"), metadata: { namespace: "d", name: "a", uid: "other" } };
  queue.addOrUpdate(other, 0);
  expect(queue.pop(0)).toMatchObject({ attempts: 1, pod: { metadata: { uid: "other" } } });
});
