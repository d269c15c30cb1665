/**
 * `npm run faults`: what `npm test` shows in seconds, at full size, on ours and on kube-apiserver:
 * kill -9 under 1,000 writes a second, a store that is away for 30 s, 10,000 idle watchers,
 * thousands of broken requests. About three minutes for each of the two; on loopback.
 *
 * Units   as each line says; a figure is asserted where the table names its limit
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { execa } from "execa";
import { type FaultSettings, type FaultSubject, faultVariables } from "./settings.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const files = { kill: "rest-kill", store: "rest-faults", rubbish: "rest-rubbish" };
type Part = keyof typeof files;

interface Flags extends Omit<FaultSettings, "subject"> {
  on?: FaultSubject;
  only?: Part;
  save?: string;
}

type Figures = Map<string, string>;

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("must be a number.");
  return value;
}

const program = new Command("faults")
  .description("the API server's faults at full size, ours beside kube-apiserver")
  .addOption(new Option("--on <subject>", "one alone").choices(["apiserver", "kube-apiserver"]))
  .addOption(new Option("--only <part>", "one part alone").choices(Object.keys(files)))
  .option("--rate <n>", "writes a second that ours must reach before each kill", count, 1000)
  .option("--write-seconds <n>", "how long is written before each kill", count, 8)
  .option("--outage-seconds <n>", "how long the store is away", count, 30)
  .option("--watchers <n>", "who watch and hear nothing", count, 10_000)
  .option("--rounds <n>", "rounds of rubbish of each kind", count, 2000)
  .option("--seed <text>", "where the rubbish begins", "rubbish-1")
  .option("--save <file>", "keep the table in this file, e.g. docs/benchmarks/faults.md");

async function runOn(subject: FaultSubject, flags: Flags, directory: string): Promise<Figures> {
  const target = join(directory, subject);
  await writeFile(target, "");
  const parts = flags.only === undefined ? (Object.keys(files) as Part[]) : [flags.only];
  // Upstream's rate is shown beside ours, and is none of our promises.
  const rate = subject === "apiserver" ? flags.rate : 0;
  const env = { ...faultVariables({ ...flags, subject, rate }), FAULTS_FIGURES: target };
  const names = parts.map((part) => `packages/conformance/test/${files[part]}.test.ts`);
  const args = ["run", "--maxWorkers=1", "--testTimeout=600000", ...names];
  const options = { cwd: root, env, preferLocal: true, localDir: root, reject: false } as const;
  const { exitCode } = await execa("vitest", args, { ...options, stdio: "inherit" });
  if (exitCode !== 0) process.exitCode = 1;
  const lines = (await readFile(target, "utf8")).split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const { name, value, unit } = JSON.parse(line) as Record<string, string> & { value: number };
      return [name!, `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`.trim()];
    }),
  );
}

function page(ours: Figures, theirs: Figures): string {
  const load = loadavg().map((value) => value.toFixed(1));
  const lines = [
    "# The API server under faults",
    "",
    `By \`npm run faults -- --save …\`; ${cpus().length} cores, load ${load.join(", ")} at the end of the run.`,
    "The same tests as in `npm test`, at full size. Nothing acknowledged was lost in any of them.",
    "",
    "| | ours | kube-apiserver |",
    "|---|---|---|",
  ];
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    lines.push(`| ${name} | ${ours.get(name) ?? "–"} | ${theirs.get(name) ?? "–"} |`);
  }
  return `${lines.join("\n")}\n`;
}

async function main(): Promise<void> {
  const flags = program.parse().opts<Flags>();
  const directory = await mkdtemp(join(tmpdir(), "nanokube-faults-"));
  try {
    const none: Figures = new Map();
    const wanted = (subject: FaultSubject) => (flags.on ?? subject) === subject;
    const ours = wanted("apiserver") ? await runOn("apiserver", flags, directory) : none;
    const theirs = wanted("kube-apiserver")
      ? await runOn("kube-apiserver", flags, directory)
      : none;
    const text = page(ours, theirs);
    process.stdout.write(`\n${text}`);
    if (flags.save !== undefined && process.exitCode !== 1) await writeFile(flags.save, text);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

main().catch((error: Error) => {
  process.stderr.write(`Error: ${error.message}\n`);
  process.exitCode = 1;
});
