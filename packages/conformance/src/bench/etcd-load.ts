/**
 * etcd's own `benchmark` as the client: one row of the table is one way to call it.
 *
 * Units   rates a second; latencies in milliseconds
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram, missing } from "../subjects/programs.ts";
import type { RunningEtcd } from "./etcd-subject.ts";

export interface Row {
  readonly name: string;
  readonly args: string;
  /** Requests of the run; `SCALE` times of it when asked for. */
  readonly total: number;
  /** The flag that says how many. */
  readonly totalFlag?: string;
  /** Which of several summaries the tool prints; the last when negative. */
  readonly summary?: number;
  /** Latencies of all summaries, one after the other: the tool splits what is one wait. */
  readonly isSum?: boolean;
  /** What counts: the rate (more is better), or the median latency (less is better). */
  readonly by: "rate" | "p50";
  /** Has to have happened before. */
  readonly needs?: "keys" | "manyKeys";
}

const many = "--clients 100 --conns 10";
const value = "--val-size 256 --key-space-size 100000";

export const rows: readonly Row[] = [
  { name: "put, 1 client", args: `put --clients 1 --conns 1 ${value}`, total: 2000, by: "rate" },
  { name: "put, 100 clients", args: `put ${many} ${value}`, total: 30_000, by: "rate" },
  {
    name: "put, 1000 clients",
    args: `put --clients 1000 --conns 100 ${value}`,
    total: 30_000,
    by: "rate",
  },
  {
    name: "put of 16 KiB, 100 clients",
    args: `put ${many} --val-size 16384`,
    total: 4000,
    by: "rate",
  },
  { name: "range of one key, 100 clients", args: `range a ${many}`, total: 60_000, by: "rate" },
  {
    name: "range of one key, 1 client",
    args: "range a --clients 1 --conns 1",
    total: 8000,
    by: "rate",
  },
  {
    name: "serializable range, 100 clients",
    args: `range a --consistency s ${many}`,
    total: 60_000,
    by: "rate",
  },
  {
    name: "range of 1000 keys, 100 clients",
    args: `range /growth/ /growth0 --limit 1000 ${many}`,
    total: 1500,
    by: "rate",
    needs: "keys",
  },
  {
    name: "count of 10,000 keys",
    args: `range /growth/ /growth0 --count-only ${many}`,
    total: 3000,
    by: "rate",
  },
  { name: "txn-put, 100 clients", args: `txn-put ${many} ${value}`, total: 30_000, by: "rate" },
  {
    name: "txn-put of 100, 10 clients",
    args: `txn-put --clients 10 --conns 10 --txn-ops 100 ${value}`,
    total: 500,
    by: "rate",
  },
  {
    name: "txn-mixed, reads",
    args: `txn-mixed ${many} --val-size 256 --key-space-size 100 --limit 10`,
    total: 1500,
    by: "rate",
    summary: 0,
  },
  { name: "stm, 100 clients", args: `stm ${many} --keys 1000`, total: 10_000, by: "rate" },
  {
    name: "lease keep-alive, 100 clients",
    args: `lease-keepalive ${many}`,
    total: 60_000,
    by: "rate",
  },
  {
    // 200 watches are made in 10 ms: too short to be a measurement.
    name: "watch: creating, 10 streams of 1000",
    args: "watch --streams 10 --watch-per-stream 1000 --put-total 1",
    total: 0,
    by: "rate",
    summary: 0,
  },
  {
    name: "watch: events to 200 watches",
    args: "watch --streams 10 --watch-per-stream 20",
    total: 300,
    totalFlag: "--put-total",
    by: "rate",
    summary: -1,
  },
  {
    // The tool counts from the put's answer on, and as 0 what came before that: nearly all of ours.
    name: "watch-latency, from put to event (p50)",
    args: "watch-latency --put-rate 200",
    total: 600,
    totalFlag: "--put-total",
    by: "p50",
    isSum: true,
  },
  {
    // The tool's own numbers. With 200 watches etcd's row was a wait: it looks for watches that are
    // behind every 100 ms, and gets have calm until then; ours had caught up after 20 ms.
    name: "watch-get: gets while 10,000 watches catch up",
    args: "watch-get --streams 1 --watchers 10000",
    total: 0,
    by: "rate",
    summary: -1,
  },
];

/** How rates grow with clients, and with the size of values. */
export const growthRows: readonly Row[] = [
  ...[1, 10, 100, 1000].flatMap((clients): Row[] => {
    const who = `--clients ${clients} --conns ${Math.min(clients, 100)}`;
    const total = Math.min(2000 * clients, 30_000);
    return [
      { name: `put, clients: ${clients}`, args: `put ${who} ${value}`, total, by: "rate" },
      { name: `range, clients: ${clients}`, args: `range a ${who}`, total: total * 2, by: "rate" },
    ];
  }),
  ...[64, 1024, 4096, 16_384, 131_072, 1_048_576].map((bytes): Row => {
    const total = Math.min(30_000, Math.ceil((64 << 20) / bytes));
    return {
      name: `put, value bytes: ${bytes}`,
      args: `put ${many} --val-size ${bytes}`,
      total,
      by: "rate",
    };
  }),
];

export interface Sample {
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, for the whole run. */
  readonly processorUs: number;
  readonly requests: number;
}

export async function runRow(row: Row, subject: RunningEtcd, scale: number): Promise<Sample> {
  const program = findProgram("benchmark");
  if (program === undefined) throw new Error(missing("benchmark"));
  const requests = Math.ceil(row.total * scale);
  const args = ["--endpoints", subject.endpoints, "--precise", ...row.args.split(" ")];
  if (row.total > 0) args.push(row.totalFlag ?? "--total", String(requests));
  const before = subject.processorUs;
  const { stdout } = await promisify(execFile)(program, args, {
    maxBuffer: 64 << 20,
    timeout: 120_000,
  });
  const processorUs = subject.processorUs - before;
  const summaries = stdout.split("Summary:").slice(1).map(readSummary);
  const summary = row.isSum === true ? sumOf(summaries) : summaries.at(row.summary ?? 0);
  if (summary === undefined) throw new Error(`${row.name}: no summary in ${stdout.slice(-2000)}`);
  return { ...summary, processorUs, requests };
}

type Summary = Pick<Sample, "rate" | "p50Ms" | "p99Ms">;

function readSummary(text: string): Summary {
  const rate = Number(/Requests\/sec:\s+([\d.e+-]+)/.exec(text)?.[1] ?? Number.NaN);
  return { rate, p50Ms: percentile(text, 50), p99Ms: percentile(text, 99) };
}

/**
 * The tool leaves out percentiles that are zero, as it does those of which it has too few samples:
 * below one that is there it can only be the former.
 */
function percentile(text: string, share: number): number {
  const all = [...text.matchAll(/([\d.]+)% in ([\d.e+-]+) secs/g)];
  const found = all.find(([, percent]) => Number(percent) === share);
  if (found !== undefined) return Number(found[2]) * 1000;
  return all.some(([, percent]) => Number(percent) > share) ? 0 : Number.NaN;
}

function sumOf(summaries: readonly Summary[]): Summary | undefined {
  const [first] = summaries;
  if (first === undefined) return undefined;
  const sum = (key: "p50Ms" | "p99Ms") =>
    summaries.reduce((total, summary) => total + summary[key], 0);
  return { rate: first.rate, p50Ms: sum("p50Ms"), p99Ms: sum("p99Ms") };
}
