/**
 * GitHub Classroom: base64 of JSON, as the step output `result` of a job named
 * run-autograding-tests. Its console counts passed tests and its report sums scores: a check of n
 * points is therefore n tests of one point, and both give the same. Fractions of points are
 * dropped. Source  education/autograding-grading-reporter src/main.js
 */
import type { Results } from "../results.ts";

export interface ClassroomTest {
  readonly name: string;
  readonly status: "pass" | "fail" | "error";
  readonly score: number;
  readonly message: string;
  readonly test_code: string;
  readonly filename: string;
  readonly line_no: 0;
  readonly execution_time: string;
}

export interface ClassroomReport {
  readonly version: 1;
  readonly status: "pass" | "fail" | "error";
  readonly max_score: number;
  readonly tests: readonly ClassroomTest[];
}

export function classroomReport(results: Results): ClassroomReport {
  const tests = results.stages
    .flatMap((stage) => stage.checks)
    .flatMap((check) => {
      const passed = Math.floor(check.earned);
      return Array.from({ length: check.points }, (_, i): ClassroomTest => {
        const isPassed = i < passed;
        return {
          name: `${check.id} ${i + 1}/${check.points}`,
          status: isPassed ? "pass" : check.verdict === "fail" ? "fail" : "error",
          score: isPassed ? 1 : 0,
          message: isPassed ? "" : check.message,
          test_code: check.replay,
          filename: "",
          line_no: 0,
          execution_time: "0s",
        };
      });
    });
  const isJudged = results.verdict === "pass" || results.verdict === "fail";
  const status = isJudged ? (results.verdict as "pass" | "fail") : "error";
  return { version: 1, status, max_score: tests.length, tests };
}

/** What is written to the step's output: `result=<base64>`. */
export function classroomOutput(results: Results): string {
  const bytes = new TextEncoder().encode(JSON.stringify(classroomReport(results)));
  return `result=${btoa(String.fromCharCode(...bytes))}\n`;
}
