import { describe, expect, test } from "vitest";
import { checkVerdict, earnedPoints, overallVerdict, type SeedCounts } from "./results.ts";

const counts = (passed: number, failed = 0, inconclusive = 0, environment = 0): SeedCounts => ({
  passed,
  failed,
  inconclusive,
  environment,
});

describe("credit", () => {
  const cases = [
    // kind        points  seeds            earned
    ["behaviour", 4, counts(20), 4],
    ["behaviour", 4, counts(19, 1), 3],
    ["behaviour", 4, counts(15, 5), 3],
    ["behaviour", 4, counts(14, 6), 2],
    ["behaviour", 3, counts(10, 10), 1.5],
    ["behaviour", 4, counts(4, 16), 0],
    ["behaviour", 4, counts(0), 0],
    ["behaviour", 4, counts(10, 0, 0, 10), 4],
    ["safety", 4, counts(20), 4],
    ["safety", 4, counts(19, 1), 0],
    ["safety", 4, counts(19, 0, 1), 0],
    ["safety", 4, counts(0), 0],
    ["measure", 3, counts(20), 3],
    ["measure", 3, counts(19, 1), 0],
  ] as const;
  test.each(cases)("%s check of %i points, seeds %o: %f", (kind, points, seeds, earned) => {
    expect(earnedPoints(kind, points, seeds)).toBe(earned);
  });
});

describe("verdicts", () => {
  test.each([
    [counts(5), "pass"],
    [counts(4, 1), "fail"],
    [counts(4, 0, 1), "inconclusive"],
    [counts(4, 1, 1), "fail"],
    [counts(4, 1, 0, 1), "environment"],
    [counts(0), "inconclusive"],
  ] as const)("of a check with %o: %s", (seeds, verdict) => {
    expect(checkVerdict(seeds)).toBe(verdict);
  });

  test("nothing graded is no pass", () => {
    expect(overallVerdict([])).toBe("inconclusive");
  });

  test("what cannot be judged comes before a failure, a failure before the rest", () => {
    expect(overallVerdict(["pass", "fail", "environment"])).toBe("environment");
    expect(overallVerdict(["inconclusive", "fail"])).toBe("fail");
    expect(overallVerdict(["inconclusive", "pass"])).toBe("inconclusive");
    expect(overallVerdict(["pass", "pass"])).toBe("pass");
  });
});
