/** Cron schedules, by table. */
import { expect, test } from "vitest";
import { nextTime, parseSchedule } from "./schedule.ts";

const after = Date.parse("2026-11-21T12:34:56Z"); // A Saturday.

test.each([
  ["* * * * *", "2026-11-21T12:35:00Z"],
  ["*/15 * * * *", "2026-11-21T12:45:00Z"],
  ["5 0 * * *", "2026-11-22T00:05:00Z"],
  ["0 9-17/4 * * mon-fri", "2026-11-23T09:00:00Z"],
  ["0 0 1 * *", "2026-12-01T00:00:00Z"],
  ["0 0 1 1 ?", "2027-01-01T00:00:00Z"],
  ["0 0 29 2 *", "2028-02-29T00:00:00Z"],
  ["0 0 13 * 5", "2026-11-27T00:00:00Z"], // The 13th, or a Friday.
  ["0 0 */2 * 1", "2026-11-23T00:00:00Z"], // A star with a step is still a star: both must hold.
  ["0 12 * * 7", "2026-11-22T12:00:00Z"],
  ["30 4 1,15 * *", "2026-12-01T04:30:00Z"],
  ["10/20 * * * *", "2026-11-21T12:50:00Z"],
  ["@hourly", "2026-11-21T13:00:00Z"],
  ["@weekly", "2026-11-22T00:00:00Z"],
  ["0 0 31 2 *", undefined],
])("%s → %s", (schedule, want) => {
  const next = nextTime(parseSchedule(schedule), after);
  expect(next === undefined ? undefined : new Date(next).toISOString().replace(".000", "")).toBe(
    want,
  );
});

test.each([
  ["0 9 * * *", "America/New_York", "2026-11-21T14:00:00Z"],
  ["0 9 * * *", "Asia/Kolkata", "2026-11-22T03:30:00Z"],
  ["0 12 * * *", "Europe/Berlin", "2026-11-22T11:00:00Z"],
])("%s in %s → %s", (schedule, zone, want) => {
  const next = nextTime(parseSchedule(schedule), after, zone);
  expect(new Date(next ?? 0).toISOString().replace(".000", "")).toBe(want);
});

test("an hour that the clock skips does not come that day", () => {
  const before = Date.parse("2026-03-28T12:00:00Z");
  const next = nextTime(parseSchedule("30 2 * * *"), before, "Europe/Berlin");
  expect(new Date(next ?? 0).toISOString()).toBe("2026-03-30T00:30:00.000Z");
});

test.each([
  "",
  "* * * *",
  "60 * * * *",
  "* 24 * * *",
  "* * 0 * *",
  "* * * 13 *",
  "5-1 * * * *",
  "*/0 * * * *",
  "a * * * *",
  "@often",
  "1/2/3 * * * *",
])("%j is refused", (schedule) => {
  expect(() => parseSchedule(schedule)).toThrow();
});
