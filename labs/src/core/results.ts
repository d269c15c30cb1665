/**
 * results.json, schema v1: what a grading found, and the rules that turn seeds into points.
 *
 * Verdicts  pass, fail; inconclusive (the checker ran out of budget or saw both) and environment (a
 *           port in use, no such binary) never cost the student points and never give any
 * Credit    safety, measure   every seed or nothing
 *           behaviour         points × seeds passed / seeds run, in quarter steps, rounded down
 */

export type Verdict = "pass" | "fail" | "inconclusive" | "environment";
export type CheckKind = "safety" | "behaviour" | "measure" | "prediction";

export interface SeedTally {
  /** Seeds that gave a pass or a fail. */
  readonly run: number;
  readonly passed: number;
  /** Absent when none failed; "redacted" for a seed of the term. */
  readonly firstFail?: number | "redacted";
}

export interface CheckResult {
  readonly id: string;
  readonly property: string;
  readonly kind: CheckKind;
  readonly verdict: Verdict;
  readonly seeds: SeedTally;
  readonly points: number;
  readonly earned: number;
  /** Empty when passed; else in the fixed order: property, history, replay, specification. */
  readonly message: string;
  /** The line that runs the failure again; empty when there is none. */
  readonly replay: string;
  readonly visibility: "visible" | "hidden" | "after_due_date" | "after_published";
  readonly claim: string;
}

export interface StageResult {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly earned: number;
  readonly checks: readonly CheckResult[];
}

export interface Results {
  readonly schema: 1;
  readonly lab: string;
  readonly packageVersions: Readonly<Record<string, string>>;
  /** "" unless upstream itself was graded or compared with. */
  readonly upstream: string;
  readonly seedSet: { readonly public: number; readonly term: number };
  /** What was driven: "slot src/mvcc-store.ts", "etcd http://…". */
  readonly driver: string;
  readonly verdict: Verdict;
  readonly stages: readonly StageResult[];
  readonly environment: Readonly<Record<string, string>>;
  readonly durationMs: number;
}

/** Seeds of one check: how many ended how. */
export interface SeedCounts {
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly environment: number;
}

export function checkVerdict(counts: SeedCounts): Verdict {
  if (counts.environment > 0) return "environment";
  if (counts.failed > 0) return "fail";
  // No seed at all proves nothing: a check that did not run has not passed.
  if (counts.inconclusive > 0 || counts.passed === 0) return "inconclusive";
  return "pass";
}

export function earnedPoints(kind: CheckKind, points: number, counts: SeedCounts): number {
  const { passed, failed } = counts;
  const run = passed + failed;
  if (run === 0) return 0;
  if (kind === "behaviour") return (points * Math.floor((4 * passed) / run)) / 4;
  const isWhole = failed + counts.inconclusive + counts.environment === 0;
  return isWhole ? points : 0;
}

/** Of a whole grading: what cannot be judged here comes first, since then the points say nothing. */
export function overallVerdict(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return "inconclusive";
  for (const verdict of ["environment", "fail", "inconclusive"] as const) {
    if (verdicts.includes(verdict)) return verdict;
  }
  return "pass";
}

export const exitCodes: Readonly<Record<Verdict, number>> = {
  pass: 0,
  fail: 1,
  inconclusive: 2,
  environment: 3,
};

export const totalPoints = (results: Results): number =>
  results.stages.reduce((sum, stage) => sum + stage.points, 0);

export const totalEarned = (results: Results): number =>
  results.stages.reduce((sum, stage) => sum + stage.earned, 0);

export const allChecks = (results: Results): CheckResult[] =>
  results.stages.flatMap((stage) => [...stage.checks]);

/** 3, 2.5, 0.75: points never need more than two decimals. */
export const pointsText = (points: number): string => String(Math.round(points * 100) / 100);
