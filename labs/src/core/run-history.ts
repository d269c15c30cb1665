/**
 * One history on one subject, in lock-step with the model: where does the first answer differ?
 */
import { effectHash } from "./seeds.ts";
import { type Session, type Subject, SubjectFailed } from "./subject.ts";

/** What a lab brings: its model and its words. Op and Reply are its own. */
export interface Exercise<Op, Reply> {
  readonly checkIds: readonly string[];
  history(check: string, seed: number): Op[];
  /** Undefined: nothing is promised here. */
  createModel(): { apply(op: Op): Reply | undefined };
  isTelling(check: string, op: Op, reply: Reply | undefined): boolean;
  isAsExpected(expected: Reply, actual: Reply): boolean;
  /** What of an answer must be the same whenever the seed is run. */
  effectText(reply: Reply): string;
  mismatchKind(op: Op, expected: Reply | undefined, actual: Reply): string;
  simpler(op: Op): Op[];
  formatOperation(op: Op): string;
  formatReply(reply: Reply): string;
  formatExpected(reply: Reply): string;
}

export interface Mismatch {
  /** Of the operation that was answered wrongly. */
  readonly at: number;
  readonly expected: string;
  readonly actual: string;
  readonly kind: string;
  /** The program ended with it. */
  readonly failed?: SubjectFailed;
}

export interface Outcome {
  readonly mismatch: Mismatch | undefined;
  /** Over every answer until the mismatch. */
  readonly hash: string;
  /** An operation lay outside of what is promised: the history was not run. */
  readonly isOutside: boolean;
}

/** EnvironmentErrors pass through; everything a student's program does is an outcome. */
export async function runHistory<Op, Reply>(
  subject: Subject<Op, Reply>,
  exercise: Exercise<Op, Reply>,
  history: readonly Op[],
): Promise<Outcome> {
  const model = exercise.createModel();
  const expectations = history.map((op) => model.apply(op));
  const isOutside = expectations.includes(undefined);
  const effects: string[] = [];
  const ended = (mismatch?: Mismatch): Outcome => ({
    mismatch,
    hash: effectHash(effects.join("\n")),
    isOutside,
  });
  if (isOutside) return ended();
  let session: Session<Op, Reply> | undefined;
  let at = 0;
  try {
    session = await subject.open();
    const asked = session.isPipelined ? history.map((op) => session!.run(op)) : [];
    for (; at < history.length; at++) {
      const op = history[at]!;
      const expected = expectations[at]!;
      const actual = await (asked[at] ?? session.run(op));
      effects.push(exercise.effectText(actual));
      if (exercise.isAsExpected(expected, actual)) continue;
      return ended({
        at,
        expected: exercise.formatExpected(expected),
        actual: exercise.formatReply(actual),
        kind: exercise.mismatchKind(op, expected, actual),
      });
    }
    return ended();
  } catch (error) {
    if (!(error instanceof SubjectFailed)) throw error;
    effects.push(error.reason);
    return ended({
      at,
      expected: exercise.formatExpected(expectations[at]!),
      actual: error.message,
      kind: error.reason,
      failed: error,
    });
  } finally {
    await session?.close();
  }
}
