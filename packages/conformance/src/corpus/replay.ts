/** Ours asked what kube-apiserver was asked when it was recorded, and where the answers differ. */
import type { CorpusGroup } from "./corpus-case.ts";
import { type Difference, differencesOf } from "./differences.ts";
import { readRecording } from "./recording.ts";
import { runGroup, type Send } from "./run.ts";

export interface GroupResult {
  group: string;
  /** Cases compared. */
  count: number;
  differing: ReadonlyMap<string, Difference[]>;
  /** Cases that were never recorded. */
  missing: readonly string[];
}

export async function replayGroup(group: CorpusGroup, send: Send): Promise<GroupResult> {
  const recorded = readRecording(group.name);
  const answers = await runGroup(group, send, recorded);
  const differing = new Map<string, Difference[]>();
  const missing: string[] = [];
  for (const [name, answer] of answers) {
    const theirs = recorded.get(name);
    if (theirs === undefined) {
      missing.push(name);
      continue;
    }
    const differences = differencesOf(theirs, answer);
    if (differences.length > 0) differing.set(name, differences);
  }
  return { group: group.name, count: answers.size - missing.length, differing, missing };
}

/** "body.details.causes.N.field": where a case first differs, whatever the index. */
export function whereOf(differences: readonly Difference[]): string {
  return differences[0]!.path.replaceAll(/\.\d+(?=\.|$)/g, ".N");
}
