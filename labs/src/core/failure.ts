/**
 * A failure as the student reads it, always in this order: the property in one sentence, the
 * smallest history that breaks it, what came in place of what should have, how to run it again,
 * what says so.
 */

export interface Failure {
  readonly property: string;
  /** Operations as lines, the failing one last. */
  readonly history: readonly string[];
  readonly drawnLength: number;
  readonly seed: string;
  readonly expected: string;
  readonly actual: string;
  /** The whole command. */
  readonly replay: string;
  readonly claim: string;
  readonly specification: string;
}

export const historyLinesMax = 12;

export function formatFailure(failure: Failure): string {
  const { history, drawnLength, seed } = failure;
  const hidden = Math.max(history.length - historyLinesMax, 0);
  const lines = history
    .slice(hidden)
    .map((line, i) => `  ${String(hidden + i + 1).padStart(3)}  ${line}`);
  if (hidden > 0) lines[0] = `       … ${hidden + 1} operations before`;
  const shrunk = history.length < drawnLength ? `, shrunk from ${drawnLength} operations` : "";
  return [
    `Property  ${failure.property}`,
    `History   seed ${seed}${shrunk}`,
    ...lines,
    `       expected  ${failure.expected}`,
    `       got       ${failure.actual}`,
    ...(failure.replay === "" ? [] : [`Replay    ${failure.replay}`]),
    `Spec      ${failure.claim === "" ? "" : `${failure.claim}: `}${failure.specification}`,
  ].join("\n");
}
