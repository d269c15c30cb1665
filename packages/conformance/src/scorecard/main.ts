/**
 * `npm run scorecard`: upstream's e2e specs against a nanokube cluster, into docs/scorecard.md.
 *
 * Specs that may share the cluster run `--procs` at a time, those marked [Serial] or [Disruptive]
 * afterwards, alone. The cluster is taken down whatever happens. Long suites are run in parts:
 * `--suite nodes --focus 'sig-apps' --add` runs those of the list that match, and leaves the other
 * rows of the page. With `--etcd upstream` and the like the page is that of swaps.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { execa } from "execa";
import { DataDir, findProgram, noContainersReason } from "nanokube";
import { findUpstream } from "../upstream/cache.ts";
import { formatPage, merge, parsePage } from "./page.ts";
import {
  focusOf,
  isSerial,
  type ListedSpec,
  parseSpecs,
  type SpecResult,
  withContainerd,
  withMissing,
} from "./results.ts";
import { type E2ERun, runE2E } from "./run-e2e.ts";
import { countLine, nameOfRun, parseRuns, type SuiteRun, withRun } from "./runs.ts";
import { type SwapFlags, swapsOf } from "./swaps.ts";
import { addTestImages } from "./test-images.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const launcher = join(root, "packages/nanokube/bin/nanokube.mjs");
const suites = fileURLToPath(new URL("../../e2e/", import.meta.url));
/** Entries of upstream's test/conformance/testdata/conformance.yaml at the pinned version. */
const conformanceTotal = 446;

interface Flags extends SwapFlags {
  suite: string;
  specs?: string;
  focus?: string;
  skip?: string;
  procs: number;
  nodes: number;
  timeout: number;
  output?: string;
  add?: boolean;
  keep?: boolean;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be 1 or more.");
  return value;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

function need(name: string): string {
  const found = findUpstream(name);
  if (found === undefined) throw new Error(`upstream's ${name} not found: run "npm run upstream"`);
  return found;
}

type Base = Omit<E2ERun, "focus" | "procs" | "directory">;

async function runListed(
  base: Base,
  specs: readonly ListedSpec[],
  procs: number,
  directory: string,
): Promise<SpecResult[]> {
  const possible = specs.filter(({ reason }) => reason === undefined).map(({ name }) => name);
  const together = possible.filter((name) => !isSerial(name)).map(focusOf);
  const alone = possible.filter(isSerial).map(focusOf);
  const results: SpecResult[] = [];
  const run = async (focus: string[], atOnce: number, name: string) => {
    if (focus.length === 0) return;
    say(`${focus.length} specs, ${atOnce} at a time …`);
    results.push(
      ...(await runE2E({ ...base, focus, procs: atOnce, directory: join(directory, name) })),
    );
  };
  await run(together, procs, "together");
  await run(alone, 1, "alone");
  return withMissing(results, specs);
}

/** Of the containerd that nodes will have: `containerd github.com/… v2.4.2 REVISION`. */
async function containerdVersion(): Promise<string | undefined> {
  const program = findProgram("containerd");
  if (program === undefined) return undefined;
  const { stdout } = await execa(program, ["--version"]);
  return / v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
}

/** All of upstream's [Conformance] specs are those of two lists. */
function suiteFiles(suite: string): string[] {
  const lists = suite === "conformance" ? ["sigs", "nodes"] : [suite];
  return lists.map((list) => join(suites, `${list}.txt`));
}

/** The specs of the list that match; `undefined` when there is no list to choose from. */
async function listed({ suite, specs, focus, skip }: Flags): Promise<ListedSpec[] | undefined> {
  if (suite === "all" && specs === undefined) return undefined;
  const files = specs === undefined ? suiteFiles(suite) : [resolve(specs)];
  const chosen = new RegExp(focus ?? "");
  const left = skip === undefined ? undefined : new RegExp(skip);
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return withContainerd(parseSpecs(texts.join("\n")), await containerdVersion()).filter(
    ({ name }) => chosen.test(name) && left?.test(name) !== true,
  );
}

/** Any of e2e.test's specs, not of a list. */
async function runFocus(
  base: Base,
  { focus = "", skip, procs }: Flags,
  directory: string,
): Promise<SpecResult[]> {
  const serial = procs > 1 ? "\\[Serial\\]|\\[Disruptive\\]" : undefined;
  const skips = [skip, serial].filter((part) => part !== undefined).join("|");
  const run = { ...base, focus: [focus], procs, directory: join(directory, "focus") };
  return runE2E(skips === "" ? run : { ...run, skip: skips });
}

async function score(flags: Flags, signal: AbortSignal): Promise<SpecResult[]> {
  const programs = { ginkgo: need("ginkgo"), e2e: need("e2e.test"), kubectl: need("kubectl") };
  const busybox = findProgram("busybox");
  if (busybox === undefined) throw new Error("busybox is not on PATH: test images are made of it");
  const specs = await listed(flags);
  if (specs?.length === 0) throw new Error("no spec of the list matches");
  const directory = await mkdtemp(join(tmpdir(), "nanokube-scorecard-"));
  const dir = new DataDir(join(directory, "cluster"));
  const nanokube = (...args: string[]) =>
    execa(process.execPath, [launcher, ...args, "--data-dir", dir.path], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  let passed = false;
  try {
    say(`logs and reports: ${directory}`);
    await addTestImages(dir.images, {
      agnhost: need("agnhost"),
      busybox,
      etcd: findUpstream("etcd"),
      sampleApiserver: findUpstream("sample-apiserver"),
      nnp: findUpstream("nnp"),
    });
    signal.throwIfAborted();
    await nanokube("up", "--nodes", String(flags.nodes), "--detach", ...swapsOf(flags).args);
    signal.throwIfAborted();
    const { kubeconfig } = dir;
    const base = { programs, kubeconfig, timeoutSeconds: flags.timeout, signal };
    const results =
      specs === undefined
        ? await runFocus(base, flags, directory)
        : await runListed(base, specs, flags.procs, directory);
    passed = results.every(({ outcome }) => outcome !== "failed");
    return results;
  } finally {
    await nanokube("down", ...(flags.keep || !passed ? [] : ["--purge"]));
    if (passed && !flags.keep) await rm(directory, { recursive: true, force: true });
  }
}

/** What is about to run; git may be absent, or this no checkout. */
async function commitOf(): Promise<string> {
  const git = (...args: string[]) =>
    execa("git", args, { cwd: root }).then(({ stdout }) => stdout.trim());
  const changes = ["diff", "--name-only", "HEAD", "--", "packages"];
  const [commit, changed] = await Promise.all([
    git("rev-parse", "--short", "HEAD").catch(() => "(no git)"),
    git(...changes).catch(() => ""),
  ]);
  return changed === "" ? commit : `${commit}+`;
}

/** A row for the record when all of a suite was to run. */
function runOf(
  flags: Flags,
  results: readonly SpecResult[],
  { commit, startMs }: { commit: string; startMs: number },
): SuiteRun | undefined {
  const { suite, specs, focus, skip } = flags;
  if (suite === "all" || specs !== undefined || focus !== undefined || skip !== undefined) return;
  return {
    name: nameOfRun(suite, swapsOf(flags).text),
    commit,
    day: new Date(startMs).toISOString().slice(0, 10),
    result: countLine(results),
    minutes: (Date.now() - startMs) / 60_000,
  };
}

async function main(flags: Flags): Promise<void> {
  const reason = noContainersReason();
  if (reason !== undefined) throw new Error(reason);
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
  }
  const start = { commit: await commitOf(), startMs: Date.now() };
  const results = await score(flags, interrupted.signal);
  const versions = JSON.parse(await readFile(join(root, "upstream.json"), "utf8")) as {
    kubernetes: string;
  };
  const swap = swapsOf(flags).text;
  const page = swap === undefined ? "docs/scorecard.md" : "docs/scorecard-swaps.md";
  const output = resolve(flags.output ?? join(root, page));
  const before = flags.add ? await readFile(output, "utf8").catch(() => "") : "";
  const all = results.map((result) => (swap === undefined ? result : { ...result, with: swap }));
  const runs = withRun(parseRuns(before), runOf(flags, results, start));
  const card = formatPage({
    version: versions.kubernetes,
    results: merge(parsePage(before), all),
    runs,
    nodes: flags.nodes,
    conformanceTotal,
  });
  await writeFile(output, card);
  for (const { name, outcome, seconds, message } of results) {
    say(`${outcome.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${name}`);
    if (outcome === "failed") say(`           ${message}`);
  }
  const wrong = results.filter((r) => r.outcome !== "passed" && r.outcome !== "skipped").length;
  say(`${results.length - wrong} of ${results.length} as upstream wants; ${output}`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

const program = new Command("scorecard")
  .description("upstream's e2e specs against a nanokube cluster")
  .option("--suite <name>", "quick, sigs, nodes (e2e/*.txt), conformance, or all", "quick")
  .option("--specs <file>", "exact names of specs, one a line, instead of a suite")
  .option("--focus <regex>", "of these only those that match")
  .option("--skip <regex>", "but not these")
  .option("--procs <n>", "specs at a time: they wait more than they work", count, 6)
  .option("--nodes <n>", "how many nodes", count, 2)
  .option("--timeout <seconds>", "of all specs together", count, 3600)
  .option("--etcd <which>", "as in nanokube up: upstream or a path")
  .option("--scheduler <which>", "likewise")
  .option("--controller-manager <which>", "likewise")
  .option("--kubelet <which>", "likewise")
  .option("--kube-proxy <which>", "likewise")
  .option("--etcd-members <n>", "likewise", count)
  .option("--output <file>", "where the table goes: docs/scorecard.md, or scorecard-swaps.md")
  .option("--add", "the page's rows of other specs stay")
  .option("--keep", "leave logs and cluster data, also when all is well");

program
  .action(main)
  .parseAsync()
  .catch((error: Error & { shortMessage?: string }) => {
    process.stderr.write(`Error: ${error.shortMessage ?? error.message}\n`);
    process.exitCode = 1;
  });
