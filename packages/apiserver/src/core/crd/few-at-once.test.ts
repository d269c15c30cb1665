import { expect, test } from "vitest";
import { fewAtOnce } from "./few-at-once.ts";

test("so many at the same time, and each once", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await fewAtOnce([0, 1, 2, 3, 4, 5, 6], 3, async (item) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    done.push(item);
  });
  expect(most).toBe(3);
  expect(done.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("the first in order that failed is told, and nothing more is begun", async () => {
  const begun: number[] = [];
  const fail = fewAtOnce([0, 1, 2, 3, 4, 5], 3, async (item) => {
    begun.push(item);
    for (let turn = 0; turn < 3 - item; turn++) await Promise.resolve();
    if (item > 0) throw new Error(`no ${item}`);
  });
  await expect(fail).rejects.toThrow("no 1");
  expect(begun).toEqual([0, 1, 2]);
});
