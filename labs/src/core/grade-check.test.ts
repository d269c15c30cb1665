/** The grading of a check on made-up subjects: a counter that must answer with the sum so far. */
import { describe, expect, test } from "vitest";
import { type GradeOptions, gradeCheck } from "./grade-check.ts";
import type { CheckManifest } from "./lab.ts";
import type { Exercise } from "./run-history.ts";
import { EnvironmentError, type Subject, SubjectFailed } from "./subject.ts";

const exercise: Exercise<number, number> = {
  checkIds: ["a.sum"],
  history: (_, seed) => [seed, 1, 2, 3],
  createModel: () => {
    let sum = 0;
    return {
      apply: (n) => {
        sum += n;
        return sum;
      },
    };
  },
  isTelling: () => true,
  isAsExpected: (expected, actual) => expected === actual,
  effectText: String,
  mismatchKind: () => "sum",
  simpler: () => [],
  formatOperation: (n) => `add ${n}`,
  formatReply: String,
  formatExpected: String,
};

const check: CheckManifest = {
  id: "a.sum",
  kind: "behaviour",
  points: 4,
  property: "Sums add up.",
  claim: "",
  specification: "arithmetic",
};

type Answer = (sum: number, opened: number) => number;

function subjectOf(kind: "slot" | "server", answer: Answer): Subject<number, number> {
  let opened = 0;
  return {
    name: "counter",
    kind,
    async open() {
      let sum = 0;
      const own = ++opened;
      const run = async (n: number) => {
        sum += n;
        return answer(sum, own);
      };
      return { isPipelined: false, run, close: async () => {} };
    },
    close: async () => {},
  };
}

const right: Answer = (sum) => sum;

const graded = (
  subject: Subject<number, number>,
  more: Partial<GradeOptions<number, number>> = {},
) =>
  gradeCheck(check, {
    exercise,
    subject,
    seeds: [1, 2, 3, 4].map((value) => ({ value, isSecret: false })),
    isOver: () => false,
    replayLine: (id, seed) => `labs replay x/${id}/${seed}`,
    ...more,
  });

describe("a slot", () => {
  test("that is right passes", async () => {
    const result = await graded(subjectOf("slot", right), { second: subjectOf("slot", right) });
    expect(result).toMatchObject({ verdict: "pass", earned: 4, seeds: { run: 4, passed: 4 } });
    expect(result.message).toBe("");
  });

  test("that is wrong gets the smallest history, in the fixed order", async () => {
    const wrong = subjectOf("slot", (sum) => (sum >= 6 ? sum + 1 : sum));
    const { message, earned, verdict } = await graded(wrong);
    expect({ earned, verdict }).toEqual({ earned: 0, verdict: "fail" });
    expect(message).toBe(
      [
        "Property  Sums add up.",
        "History   seed 1, shrunk from 4 operations",
        "    1  add 1",
        "    2  add 2",
        "    3  add 3",
        "       expected  6",
        "       got       7",
        "Replay    labs replay x/a.sum/1",
        "Spec      arithmetic",
      ].join("\n"),
    );
  });

  test("whose second process answers otherwise is non-deterministic", async () => {
    const second = subjectOf("slot", (sum, opened) => (opened === 1 ? sum + 1 : sum));
    const result = await graded(subjectOf("slot", right), { second });
    expect(result).toMatchObject({ verdict: "fail", seeds: { run: 4, passed: 3, firstFail: 4 } });
    expect(result.message).toContain("non-deterministic");
  });

  test("that hangs loses the check without waiting for every seed", async () => {
    let asked = 0;
    const hung = subjectOf("slot", () => {
      asked++;
      throw new SubjectFailed("hang", "hung: it did not answer within 5 ms");
    });
    const result = await graded(hung);
    expect(result).toMatchObject({ verdict: "fail", earned: 0, seeds: { run: 4, passed: 0 } });
    expect(result.message).toContain("hung: it did not answer within 5 ms");
    expect(asked).toBe(1);
  });

  test("a failing seed of the term is not shown", async () => {
    const seeds = [{ value: 12345, isSecret: true }];
    const result = await graded(
      subjectOf("slot", () => -1),
      { seeds },
    );
    expect(result).toMatchObject({ replay: "", seeds: { firstFail: "redacted" } });
    expect(result.message).not.toContain("seed 12345");
    expect(result.message).toContain("seed of the term");
    expect(result.message).not.toContain("Replay");
  });
});

describe("a server", () => {
  test("that fails three times out of three fails", async () => {
    const result = await graded(subjectOf("server", () => -1));
    expect(result).toMatchObject({ verdict: "fail", earned: 0 });
  });

  test("that fails once and then passes is inconclusive, and costs nothing", async () => {
    const disturbed = subjectOf("server", (sum, opened) => (opened === 2 ? -1 : sum));
    const result = await graded(disturbed);
    expect(result).toMatchObject({ verdict: "inconclusive", earned: 4, seeds: { run: 3 } });
  });

  test("that cannot be reached is the environment's", async () => {
    const gone = subjectOf("server", () => {
      throw new EnvironmentError("connection refused");
    });
    const result = await graded(gone);
    expect(result).toMatchObject({ verdict: "environment", earned: 0, seeds: { run: 0 } });
    expect(result.message).toBe("connection refused");
  });
});

test("a budget that is used up is inconclusive, not a zero", async () => {
  const result = await graded(subjectOf("slot", right), { isOver: () => true });
  expect(result).toMatchObject({ verdict: "inconclusive", seeds: { run: 0, passed: 0 } });
});
