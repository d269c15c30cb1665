/**
 * `npm run scorecard`: upstream's e2e specs against a nanokube cluster, into docs/scorecard.md.
 *
 * Specs that may share the cluster run `--procs` at a time, those marked [Serial] or [Disruptive]
 * afterwards, alone. The cluster is taken down whatever happens.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { execa } from "execa";
import { DataDir, findProgram, noContainersReason } from "nanokube";
import { findUpstream } from "../upstream/cache.ts";
import {
  focusOf,
  formatScorecard,
  isSerial,
  parseSpecs,
  type SpecResult,
  withMissing,
} from "./results.ts";
import { type E2ERun, runE2E } from "./run-e2e.ts";
import { addTestImages } from "./test-images.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const launcher = join(root, "packages/nanokube/bin/nanokube.mjs");
const defaultSpecs = fileURLToPath(new URL("../../e2e/specs.txt", import.meta.url));
/** Entries of upstream's test/conformance/testdata/conformance.yaml at the pinned version. */
const conformanceTotal = 446;

interface Flags {
  specs: string;
  focus?: string;
  skip?: string;
  procs: number;
  nodes: number;
  timeout: number;
  output: string;
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

async function runLists(
  base: Omit<E2ERun, "focus" | "procs" | "directory">,
  specs: readonly string[],
  procs: number,
  directory: string,
): Promise<SpecResult[]> {
  const together = specs.filter((name) => !isSerial(name)).map(focusOf);
  const alone = specs.filter(isSerial).map(focusOf);
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

async function runFocus(
  base: Omit<E2ERun, "focus" | "procs" | "directory">,
  { focus, skip, procs }: { focus: string; skip?: string; procs: number },
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
  const specs = parseSpecs(await readFile(resolve(flags.specs), "utf8"));
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
    await nanokube("up", "--nodes", String(flags.nodes), "--detach");
    signal.throwIfAborted();
    const { kubeconfig } = dir;
    const base = { programs, kubeconfig, timeoutSeconds: flags.timeout, signal };
    const { focus, skip, procs } = flags;
    const results =
      focus === undefined
        ? await runLists(base, specs, procs, directory)
        : await runFocus(
            base,
            { focus, procs, ...(skip === undefined ? {} : { skip }) },
            directory,
          );
    passed = results.every(({ outcome }) => outcome === "passed" || outcome === "skipped");
    return results;
  } finally {
    await nanokube("down", ...(flags.keep || !passed ? [] : ["--purge"]));
    if (passed && !flags.keep) await rm(directory, { recursive: true, force: true });
  }
}

async function main(flags: Flags): Promise<void> {
  const reason = noContainersReason();
  if (reason !== undefined) throw new Error(reason);
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
  }
  const results = await score(flags, interrupted.signal);
  const versions = JSON.parse(await readFile(join(root, "upstream.json"), "utf8")) as {
    kubernetes: string;
  };
  const { nodes, procs } = flags;
  const version = versions.kubernetes;
  const card = formatScorecard({ version, results, nodes, procs, conformanceTotal });
  await writeFile(resolve(flags.output), card);
  for (const { name, outcome, seconds, message } of results) {
    say(`${outcome.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${name}`);
    if (outcome === "failed") say(`           ${message}`);
  }
  const wrong = results.filter((r) => r.outcome !== "passed" && r.outcome !== "skipped").length;
  say(`${results.length - wrong} of ${results.length} as upstream wants; ${flags.output}`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

const program = new Command("scorecard")
  .description("upstream's e2e specs against a nanokube cluster")
  .option("--specs <file>", "exact names of specs, one a line", defaultSpecs)
  .option("--focus <regex>", "specs that match, instead of --specs")
  .option("--skip <regex>", "with --focus: but not these")
  .option("--procs <n>", "specs at a time", count, 2)
  .option("--nodes <n>", "how many nodes", count, 2)
  .option("--timeout <seconds>", "of all specs together", count, 3600)
  .option("--output <file>", "where the table goes", join(root, "docs/scorecard.md"))
  .option("--keep", "leave logs and cluster data, also when all is well");

program
  .action(main)
  .parseAsync()
  .catch((error: Error & { shortMessage?: string }) => {
    process.stderr.write(`Error: ${error.shortMessage ?? error.message}\n`);
    process.exitCode = 1;
  });
