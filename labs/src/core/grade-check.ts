/**
 * One check on all its seeds: run, run again, shrink the first failure, give points.
 *
 * A slot runs every seed twice, in two processes and in opposite order: an answer that depends on
 * anything but its inputs shows itself. A server that fails is asked up to three times: mixed
 * answers are inconclusive. A crash or a hang ends the check: its other seeds count as failed.
 */
import { formatFailure } from "./failure.ts";
import type { CheckManifest } from "./lab.ts";
import { type CheckResult, checkVerdict, earnedPoints } from "./results.ts";
import { type Exercise, type Mismatch, type Outcome, runHistory } from "./run-history.ts";
import type { Seed } from "./seeds.ts";
import { shrink } from "./shrink.ts";
import { EnvironmentError, type Subject } from "./subject.ts";

export interface GradeOptions<Op, Reply> {
  readonly exercise: Exercise<Op, Reply>;
  readonly subject: Subject<Op, Reply>;
  /** Another process of the same slot. */
  readonly second?: Subject<Op, Reply> | undefined;
  readonly seeds: readonly Seed[];
  /** True when the budget of the whole grading is used up. */
  isOver(): boolean;
  /** The command that runs one failure again. */
  replayLine(check: string, seed: number): string;
}

const shrinkAttemptsMax = 300;
const serverRunsMax = 3;
const hangsMax = 1;

type SeedVerdict = "passed" | "failed" | "inconclusive" | "environment";

interface SeedRun {
  readonly seed: Seed;
  readonly verdict: SeedVerdict;
  readonly hash: string;
  readonly mismatch: Mismatch | undefined;
  readonly message: string;
}

export async function gradeCheck<Op, Reply>(
  check: CheckManifest,
  options: GradeOptions<Op, Reply>,
): Promise<CheckResult> {
  const runs = await firstRuns(check, options);
  await compareWithSecond(check, options, runs);
  const count = (verdict: SeedVerdict) => runs.filter((run) => run.verdict === verdict).length;
  const counts = {
    passed: count("passed"),
    failed: count("failed"),
    inconclusive: count("inconclusive"),
    environment: count("environment"),
  };
  const failed = runs.find((run) => run.verdict === "failed");
  const notPassed = failed ?? runs.find((run) => run.verdict !== "passed");
  const { replayLine } = options;
  const isSecret = failed?.seed.isSecret === true;
  const replay = failed === undefined || isSecret ? "" : replayLine(check.id, failed.seed.value);
  const message = failed ? await explain(check, options, failed) : (notPassed?.message ?? "");
  return {
    id: check.id,
    property: check.property,
    kind: check.kind,
    verdict: checkVerdict(counts),
    seeds: {
      run: counts.passed + counts.failed,
      passed: counts.passed,
      ...(failed ? { firstFail: isSecret ? "redacted" : failed.seed.value } : {}),
    },
    points: check.points,
    earned: earnedPoints(check.kind, check.points, counts),
    message,
    replay,
    visibility: "visible",
    claim: check.claim,
  };
}

async function firstRuns<Op, Reply>(
  check: CheckManifest,
  options: GradeOptions<Op, Reply>,
): Promise<SeedRun[]> {
  const runs: SeedRun[] = [];
  let ends = 0;
  for (const seed of options.seeds) {
    if (ends >= hangsMax) {
      runs.push({ ...runs.at(-1)!, seed });
      continue;
    }
    const run = await runSeed(check, options, seed);
    if (run.mismatch?.failed !== undefined) ends++;
    runs.push(run);
  }
  return runs;
}

async function runSeed<Op, Reply>(
  check: CheckManifest,
  options: GradeOptions<Op, Reply>,
  seed: Seed,
): Promise<SeedRun> {
  const none = { seed, hash: "", mismatch: undefined };
  if (options.isOver()) {
    const message = "not run: the budget of the whole grading was used up";
    return { ...none, verdict: "inconclusive", message };
  }
  try {
    const history = options.exercise.history(check.id, seed.value);
    const outcome = await runHistory(options.subject, options.exercise, history);
    const { hash, mismatch } = outcome;
    if (mismatch === undefined) return { ...none, verdict: "passed", hash, message: "" };
    const isSure = options.subject.kind === "slot" || (await failsAgain(options, history));
    if (isSure) return { seed, verdict: "failed", hash, mismatch, message: "" };
    const message = `seed ${seed.value} failed once and passed when it was run again`;
    return { ...none, verdict: "inconclusive", message };
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return { ...none, verdict: "environment", message: error.message };
  }
}

async function failsAgain<Op, Reply>(
  { subject, exercise }: GradeOptions<Op, Reply>,
  history: readonly Op[],
): Promise<boolean> {
  for (let i = 1; i < serverRunsMax; i++) {
    const { mismatch } = await runHistory(subject, exercise, history);
    if (mismatch === undefined) return false;
  }
  return true;
}

/** In opposite order, so that what one history leaves behind for the next is seen as well. */
async function compareWithSecond<Op, Reply>(
  check: CheckManifest,
  { second, exercise }: GradeOptions<Op, Reply>,
  runs: SeedRun[],
): Promise<void> {
  if (second === undefined || runs.some((run) => run.mismatch?.failed !== undefined)) return;
  for (let i = runs.length - 1; i >= 0; i--) {
    const run = runs[i]!;
    if (run.hash === "") continue;
    const history = exercise.history(check.id, run.seed.value);
    const outcome = await runHistory(second, exercise, history);
    if (outcome.hash === run.hash) continue;
    runs[i] = { ...run, verdict: "failed", mismatch: differing(run.mismatch, outcome) };
    if (outcome.mismatch?.failed !== undefined) return;
  }
}

function differing(first: Mismatch | undefined, outcome: Outcome): Mismatch {
  const other = outcome.mismatch ?? first!;
  return {
    ...other,
    kind: "non-deterministic",
    expected: "the same answers whenever the same operations are asked, in any process",
    actual: `non-deterministic: one run answered ${other.actual} here, the other did not`,
  };
}

async function explain<Op, Reply>(
  check: CheckManifest,
  options: GradeOptions<Op, Reply>,
  { seed, mismatch }: SeedRun,
): Promise<string> {
  const { exercise, subject } = options;
  const drawn = exercise.history(check.id, seed.value);
  const first = mismatch!;
  let history: readonly Op[] = drawn.slice(0, first.at + 1);
  let last = first;
  // What ended the program, differs from run to run or is large by design is not run so often.
  const isSmallable = check.kind !== "measure" && first.kind !== "non-deterministic";
  if (isSmallable && first.failed === undefined) {
    history = await shrink(history, {
      attemptsMax: shrinkAttemptsMax,
      simpler: (op) => exercise.simpler(op),
      fails: async (candidate) => {
        const { mismatch: found, isOutside } = await runHistory(subject, exercise, candidate);
        return !isOutside && found?.kind === first.kind && found.at === candidate.length - 1;
      },
    });
    last = (await runHistory(subject, exercise, history)).mismatch ?? first;
  }
  const isLoad = first.failed?.reason === "load";
  return formatFailure({
    property: isLoad ? "The file loads and exports create(deps)." : check.property,
    history: isLoad ? [] : history.map((op) => exercise.formatOperation(op)),
    drawnLength: drawn.length,
    seed: seed.isSecret ? "of the term" : String(seed.value),
    expected: last.expected,
    actual: last.actual,
    replay: seed.isSecret ? "" : options.replayLine(check.id, seed.value),
    claim: check.claim,
    specification: check.specification,
  });
}
