/** Where two answers differ, as paths into them. */
import type { CorpusAnswer } from "./corpus-case.ts";

export interface Difference {
  /** "status", "body.message", "body.spec.containers.0.ports" */
  path: string;
  theirs: unknown;
  ours: unknown;
}

export function differencesOf(theirs: CorpusAnswer, ours: CorpusAnswer): Difference[] {
  return [...walk(theirs, ours, "")];
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function* walk(theirs: unknown, ours: unknown, path: string): Generator<Difference> {
  if (Object.is(theirs, ours)) return;
  if (!isTree(theirs) || !isTree(ours) || Array.isArray(theirs) !== Array.isArray(ours)) {
    yield { path, theirs, ours };
    return;
  }
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    yield* walk(theirs[key], ours[key], path === "" ? key : `${path}.${key}`);
  }
}
