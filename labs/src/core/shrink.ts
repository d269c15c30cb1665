/**
 * Makes a failing history small: drops pieces as long as it still fails, then simplifies what is
 * left.
 *
 * Delta debugging: halves first, then quarters, down to single operations, until nothing can go.
 * Units  attempts  runs of a candidate; the search stops there and keeps the best so far
 */

export interface ShrinkOptions<Op> {
  /** Whether the candidate is a history at all and fails in the same way. */
  fails(candidate: readonly Op[]): Promise<boolean>;
  /** Simpler forms of one operation, simplest first. */
  simpler(op: Op): readonly Op[];
  readonly attemptsMax: number;
}

export async function shrink<Op>(
  history: readonly Op[],
  { fails, simpler, attemptsMax }: ShrinkOptions<Op>,
): Promise<readonly Op[]> {
  let attempts = 0;
  const stillFails = async (candidate: readonly Op[]): Promise<boolean> => {
    if (attempts >= attemptsMax) return false;
    attempts++;
    return fails(candidate);
  };

  let best = history;
  const dropPieces = async (): Promise<void> => {
    for (let size = best.length >> 1; size >= 1; size = size === 1 ? 0 : size >> 1) {
      for (let at = 0; at < best.length; ) {
        const candidate = [...best.slice(0, at), ...best.slice(at + size)];
        if (candidate.length > 0 && (await stillFails(candidate))) best = candidate;
        else at += size;
      }
    }
  };
  const simplify = async (): Promise<void> => {
    for (let at = 0; at < best.length; at++) {
      for (let again = true; again; ) {
        again = false;
        for (const form of simpler(best[at]!)) {
          const candidate = best.with(at, form);
          if (!(await stillFails(candidate))) continue;
          best = candidate;
          again = true;
          break;
        }
      }
    }
  };

  for (let before: readonly Op[] = []; before !== best && attempts < attemptsMax; ) {
    before = best;
    await dropPieces();
    await simplify();
  }
  return best;
}
