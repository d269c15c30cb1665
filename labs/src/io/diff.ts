/**
 * labs diff: the same operations on a subject and on upstream (live or as it was recorded), and
 * every answer that differs, side by side.
 */
import type { Operation, Reply } from "../core/mvcc/operation.ts";
import type { Exercise } from "../core/run-history.ts";
import { type Subject, SubjectFailed } from "../core/subject.ts";
import type { Transcript } from "./transcripts.ts";

export interface Difference {
  readonly check: string;
  readonly seed: number;
  readonly at: number;
  readonly operation: string;
  readonly ours: string;
  readonly theirs: string;
}

type MvccSubject = Subject<Operation, Reply>;
type MvccExercise = Exercise<Operation, Reply>;

/** Stops a history at its first difference: what follows from it says nothing new. */
export async function diffLive(
  exercise: MvccExercise,
  ours: MvccSubject,
  theirs: MvccSubject,
  seeds: readonly number[],
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const check of exercise.checkIds) {
    for (const seed of seeds) {
      const session = await theirs.open();
      const answers: Transcript["steps"][number][] = [];
      for (const send of exercise.history(check, seed)) {
        if (send.op !== "measure") answers.push({ send, expect: await session.run(send) });
      }
      await session.close();
      const difference = await diffSteps(exercise, ours, answers);
      if (difference !== undefined) found.push({ check, seed, ...difference });
    }
  }
  return found;
}

export async function diffTranscripts(
  exercise: MvccExercise,
  ours: MvccSubject,
  transcripts: readonly Transcript[],
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const { provenance, steps } of transcripts) {
    const { check, seed } = provenance;
    const difference = await diffSteps(exercise, ours, steps);
    if (difference !== undefined) found.push({ check, seed, ...difference });
  }
  return found;
}

async function diffSteps(
  exercise: MvccExercise,
  ours: MvccSubject,
  steps: Transcript["steps"],
): Promise<Omit<Difference, "check" | "seed"> | undefined> {
  let at = 0;
  try {
    const session = await ours.open();
    for (; at < steps.length; at++) {
      const { send, expect } = steps[at]!;
      const reply = await session.run(send);
      if (exercise.isAsExpected(expect, reply)) continue;
      const operation = exercise.formatOperation(send);
      const [mine, wanted] = [exercise.formatReply(reply), exercise.formatReply(expect)];
      return { at, operation, ours: mine, theirs: wanted };
    }
    await session.close();
    return undefined;
  } catch (error) {
    if (!(error instanceof SubjectFailed)) throw error;
    const { send, expect } = steps[at]!;
    const operation = exercise.formatOperation(send);
    return { at, operation, ours: error.message, theirs: exercise.formatReply(expect) };
  }
}

export function formatDifferences(found: readonly Difference[]): string {
  return found
    .map(({ check, seed, at, operation, ours, theirs }) =>
      [
        `${check} seed ${seed}, operation ${at + 1}: ${operation}`,
        `   yours     ${ours}`,
        `   upstream  ${theirs}`,
      ].join("\n"),
    )
    .join("\n\n");
}
