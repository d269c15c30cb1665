/**
 * A grading from the outside: opens the subject, grades, writes results.json after every check.
 */
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Surroundings } from "nanokube/programs";
import { gradeLab, selectedChecks } from "../core/grade-lab.ts";
import type { LabManifest } from "../core/lab.ts";
import { mvccExercise } from "../core/mvcc/exercise.ts";
import type { Operation, Reply } from "../core/mvcc/operation.ts";
import { formats } from "../core/report/formats.ts";
import type { Results } from "../core/results.ts";
import type { Exercise } from "../core/run-history.ts";
import { publicSeeds, type Seed, seedsOfDigest, termMessage } from "../core/seeds.ts";
import { EnvironmentError } from "../core/subject.ts";
import { type OpenSubject, openSubject } from "./mvcc/subjects.ts";

export interface GradeRequest {
  readonly lab: LabManifest;
  readonly subject: string;
  readonly seeds: readonly Seed[];
  readonly stages?: readonly string[] | undefined;
  readonly check?: string | undefined;
  /** Where results.json is kept up to date; nowhere when absent. */
  readonly outDirectory?: string | undefined;
  readonly env: Surroundings;
  onOutput?(text: string): void;
}

const exercises: Readonly<Record<string, Exercise<Operation, Reply>>> = { "01-mvcc": mvccExercise };

export function exerciseOf(lab: string): Exercise<Operation, Reply> {
  const exercise = exercises[lab];
  if (exercise === undefined) throw new EnvironmentError(`lab ${lab} has no grader`);
  return exercise;
}

export async function grade(request: GradeRequest): Promise<Results> {
  const { lab, stages, check, seeds } = request;
  if (seeds.length === 0) throw new EnvironmentError("no seeds: nothing would be graded");
  if (selectedChecks({ lab, stages, check }).length === 0) {
    const known = lab.stages.map((stage) => stage.id).join(", ");
    throw new EnvironmentError(`nothing of lab ${lab.id} is selected; its stages are ${known}`);
  }
  const opened = await openSubject(request.subject, request);
  try {
    return await gradeOpened(opened, request);
  } finally {
    await opened.close();
  }
}

export function gradeOpened(opened: OpenSubject, request: GradeRequest): Promise<Results> {
  const { lab, seeds, stages, check, outDirectory } = request;
  const began = performance.now();
  const elapsedMs = () => performance.now() - began;
  return gradeLab({
    lab,
    exercise: exerciseOf(lab.id),
    subject: opened.subject,
    second: opened.second,
    seeds,
    stages,
    check,
    isOver: () => elapsedMs() > lab.budget.totalMs,
    replayLine: (id, seed) => replayLine(lab, request.subject, id, seed),
    facts: {
      packageVersions: packageVersions(),
      upstream: opened.upstream,
      environment: { node: process.version, os: `${process.platform} ${process.arch}` },
    },
    elapsedMs,
    ...(outDirectory === undefined
      ? {}
      : { onProgress: (results: Results) => writeResults(outDirectory, results) }),
  });
}

function replayLine(lab: LabManifest, subject: string, check: string, seed: number): string {
  const option = subject === lab.submit ? "" : ` --subject ${subject}`;
  return `labs replay ${lab.id}/${check}/${seed}${option}`;
}

/** Whole or not at all: who reads it never sees half a file. */
export function writeResults(directory: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  const { fileName, render } = formats["json"]!;
  const path = join(directory, fileName);
  writeFileSync(`${path}.new`, render(results));
  renameSync(`${path}.new`, path);
}

function packageVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const name of ["@nanokube/labs", "@nanokube/etcd-lite"]) {
    versions[name] = versionOf(name);
  }
  return versions;
}

function versionOf(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of paths) {
    try {
      const text = readFileSync(join(folder, name, "package.json"), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Not in this node_modules.
    }
  }
  return "unknown";
}

export interface Term {
  readonly courseKey: string;
  readonly student: string;
  /** YYYY-MM-DD */
  readonly day: string;
}

/** Seeds that only the holder of the course key can foresee. */
export function termSeeds(lab: string, count: number, { courseKey, student, day }: Term): Seed[] {
  const seeds: Seed[] = [];
  for (let block = 0; seeds.length < count; block++) {
    const message = termMessage(lab, student, day, block);
    seeds.push(...seedsOfDigest(createHmac("sha256", courseKey).update(message).digest()));
  }
  return seeds.slice(0, count);
}

/** Half of each with a term, else all public. */
export function drawSeeds(lab: string, count: number, term?: Term): Seed[] {
  if (term === undefined) return publicSeeds(count);
  const open = Math.ceil(count / 2);
  return [...publicSeeds(open), ...termSeeds(lab, count - open, term)];
}
