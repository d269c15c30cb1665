/** When rules are written: on a clock that stands still. */
import { createFakeClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { SyncRunner } from "./sync-runner.ts";

function setUp(run: () => Promise<boolean> = async () => true) {
  const clock = createFakeClock();
  const ran: number[] = [];
  const runner = new SyncRunner({
    clock,
    minPeriodMs: 100,
    maxRetryMs: 4000,
    run: () => {
      ran.push(clock.monotonic());
      return run();
    },
  });
  return { clock, ran, runner };
}

test("the first request at once, those behind it together", async () => {
  const { clock, ran, runner } = setUp();
  runner.request();
  await clock.step(0);
  for (let i = 0; i < 5; i++) {
    runner.request();
    await clock.step(10);
  }
  await clock.step(1000);
  expect(ran).toEqual([0, 100]);
  runner.request();
  await clock.step(0);
  expect(ran).toEqual([0, 100, 1050]);
});

test("a request during a run is not lost", async () => {
  let finish = (_: boolean) => {};
  const { clock, ran, runner } = setUp(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  runner.request();
  await clock.step(0);
  runner.request();
  finish(true);
  await clock.step(100);
  expect(ran).toEqual([0, 100]);
});

test("failures are tried again, ever later; a change does not wait for that", async () => {
  let works = false;
  const { clock, ran, runner } = setUp(async () => works);
  runner.request();
  await clock.step(20_000);
  expect(ran).toEqual([0, 1000, 3000, 7000, 11_000, 15_000, 19_000]);
  works = true;
  runner.request();
  await clock.step(10_000);
  expect(ran.slice(7)).toEqual([20_000]);
});

test("after stop nothing starts", async () => {
  const { clock, ran, runner } = setUp();
  runner.request();
  await runner.stop();
  runner.request();
  await clock.step(1000);
  expect(ran).toEqual([]);
});
