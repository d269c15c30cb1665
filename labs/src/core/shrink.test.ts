import { expect, test } from "vitest";
import { shrink } from "./shrink.ts";

const none = () => [];

test("what a failure does not need is dropped", async () => {
  const history = Array.from({ length: 40 }, (_, i) => i);
  const fails = async (candidate: readonly number[]) =>
    candidate.includes(7) && candidate.includes(31) && candidate.indexOf(7) < candidate.indexOf(31);
  expect(await shrink(history, { fails, simpler: none, attemptsMax: 500 })).toEqual([7, 31]);
});

test("what is left is simplified as far as it still fails", async () => {
  const fails = async (candidate: readonly number[]) => candidate.some((n) => n >= 10);
  const simpler = (n: number) => (n > 0 ? [n - 1] : []);
  expect(await shrink([3, 25, 1], { fails, simpler, attemptsMax: 500 })).toEqual([10]);
});

test("it stops at the limit with the best so far", async () => {
  let runs = 0;
  const fails = async () => {
    runs++;
    return true;
  };
  const left = await shrink([1, 2, 3, 4, 5, 6, 7, 8], { fails, simpler: none, attemptsMax: 1 });
  expect(runs).toBe(1);
  expect(left).toEqual([5, 6, 7, 8]);
});
