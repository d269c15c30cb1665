/**
 * What upstream answered, kept: transcripts/<upstream>@<version>/<check>.jsonl.
 *
 * Line 1 is the provenance (component, version, sha256 of the binary, flags, recorder, date, seed),
 * every other line one operation and its answer. They hold the model to upstream where no upstream
 * is.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation, Reply } from "../core/mvcc/operation.ts";
import type { Exercise } from "../core/run-history.ts";
import { EnvironmentError, type Subject } from "../core/subject.ts";
import { labFolder } from "./manifest.ts";

export interface Provenance {
  readonly component: "etcd";
  readonly version: string;
  readonly sha256: string;
  readonly flags: string;
  readonly recorder: string;
  readonly date: string;
  readonly lab: string;
  readonly check: string;
  readonly seed: number;
}

export interface Transcript {
  readonly provenance: Provenance;
  readonly steps: readonly { readonly send: Operation; readonly expect: Reply }[];
}

export interface Recording {
  readonly lab: string;
  readonly exercise: Exercise<Operation, Reply>;
  readonly subject: Subject<Operation, Reply>;
  readonly version: string;
  readonly binary: string;
  readonly date: string;
  readonly seed: number;
}

/** What is measured differs by nature and is not kept. */
const isKept = (op: Operation): boolean => op.op !== "measure";

export async function record(recording: Recording): Promise<string[]> {
  const { lab, exercise, subject, version, binary, date, seed } = recording;
  const folder = join(labFolder(lab), "transcripts", `etcd@${version}`);
  mkdirSync(folder, { recursive: true });
  const sha256 = createHash("sha256").update(readFileSync(binary)).digest("hex");
  const written: string[] = [];
  for (const check of exercise.checkIds) {
    const history = exercise.history(check, seed);
    if (!history.every(isKept)) continue;
    const flags = "--data-dir and listen addresses only";
    const facts = { sha256, flags, recorder: "labs 1", date, lab, check, seed };
    const lines: unknown[] = [{ component: "etcd", version, ...facts } satisfies Provenance];
    const session = await subject.open();
    for (const op of history) lines.push({ send: op, expect: await session.run(op) });
    await session.close();
    const path = join(folder, `${check}.jsonl`);
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    written.push(path);
  }
  return written;
}

export function readTranscripts(lab: string): Transcript[] {
  const folder = join(labFolder(lab), "transcripts");
  if (!existsSync(folder)) throw new EnvironmentError(`lab ${lab} has no transcripts`);
  return readdirSync(folder).flatMap((version) =>
    readdirSync(join(folder, version)).map((name) => parse(join(folder, version, name))),
  );
}

function parse(path: string): Transcript {
  const [first, ...rest] = readFileSync(path, "utf8").trimEnd().split("\n");
  return {
    provenance: JSON.parse(first!) as Provenance,
    steps: rest.map((line) => JSON.parse(line) as Transcript["steps"][number]),
  };
}

/** Minor versions that a transcript is behind: more than two is a warning that it rots. */
export function minorsBehind(version: string, target: string): number {
  const minor = (text: string) => Number(/^v?\d+\.(\d+)/.exec(text)?.[1] ?? 0);
  return minor(target) - minor(version);
}
