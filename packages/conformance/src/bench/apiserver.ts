/**
 * `npm run bench -- apiserver`: client-go's load on ours and on kube-apiserver, one run, in turn.
 *
 * Both stand on upstream's etcd; ours also on etcd-lite. The load is upstream/pins/clients/apiload:
 * protobuf, 32 callers and 50 watchers of their own connections.
 *
 * Units   rates a second; latencies in milliseconds; memory in MiB of the server's process alone
 *         (without its etcd); a ratio above 1 is always in our favour
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { residentBytes } from "nanokube";
import { type ApiServerInstance, openServer, type ServerSetup } from "../subjects/apiserver.ts";
import { findProgram, missing } from "../subjects/programs.ts";
import { bundled } from "./bundled.ts";
import { median } from "./median.ts";

export interface ApiServerBench {
  /** How long a phase of reads takes. */
  seconds: number;
  /** Numbers of objects at which growth is measured; none skips it. */
  growth: readonly number[];
  pods: number;
  /** Also keep the table in this file. */
  save?: string;
  /** One subject alone, while something is being mended. */
  only?: string;
  /** These phases of the load alone, without memory and growth: "create,fanout". */
  phases?: string;
  /** How often each subject is measured, in turn; the figures are medians. */
  rounds: number;
}

type Figures = Record<string, number>;

/** How often all pods are made and deleted before anything is measured. */
const warmUps = 4;

interface Subject {
  name: string;
  setup: ServerSetup;
}

async function measure(subject: Subject, options: ApiServerBench): Promise<Figures> {
  const figures: Figures = {};
  const server = await openServer(subject.setup);
  try {
    // What a first start compiled is written a moment after it; figures are of every later one.
    await delay(1000);
    const starts: number[] = [];
    for (let i = 0; i < 3; i++) starts.push(await readyAgain(server));
    figures["ready.p50"] = median(starts);
    await delay(3000);
    figures["memory.idle"] = residentBytes(server.pid) / 2 ** 20;
    const load = (...flags: string[]) => apiload(server, [...flags, "--pods", `${options.pods}`]);
    const phases = options.phases ?? "create,get,list,bytes,label,patch,apply,fanout,delete";
    const first = await load("--phases", "create,delete", "--namespace", "first");
    figures["first.create.rate"] = first["create.rate"]!;
    figures["first.create.cpu"] = first["create.cpu"]!;
    // Servers run for weeks: what is measured is not their first ten thousand requests.
    for (let i = 1; i <= warmUps; i++) {
      await load("--phases", "create,delete", "--namespace", `warm-up-${i}`);
    }
    await load("--phases", phases, "--seconds", "1s", "--namespace", "warm-up");
    Object.assign(figures, await load("--phases", phases, "--seconds", `${options.seconds}s`));
    if (options.phases !== undefined) return figures;
    await load("--phases", "cluster");
    await delay(5000);
    figures["memory.cluster"] = residentBytes(server.pid) / 2 ** 20;
    // What grows is the server; on which store it stands the rows before have shown.
    if (options.growth.length > 0 && subject.setup.store === undefined) {
      const sizes = options.growth.join(",");
      Object.assign(
        figures,
        await load("--phases", "growth", "--growth", sizes, "--seconds", "3s"),
      );
      figures["memory.growth"] = residentBytes(server.pid) / 2 ** 20;
    }
    return figures;
  } finally {
    await server.close();
  }
}

/** From the process to /readyz on a store that has been set up, as after every restart. */
async function readyAgain(server: ApiServerInstance): Promise<number> {
  await server.killServer();
  const startMs = performance.now();
  await server.startServer();
  return performance.now() - startMs;
}

async function apiload(server: ApiServerInstance, flags: readonly string[]): Promise<Figures> {
  const program = findProgram("apiload")!;
  const { stdout } = await execa(program, [
    "--kubeconfig",
    server.kubeconfig,
    "--pid",
    String(server.pid),
    ...flags,
  ]);
  return JSON.parse(stdout) as Figures;
}

const rows: readonly [string, string, string][] = [
  ["first.create.rate", "create, the first of a process", "/s"],
  ["create.rate", "create", "/s"],
  ["get.rate", "get", "/s"],
  ["get.p99", "get, p99", "ms"],
  ["list.rate", "list of all pods, decoded by client-go (4 callers)", "/s"],
  ["bytes.rate", "the same list, as it comes", "/s"],
  ["label.rate", "list by label (4 callers)", "/s"],
  ["patch.rate", "merge patch", "/s"],
  ["apply.rate", "server-side apply", "/s"],
  ["delete.rate", "delete", "/s"],
  ["fanout.p50", "watch fan-out at 100 changes/s, p50", "ms"],
  ["fanout.p99", "watch fan-out at 100 changes/s, p99", "ms"],
  ["fanout.full.write.rate", "writes while 50 watch", "/s"],
  ["fanout.full.p50", "watch fan-out at full load, p50", "ms"],
  ["fanout.full.p99", "watch fan-out at full load, p99", "ms"],
  ["first.create.cpu", "processor time of the server: create, the first of a process", "ms"],
  ["create.cpu", "… create", "ms"],
  ["get.cpu", "… get", "ms"],
  ["list.cpu", "… list of all pods", "ms"],
  ["bytes.cpu", "… the same list, as it comes", "ms"],
  ["label.cpu", "… list by label", "ms"],
  ["patch.cpu", "… merge patch", "ms"],
  ["apply.cpu", "… server-side apply", "ms"],
  ["delete.cpu", "… delete", "ms"],
  ["fanout.cpu", "… a change that 50 watch", "ms"],
  ["ready.p50", "process → ready", "ms"],
  ["memory.idle", "resident memory, idle", "MiB"],
  ["memory.cluster", "resident, 5,000 nodes and 12,000 pods", "MiB"],
];

function growthRows(sizes: readonly number[]): [string, string, string][] {
  return sizes.flatMap((size): [string, string, string][] => [
    [`growth.${size}.create.rate`, `${size} objects: create`, "/s"],
    [`growth.${size}.get.p50`, `${size} objects: get, p50`, "ms"],
    [`growth.${size}.page.rate`, `${size} objects: page of 500 (4 callers)`, "/s"],
    [`growth.${size}.list.p50`, `${size} objects: list of all`, "ms"],
  ]);
}

function show(value: number | undefined, unit: string): string {
  if (value === undefined) return "–";
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`.replace(" /s", "/s");
}

export async function benchApiServer(
  options: ApiServerBench,
  write: (line: string) => void,
): Promise<void> {
  for (const name of ["kube-apiserver", "etcd", "apiload"]) {
    if (findProgram(name) === undefined) throw new Error(missing(name));
  }
  const directory = await mkdtemp(join(tmpdir(), "nanokube-bench-"));
  try {
    const ours = await bundled("apiserver", directory);
    const subjects: Subject[] = [
      { name: "kube-apiserver", setup: { command: [findProgram("kube-apiserver")!] } },
      { name: "ours", setup: { command: ours } },
      {
        name: "ours on etcd-lite",
        setup: { command: ours, store: await bundled("etcd-lite", directory) },
      },
    ];
    const wanted = subjects.filter(({ name }) => (options.only ?? name) === name);
    const figures = new Map<string, Figures[]>(subjects.map(({ name }) => [name, []]));
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const subject of wanted) {
        const measured = await measure(subject, options);
        figures.get(subject.name)!.push(measured);
        // A run that is cut short has shown what it had.
        write(`${subject.name}: ${JSON.stringify(measured)}`);
      }
    }
    const columns = subjects.map(({ name }) => medians(figures.get(name)!));
    const lines: string[] = [];
    writeTable([...rows, ...growthRows(options.growth)], columns, (line) => lines.push(line));
    for (const line of lines) write(line);
    if (options.save !== undefined) await writeFile(options.save, page(lines));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function medians(rounds: readonly Figures[]): Figures | undefined {
  const [first] = rounds;
  if (first === undefined) return undefined;
  const keys = Object.keys(first);
  return Object.fromEntries(keys.map((key) => [key, median(rounds.map((each) => each[key]!))]));
}

function page(lines: readonly string[]): string {
  const load = loadavg().map((value) => value.toFixed(1));
  const where = `${cpus().length} cores, load ${load.join(", ")} at the end of the run`;
  return `# client-go against ours and kube-apiserver\n\nBy \`npm run bench -- apiserver --save …\`; ${where}.\n${lines.join("\n")}\n`;
}

function writeTable(
  table: readonly [string, string, string][],
  [upstream, ours, lite]: readonly (Figures | undefined)[],
  write: (line: string) => void,
): void {
  write("");
  write("| | kube-apiserver | ours | ratio | ours on etcd-lite |");
  write("|---|---|---|---|---|");
  for (const [key, label, unit] of table) {
    const [theirs, own] = [upstream?.[key], ours?.[key]];
    if ((theirs ?? own ?? lite?.[key]) === undefined) continue;
    const cells = [show(theirs, unit), show(own, unit), ratioOf(theirs, own, unit)];
    cells.push(show(lite?.[key], unit));
    write(`| ${label} | ${cells.join(" | ")} |`);
  }
}

function ratioOf(theirs: number | undefined, own: number | undefined, unit: string): string {
  if (theirs === undefined || own === undefined) return "–";
  return (unit === "/s" ? own / theirs : theirs / own).toFixed(2);
}
