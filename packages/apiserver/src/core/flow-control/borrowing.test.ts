import { expect, test } from "vitest";
import { adjustSeats, dealOut, type LevelSeats, SeatDemand } from "./borrowing.ts";

// apiserver_flowcontrol_{nominal,lower,current}_limit_seats of an idle kube-apiserver 1.36.3.
const idle: readonly [name: string, nominal: number, lower: number, current: number][] = [
  ["catch-all", 13, 13, 30],
  ["exempt", 0, 0, 1],
  ["global-default", 49, 24, 56],
  ["leader-election", 25, 25, 58],
  ["node-high", 98, 73, 170],
  ["system", 74, 50, 117],
  ["workload-high", 98, 49, 114],
  ["workload-low", 245, 24, 56],
];
const seatsOf = ([name, nominal, min]: (typeof idle)[number]): LevelSeats => {
  return { nominal, min, max: 602, isExempt: name === "exempt" };
};
const quiet = { highest: 0, smoothed: 0 };

test("levels that want nothing have what kube-apiserver's have", () => {
  // The request that asks for the metrics is an exempt one.
  const levels = idle.map((level) => ({
    seats: seatsOf(level),
    period: level[0] === "exempt" ? { highest: 1, smoothed: 0 } : quiet,
  }));
  expect(adjustSeats(levels)).toEqual(idle.map((level) => level[3]));
});

test("who is asked for more borrows from those who are idle, and they keep what they never lend", () => {
  const levels = idle.map((level) => ({
    seats: seatsOf(level),
    period: level[0] === "workload-low" ? { highest: 900, smoothed: 900 } : quiet,
  }));
  const seats = adjustSeats(levels);
  expect(seats.at(-1)).toBeGreaterThan(245);
  for (const [i, [, , lower]] of idle.entries()) expect(seats[i]).toBeGreaterThanOrEqual(lower);
  expect(seats.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(604);
});

test("seats are dealt out in proportion, within bounds, and all of them", () => {
  expect(
    dealOut(10, [
      { lower: 0, upper: 10, target: 1 },
      { lower: 0, upper: 10, target: 4 },
    ]),
  ).toEqual([expect.closeTo(2), expect.closeTo(8)]);
  expect(
    dealOut(10, [
      { lower: 4, upper: 10, target: 4 },
      { lower: 0, upper: 3, target: 9 },
    ]),
  ).toEqual([expect.closeTo(7), expect.closeTo(3)]);
});

test("demand is remembered: it rises at once and sinks slowly", () => {
  const demand = new SeatDemand(0);
  demand.set(10, 0);
  demand.set(0, 5000);
  // Half of the time 10, half of it none: the mean is 5, as is the deviation.
  expect(demand.close(10_000)).toEqual({ highest: 10, smoothed: 10 });
  const next = demand.close(20_000);
  expect(next.highest).toBe(0);
  expect(next.smoothed).toBeCloseTo(9.77);
});
