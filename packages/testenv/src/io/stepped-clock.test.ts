import { createFakeClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { RecordingClock } from "./stepped-clock.ts";

test("a step stops at each due time until all is quiet", async () => {
  const clock = new RecordingClock(createFakeClock(0));
  const seen: string[] = [];
  clock.settleWith(async () => void seen.push(`quiet at ${clock.now()}`));
  clock.setTimeout(() => seen.push(`first at ${clock.now()}`), 10);
  clock.setTimeout(() => {
    clock.setTimeout(() => seen.push(`third at ${clock.now()}`), 5);
  }, 20);
  clock.clearTimeout(clock.setTimeout(() => seen.push("never"), 15));
  await clock.step(30);
  expect(seen).toEqual([
    "quiet at 0",
    "first at 10",
    "quiet at 10",
    "quiet at 20",
    "third at 25",
    "quiet at 25",
    "quiet at 30",
  ]);
});

test("timers after fractions of milliseconds are reached", async () => {
  const clock = new RecordingClock(createFakeClock(1_767_225_600_000));
  let fired = 0;
  const again = (): void => {
    fired++;
    clock.setTimeout(again, 1000 / 3);
  };
  again();
  await clock.step(10_000);
  expect(fired).toBe(30);
});

test("steps asked for at once follow each other", async () => {
  const clock = new RecordingClock(createFakeClock(0));
  await Promise.all([clock.step(5), clock.step(7)]);
  expect(clock.now()).toBe(12);
});
