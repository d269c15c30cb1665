/**
 * labs author check: the grader graded. Wrong stores must lose, the right one must win, twice; who
 * cheats gets nothing; every report is what its platform wants.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Surroundings } from "nanokube/programs";
import { parse } from "yaml";
import type { LabManifest } from "../core/lab.ts";
import { formats } from "../core/report/formats.ts";
import { invalidReports } from "../core/report/validate.ts";
import { allChecks, type Results, totalEarned, totalPoints } from "../core/results.ts";
import { publicSeeds } from "../core/seeds.ts";
import { compileStarter } from "./compile-starter.ts";
import { drawSeeds, exerciseOf, type GradeRequest, grade, gradeOpened } from "./grade.ts";
import { labFolder, readLab } from "./manifest.ts";
import { copyReference, type Edit } from "./mvcc/reference.ts";
import { openSlot } from "./mvcc/subjects.ts";
import { minorsBehind, readTranscripts } from "./transcripts.ts";

export interface AuthorOptions {
  readonly lab: string;
  /** For the reference; the others need fewer. */
  readonly seeds: number;
  readonly env: Surroundings;
  /** Writes the golden output anew. */
  readonly isUpdating: boolean;
  /** The version of etcd that the project follows, when known. */
  readonly etcdTarget: string | undefined;
  onRule(rule: string, breaches: readonly string[]): void;
}

export const starterShareMax = 0.05;
export const cheaterShareMax = 0.1;
const mutantsMin = 8;
const wrongSeeds = 4;
const minorsBehindMax = 2;

type Rule = (context: Context) => Promise<string[]> | string[];

interface Context extends AuthorOptions {
  readonly manifest: LabManifest;
  /** Kept for the reports to be made from: the reference's first, then by the mutant's name. */
  readonly graded: Map<string, Results>;
}

const rules: readonly [string, Rule][] = [
  ["lab.yml and the grader name the same checks; every claim has one", checkNames],
  ["every history does what its check is about", checkTelling],
  ["the starter compiles and scores at most 5 %", checkStarter],
  ["the reference scores everything, twice the same", checkReference],
  ["every mutant loses points on the stage that names it", checkMutants],
  ["cheaters score at most 10 % and change no verdict", checkCheaters],
  ["the model answers as upstream did in the transcripts", checkTranscripts],
  ["every report is what its platform wants", checkReports],
  ["the grader says what it said (golden output)", checkGolden],
];

/** True when every rule holds. */
export async function authorCheck(options: AuthorOptions): Promise<boolean> {
  const context: Context = { ...options, manifest: readLab(options.lab), graded: new Map() };
  let isRight = true;
  for (const [rule, check] of rules) {
    const breaches = await check(context);
    if (breaches.length > 0) isRight = false;
    options.onRule(rule, breaches);
  }
  return isRight;
}

function request(context: Context, subject: string, seeds: number): GradeRequest {
  return { lab: context.manifest, subject, seeds: publicSeeds(seeds), env: context.env };
}

const share = (results: Results): number => totalEarned(results) / totalPoints(results);
const percent = (value: number): string => `${Math.round(value * 1000) / 10} %`;

function checkNames({ manifest }: Context): string[] {
  const named = manifest.stages.flatMap((stage) => stage.checks).map((check) => check.id);
  const made = exerciseOf(manifest.id).checkIds;
  return [
    ...named.filter((id) => !made.includes(id)).map((id) => `${id} is in lab.yml only`),
    ...made.filter((id) => !named.includes(id)).map((id) => `${id} is not in lab.yml`),
  ];
}

/** A fault test that injects no fault passes everything: each history must ask what it is about. */
function checkTelling({ manifest, seeds }: Context): string[] {
  const exercise = exerciseOf(manifest.id);
  const found: string[] = [];
  for (const check of exercise.checkIds) {
    for (const { value } of publicSeeds(seeds)) {
      const model = exercise.createModel();
      const history = exercise.history(check, value);
      const replies = history.map((op) => ({ op, reply: model.apply(op) }));
      if (replies.some(({ reply }) => reply === undefined)) {
        found.push(`${check} seed ${value} asks what is not promised`);
      }
      if (!replies.some(({ op, reply }) => exercise.isTelling(check, op, reply))) {
        found.push(`${check} seed ${value} never does what it is about`);
      }
    }
  }
  return found;
}

async function checkStarter(context: Context): Promise<string[]> {
  const folder = join(labFolder(context.lab), "starter");
  const found = compileStarter(folder);
  const file = join(folder, context.manifest.submit);
  const results = await grade(request(context, file, wrongSeeds));
  if (share(results) > starterShareMax) found.push(`scores ${percent(share(results))}`);
  return found;
}

async function checkReference(context: Context): Promise<string[]> {
  const found: string[] = [];
  const runs: Results[] = [];
  for (let run = 0; run < 2; run++) {
    const results = await grade(request(context, "reference", context.seeds));
    if (share(results) < 1 || results.verdict !== "pass") {
      const lost = allChecks(results).filter((check) => check.earned < check.points);
      found.push(`run ${run + 1}: ${lost.map((check) => check.message).join("\n")}`);
    }
    const { totalMs } = context.manifest.budget;
    if (results.durationMs > totalMs) found.push(`took ${results.durationMs} of ${totalMs} ms`);
    runs.push(results);
  }
  const [first, second] = runs.map((results) => JSON.stringify({ ...results, durationMs: 0 }));
  if (first !== second) found.push("the two runs differ");
  context.graded.set("", runs[0]!);
  return found;
}

export interface Mutant {
  readonly name: string;
  readonly stage: string;
  readonly bug: string;
  readonly edits: readonly Edit[];
}

export function readMutants(lab: string): Mutant[] {
  const folder = join(labFolder(lab), "mutants");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yml"))
    .map((name) => ({
      name: name.replace(/\.yml$/, ""),
      ...(parse(readFileSync(join(folder, name), "utf8")) as Omit<Mutant, "name">),
    }));
}

export async function gradeMutant(
  { stage, name, edits }: Mutant,
  base: Omit<GradeRequest, "subject">,
): Promise<Results> {
  const copy = copyReference(edits);
  const opened = openSlot(copy.file, `mutant ${name}`, { lab: base.lab }, () => copy.remove());
  try {
    // It is wrong, not inconstant: the second process would show nothing.
    return await gradeOpened(
      { ...opened, second: undefined },
      { ...base, subject: name, stages: [stage] },
    );
  } finally {
    await opened.close();
  }
}

async function checkMutants(context: Context): Promise<string[]> {
  const mutants = readMutants(context.lab);
  const found = mutants.length < mutantsMin ? [`there are only ${mutants.length}`] : [];
  await eachOf(mutants, async (mutant) => {
    const results = await gradeMutant(mutant, request(context, "", wrongSeeds));
    if (share(results) === 1) {
      found.push(`${mutant.name} loses nothing on stage ${mutant.stage}: ${mutant.bug}`);
    }
    context.graded.set(mutant.name, results);
  });
  return found;
}

/** Two at a time: a grading waits for its child half of the time. */
async function eachOf<T>(items: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await visit(item);
  };
  await Promise.all([worker(), worker()]);
}

/** What each of those who cheat or misbehave must be told, besides losing. */
const told: Readonly<Record<string, RegExp>> = {
  "upstream-proxy": /imports node:http2/,
  "quiet-proxy": /may not use process/,
  writer: /imports node:fs/,
  importer: /imports @nanokube\/etcd-lite/,
  crasher: /the program ended/,
  hanger: /hung: it did not answer within/,
};

async function checkCheaters(context: Context): Promise<string[]> {
  const folder = join(labFolder(context.lab), "cheaters");
  const found: string[] = [];
  const seeds = drawSeeds(context.lab, wrongSeeds, {
    courseKey: "author check",
    student: "cheater",
    day: "2026-01-01",
  });
  await eachOf(readdirSync(folder), async (name) => {
    const file = join(folder, name, "main.ts");
    // One check shows it as well as all of them, and each hang costs its time limit.
    const check = ["hanger", "crasher"].includes(name) ? "b.past-reads" : undefined;
    const results = await grade({ ...request(context, file, 1), seeds, check });
    if (share(results) > cheaterShareMax) found.push(`${name} scores ${percent(share(results))}`);
    if (results.verdict !== "fail") found.push(`${name} gets the verdict ${results.verdict}`);
    const isTold = allChecks(results).some((check) => (told[name] ?? /./).test(check.message));
    if (!isTold) found.push(`${name} is not told why: ${allChecks(results)[0]?.message}`);
    for (const path of [join(folder, name, "results.json"), "results.json"]) {
      if (existsSync(path)) found.push(`${name} wrote ${path}`);
    }
  });
  return found;
}

function checkTranscripts({ lab, etcdTarget }: Context): string[] {
  const exercise = exerciseOf(lab);
  const found: string[] = [];
  for (const { provenance, steps } of readTranscripts(lab)) {
    const model = exercise.createModel();
    const name = `etcd ${provenance.version} ${provenance.check}`;
    const at = steps.findIndex(({ send, expect }) => {
      const reply = model.apply(send);
      return reply !== undefined && !exercise.isAsExpected(expect, reply);
    });
    if (at >= 0) found.push(`${name}, line ${at + 2}: the model differs`);
  }
  const versions = [...new Set(readTranscripts(lab).map((t) => t.provenance.version))];
  const newest = Math.min(...versions.map((v) => minorsBehind(v, etcdTarget ?? v)));
  if (newest > minorsBehindMax) found.push(`the newest is ${newest} minors behind: record again`);
  return found;
}

/** Besides what was graded, the two verdicts that a right machine does not give. */
function checkReports({ graded }: Context): string[] {
  const first = graded.get("")!;
  const withVerdict = (verdict: "environment" | "inconclusive"): Results => ({
    ...first,
    verdict,
    stages: first.stages.map((stage) => ({
      ...stage,
      earned: 0,
      checks: stage.checks.map((check) => ({
        ...check,
        verdict,
        earned: 0,
        message: `no answer: <"&'> \u0001`,
      })),
    })),
  });
  const all = [...graded.values(), withVerdict("environment"), withVerdict("inconclusive")];
  return all.flatMap((results) => invalidReports(results));
}

/** None that fails by a measurement: its numbers are never twice the same. */
const goldenMutants = ["rebirth-counts-on", "dirty-reads", "keeps-tombstones"];

function checkGolden({ lab, graded, isUpdating }: Context): string[] {
  const folder = join(labFolder(lab), "golden");
  const found: string[] = [];
  for (const name of goldenMutants) {
    const text = formats["terminal"]!.render(graded.get(name)!);
    const path = join(folder, `${name}.txt`);
    if (isUpdating) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path, text);
    } else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
      found.push(`${name}: differs from golden/${name}.txt (--update writes it anew)`);
    }
  }
  return found;
}
