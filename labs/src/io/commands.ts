/**
 * What each command does; its result is the exit code. Flags are parsed in main.ts.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { findUpstream, type Surroundings } from "nanokube/programs";
import { findFormat } from "../core/report/formats.ts";
import { exitCodes, pointsText, type Results } from "../core/results.ts";
import { runHistory } from "../core/run-history.ts";
import { publicSeeds } from "../core/seeds.ts";
import { EnvironmentError } from "../core/subject.ts";
import { authorCheck } from "./author-check.ts";
import { diffLive, diffTranscripts, formatDifferences } from "./diff.ts";
import { drawSeeds, exerciseOf, grade } from "./grade.ts";
import { labFolder, labIds, labsFolder, readLab } from "./manifest.ts";
import { type OpenSubject, openSubject } from "./mvcc/subjects.ts";
import { readTranscripts, record } from "./transcripts.ts";
import { etcdVersion } from "./upstream.ts";
import { hint, hintLevelMax, hintsTaken, logHint, startLab } from "./workspace.ts";

export interface Terminal {
  readonly env: Surroundings;
  write(text: string): void;
  complain(text: string): void;
  now(): Date;
}

export function listCommand({ write }: Terminal): number {
  for (const id of labIds()) {
    const { title, hours, stages, slot } = readLab(id);
    const points = stages.reduce((sum, stage) => sum + stage.points, 0);
    write(`${id}   ${title}: ${points} points, about ${hours} hours; you write ${slot}\n`);
    for (const stage of stages) {
      write(`   ${stage.id}  ${stage.title.padEnd(28)} ${pointsText(stage.points).padStart(3)}\n`);
    }
  }
  return exitCodes.pass;
}

export function startCommand({ write }: Terminal, id: string, directory?: string): number {
  const lab = readLab(id);
  const target = startLab(lab, directory ?? id);
  const shown = relative(process.cwd(), target) || ".";
  write(`${shown} is yours: read README.md, write ${lab.submit}.\n`);
  write(`Next: cd ${shown} && labs test ${id} -s ${lab.stages[0]!.id}\n`);
  return exitCodes.pass;
}

interface TestFlags {
  readonly stage?: string;
  readonly seed?: number;
  readonly seeds: number;
  readonly subject?: string;
}

export async function testCommand(t: Terminal, id: string, flags: TestFlags): Promise<number> {
  const lab = readLab(id);
  const seeds =
    flags.seed === undefined ? publicSeeds(flags.seeds) : [{ value: flags.seed, isSecret: false }];
  const results = await grade({
    lab,
    subject: flags.subject ?? lab.submit,
    seeds,
    stages: flags.stage === undefined ? undefined : [flags.stage],
    env: t.env,
    onOutput: t.complain,
  });
  t.write(findFormat("terminal")!.render(results));
  return exitCodes[results.verdict];
}

interface GradeFlags {
  readonly subject?: string;
  readonly stage?: string;
  readonly seeds: number;
  readonly student?: string;
  readonly day?: string;
  readonly format: string;
  readonly out?: string;
}

export async function gradeCommand(t: Terminal, id: string, flags: GradeFlags): Promise<number> {
  const lab = readLab(id);
  const names = flags.format.split(",");
  const unknown = names.filter((name) => findFormat(name) === undefined);
  if (unknown.length > 0) throw new EnvironmentError(`no such format: ${unknown.join(", ")}`);
  const results = await grade({
    lab,
    subject: flags.subject ?? lab.submit,
    seeds: drawSeeds(id, flags.seeds, termOf(t, flags)),
    stages: flags.stage === undefined ? undefined : [flags.stage],
    outDirectory: flags.out,
    env: t.env,
  });
  report(t, results, names, flags.out);
  return exitCodes[results.verdict];
}

function termOf({ env, now }: Terminal, { student, day }: GradeFlags) {
  if (student === undefined) return undefined;
  const courseKey = env["LABS_COURSE_KEY"];
  if (courseKey === undefined || courseKey === "") {
    throw new EnvironmentError("--student needs the course key in $LABS_COURSE_KEY");
  }
  if (day !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(day)) {
    throw new EnvironmentError(`--day ${day}: must be like 2026-11-21`);
  }
  return { courseKey, student, day: day ?? now().toISOString().slice(0, 10) };
}

function report(
  { write }: Terminal,
  results: Results,
  names: readonly string[],
  directory: string | undefined,
): void {
  for (const name of names) {
    const { fileName, render } = findFormat(name)!;
    const text = render(results);
    if (directory === undefined || name === "terminal") write(text);
    if (directory === undefined) continue;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, fileName), text);
  }
}

export async function replayCommand(
  t: Terminal,
  id: string,
  { subject }: { subject?: string },
): Promise<number> {
  const [labId, check, seedText] = id.split("/");
  const seed = Number(seedText);
  const lab = readLab(labId ?? "");
  const exercise = exerciseOf(lab.id);
  if (!exercise.checkIds.includes(check ?? "") || !Number.isInteger(seed)) {
    throw new EnvironmentError(`${id}: must be LAB/CHECK/SEED, like 01-mvcc/b.past-reads/3`);
  }
  const history = exercise.history(check!, seed);
  const opened = await openSubject(subject ?? lab.submit, {
    lab,
    env: t.env,
    onOutput: t.complain,
  });
  try {
    const { mismatch } = await runHistory(opened.subject, exercise, history);
    const model = exercise.createModel();
    for (const [i, op] of history.entries()) {
      const expected = model.apply(op)!;
      t.write(`${String(i + 1).padStart(4)}  ${exercise.formatOperation(op)}\n`);
      if (mismatch?.at === i) break;
      t.write(`         ${exercise.formatExpected(expected)}\n`);
    }
    if (mismatch === undefined) {
      t.write("pass: every answer is as it must be\n");
      return exitCodes.pass;
    }
    t.write(`      expected  ${mismatch.expected}\n      got       ${mismatch.actual}\n`);
    return exitCodes.fail;
  } finally {
    await opened.close();
  }
}

interface DiffFlags {
  readonly against: string;
  readonly subject?: string;
  readonly seeds: number;
}

export async function diffCommand(t: Terminal, id: string, flags: DiffFlags): Promise<number> {
  const lab = readLab(id);
  const exercise = exerciseOf(id);
  const open: OpenSubject[] = [];
  try {
    const ours = await openSubject(flags.subject ?? lab.submit, { lab, env: t.env });
    open.push(ours);
    if (flags.against === "transcript") {
      const found = await diffTranscripts(exercise, ours.subject, readTranscripts(id));
      return tellDifferences(t, found, "the transcripts");
    }
    if (!/^(bin|etcd):/.test(flags.against)) {
      throw new EnvironmentError(`--against ${flags.against}: transcript, bin:PATH or etcd:URL`);
    }
    const theirs = await openSubject(flags.against, { lab, env: t.env });
    open.push(theirs);
    const seeds = publicSeeds(flags.seeds).map((seed) => seed.value);
    const found = await diffLive(exercise, ours.subject, theirs.subject, seeds);
    return tellDifferences(t, found, theirs.upstream);
  } finally {
    for (const opened of open) await opened.close();
  }
}

function tellDifferences(
  { write }: Terminal,
  found: Parameters<typeof formatDifferences>[0],
  what: string,
): number {
  if (found.length === 0) {
    write(`no answer differs from ${what}\n`);
    return exitCodes.pass;
  }
  write(`${formatDifferences(found)}\n\n${found.length} histories differ from ${what}\n`);
  return exitCodes.fail;
}

interface HintFlags {
  readonly stage: string;
  readonly more?: boolean;
}

export function hintCommand({ write, now }: Terminal, id: string, flags: HintFlags): number {
  const lab = readLab(id);
  const taken = hintsTaken(id, flags.stage);
  const wanted = flags.more === true ? taken + 1 : Math.max(taken, 1);
  const level = Math.min(wanted, hintLevelMax);
  const text = hint(lab, flags.stage, level);
  if (level > taken) logHint(id, flags.stage, level, now().toISOString());
  const next = level < hintLevelMax ? `   (--more: hint ${level + 1} of ${hintLevelMax})` : "";
  write(`Hint ${level} of ${hintLevelMax} for stage ${flags.stage}${next}\n\n${text}\n`);
  return exitCodes.pass;
}

interface AuthorFlags {
  readonly seeds: number;
  readonly update?: boolean;
}

export async function authorCommand(
  t: Terminal,
  id: string | undefined,
  flags: AuthorFlags,
): Promise<number> {
  let isRight = true;
  for (const lab of id === undefined ? labIds() : [id]) {
    t.write(`${lab}\n`);
    const holds = await authorCheck({
      lab,
      seeds: flags.seeds,
      env: t.env,
      isUpdating: flags.update === true,
      etcdTarget: etcdTarget(),
      onRule: (rule, breaches) => {
        t.write(`   ${breaches.length === 0 ? "✓" : "✗"} ${rule}\n`);
        for (const breach of breaches) t.write(`       ${breach.replaceAll("\n", "\n       ")}\n`);
      },
    });
    isRight &&= holds;
  }
  return isRight ? exitCodes.pass : exitCodes.fail;
}

/** The version that the project follows; unknown outside the repository. */
export function etcdTarget(): string | undefined {
  try {
    const text = readFileSync(join(labsFolder, "..", "upstream.json"), "utf8");
    return (JSON.parse(text) as { etcd?: string }).etcd;
  } catch {
    return undefined;
  }
}

export async function recordCommand(
  t: Terminal,
  id: string,
  { against }: { against: string },
): Promise<number> {
  const lab = readLab(id);
  const name = against.replace(/^bin:/, "");
  const binary = name.includes("/") ? name : findUpstream(name, t.env);
  if (binary === undefined) throw new EnvironmentError(`${name} was not found`);
  const opened = await openSubject(`bin:${binary}`, { lab, env: t.env });
  try {
    const date = t.now().toISOString().slice(0, 10);
    const version = etcdVersion(binary);
    const exercise = exerciseOf(id);
    const { subject } = opened;
    const files = await record({ lab: id, exercise, subject, version, binary, date, seed: 1 });
    t.write(files.map((file) => `${relative(labFolder(id), file)}\n`).join(""));
    return exitCodes.pass;
  } finally {
    await opened.close();
  }
}
