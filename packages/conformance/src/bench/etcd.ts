/**
 * `npm run bench -- etcd`: etcd-lite and etcd side by side, fsync on, over real sockets.
 *
 * Both run all the time, and each row is run on ours, on etcd, on ours, …: a machine that is slow
 * for a minute is slow for both. Every figure is a median over the rounds. A ratio above 1 says
 * that ours is faster (or smaller); processor time is the server's alone, which another program on
 * the machine does not change much.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type Compacted, fill, measureCompacted, measureSizes, type Size } from "./etcd-growth.ts";
import { growthRows, type Row, rows, runRow, type Sample } from "./etcd-load.ts";
import { etcdPrograms, type Program, RunningEtcd } from "./etcd-subject.ts";
import { tablesOf } from "./etcd-tables.ts";
import { median } from "./median.ts";

export interface EtcdBenchOptions {
  readonly rounds: number;
  /** Times the usual number of requests. */
  readonly scale: number;
  readonly members: number;
  /** Only rows whose name has this text. */
  readonly only?: string;
  readonly growth: readonly number[];
  /** Where the figures and the tables go. */
  readonly save?: string;
}

export interface RowResult {
  readonly name: string;
  readonly by: Row["by"];
  readonly ours: Sample;
  readonly theirs: Sample;
}

export interface GrowthResult {
  /** By clients, and by the size of values. */
  readonly loads: readonly RowResult[];
  readonly ours: readonly Size[];
  readonly theirs: readonly Size[];
  readonly compacted: {
    readonly ours: readonly Compacted[];
    readonly theirs: readonly Compacted[];
  };
}

export interface EtcdBenchResult {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly load: { readonly before: number; readonly after: number };
  readonly rounds: number;
  readonly members: number;
  readonly rows: readonly RowResult[];
  readonly residentBytes: { readonly ours: number; readonly theirs: number };
  readonly emptyStartMs: { readonly ours: number; readonly theirs: number };
  readonly growth?: GrowthResult;
}

export async function benchEtcd(options: EtcdBenchOptions, write: (line: string) => void) {
  const directory = mkdtempSync(join(tmpdir(), "nanokube-bench-"));
  const before = loadavg()[0]!;
  try {
    const programs = await etcdPrograms(directory);
    const rowsOnly: EtcdBenchResult = {
      command: commandOf(options),
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} × ${cpus()[0]!.model}`,
      rounds: options.rounds,
      members: options.members,
      ...(await benchRows(programs, options, write)),
      load: { before, after: loadavg()[0]! },
    };
    save(rowsOnly, options);
    const hasGrowth = options.growth.length > 0;
    const growth = hasGrowth ? await grow(programs, options, write) : undefined;
    const result = growth === undefined ? rowsOnly : { ...rowsOnly, growth };
    save(result, options);
    write(tablesOf(result));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function save(result: EtcdBenchResult, { save: path }: EtcdBenchOptions): void {
  if (path === undefined) return;
  writeFileSync(`${path}.json`, `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(`${path}.md`, tablesOf(result));
}

function commandOf({ rounds, scale, members, only, growth }: EtcdBenchOptions): string {
  const words = [`npm run bench -- etcd --rounds ${rounds}`];
  if (scale !== 1) words.push(`--scale ${scale}`);
  if (members !== 1) words.push(`--members ${members}`);
  if (only !== undefined) words.push(`--only "${only}"`);
  if (growth.length > 0) words.push(`--growth ${growth.join(",")}`);
  return words.join(" ");
}

async function benchRows(
  programs: readonly Program[],
  { rounds, scale, members, only }: EtcdBenchOptions,
  write: (line: string) => void,
) {
  const starts = await emptyStarts(programs, Math.min(rounds, 5));
  const subjects: RunningEtcd[] = [];
  try {
    for (const program of programs) subjects.push(await RunningEtcd.open(program, members));
    for (const subject of subjects) await fill(subject, 0, 10_000);
    const chosen = rows.filter(({ name }) => name.includes(only ?? ""));
    const results = await runRows(chosen, subjects, { rounds, scale, write });
    const [ours, theirs] = subjects.map((subject) => subject.residentBytes) as [number, number];
    return { rows: results, residentBytes: { ours, theirs }, emptyStartMs: starts };
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

interface Runs {
  readonly rounds: number;
  readonly scale: number;
  readonly write: (line: string) => void;
}

async function runRows(
  chosen: readonly Row[],
  subjects: readonly RunningEtcd[],
  runs: Runs,
): Promise<RowResult[]> {
  const results: RowResult[] = [];
  for (const row of chosen) {
    const samples = await sampleRow(row, subjects, runs).catch((error: Error) => {
      runs.write(`${row.name}: ${error.message.slice(0, 300)}`);
      return undefined;
    });
    if (samples === undefined) continue;
    const [ours, theirs] = samples.map(medianSample) as [Sample, Sample];
    results.push({ name: row.name, by: row.by, ours, theirs });
    runs.write(`${row.name}: ${(ours.rate / theirs.rate).toFixed(2)}`);
  }
  return results;
}

async function sampleRow(
  row: Row,
  subjects: readonly RunningEtcd[],
  { rounds, scale }: { rounds: number; scale: number },
): Promise<Sample[][]> {
  // One run each that is not counted: both programs get faster while they run.
  for (const subject of subjects) await runRow(row, subject, scale / 2);
  const samples: Sample[][] = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      samples[i]!.push(await runRow(row, subject, scale));
    }
  }
  return samples;
}

async function emptyStarts(programs: readonly Program[], rounds: number) {
  const times: number[][] = programs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, program] of programs.entries()) {
      const subject = await RunningEtcd.open(program);
      await subject.kill();
      times[i]!.push(await subject.start());
      await subject.close();
    }
  }
  return { ours: median(times[0]!), theirs: median(times[1]!) };
}

async function grow(
  programs: readonly Program[],
  { growth, rounds, scale, members }: EtcdBenchOptions,
  write: (line: string) => void,
): Promise<GrowthResult> {
  const [ours, theirs] = programs;
  write("growth: clients and values");
  const loads = await growLoads(programs, members, { rounds, scale, write });
  write("growth: ours");
  const oursSizes = await measureSizes(ours!, growth);
  write("growth: etcd");
  const theirSizes = await measureSizes(theirs!, growth);
  write("compaction");
  const counts = [100, 300];
  const compacted = {
    ours: await measureCompacted(ours!, counts),
    theirs: await measureCompacted(theirs!, counts),
  };
  return { loads, ours: oursSizes, theirs: theirSizes, compacted };
}

async function growLoads(programs: readonly Program[], members: number, runs: Runs) {
  const subjects: RunningEtcd[] = [];
  try {
    for (const program of programs) subjects.push(await RunningEtcd.open(program, members));
    return await runRows(growthRows, subjects, runs);
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

function medianSample(samples: readonly Sample[]): Sample {
  const of = (key: keyof Sample) => median(samples.map((sample) => sample[key]));
  return {
    rate: of("rate"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    processorUs: of("processorUs"),
    requests: of("requests"),
  };
}
