/** Many clusters, one seed each: nothing that must hold is ever broken. */
import { expect, test } from "vitest";
import { simulate } from "./simulation.ts";

const seeds = 500;

// 768: a snapshot from the leader and one of the member's own dropped segments at the same time.
test.each([768])("seed %i, which once found something", async (seed) => {
  expect((await simulate({ seed })).violation).toBeUndefined();
});

test(`${seeds} seeds: no violation, and every seed did something`, {
  timeout: 600_000,
}, async () => {
  let operations = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = await simulate({ seed });
    expect(outcome.violation, `npm run sim -- --seed ${seed}`).toBeUndefined();
    operations += outcome.operations;
  }
  expect(operations).toBeGreaterThan(50 * seeds);
});

test("the same seed gives the same run, to the last event", async () => {
  const [once, again] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
  expect(again).toEqual(once);
});
