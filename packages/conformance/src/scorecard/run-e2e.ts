/**
 * Runs upstream's e2e.test through ginkgo and reads its report.
 *
 * Errors  no report at all is an error that quotes the end of the log; failed specs are results
 */
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { readReport, type SpecResult, type SuiteReport } from "./results.ts";

export interface E2EPrograms {
  ginkgo: string;
  e2e: string;
  kubectl: string;
}

export interface E2ERun {
  programs: E2EPrograms;
  kubeconfig: string;
  /** Gets log, report.json and junit.xml. */
  directory: string;
  focus: readonly string[];
  skip?: string;
  procs: number;
  timeoutSeconds: number;
  signal: AbortSignal;
}

export async function runE2E(options: E2ERun): Promise<SpecResult[]> {
  const { programs, directory, signal } = options;
  await mkdir(directory, { recursive: true });
  const args = [
    `--procs=${options.procs}`,
    `--timeout=${options.timeoutSeconds}s`,
    "--no-color",
    `--output-dir=${directory}`,
    "--junit-report=junit.xml",
    "--json-report=report.json",
    ...options.focus.map((focus) => `--focus=${focus}`),
    ...(options.skip === undefined ? [] : [`--skip=${options.skip}`]),
    programs.e2e,
    "--",
    "--provider=local",
    `--kubeconfig=${options.kubeconfig}`,
    `--kubectl-path=${programs.kubectl}`,
    "--node-os-distro=debian",
    "--dump-logs-on-failure=false",
    "--disable-log-dump",
  ];
  const log = createWriteStream(join(directory, "log"));
  const ginkgo = execa(programs.ginkgo, args, {
    env: { TMPDIR: directory },
    reject: false,
    all: true,
    buffer: false,
    stdin: "ignore",
    cancelSignal: signal,
    // Ginkgo hands an interrupt on to its workers, which then clean up.
    killSignal: "SIGINT",
  });
  ginkgo.all.pipe(log);
  await ginkgo;
  signal.throwIfAborted();
  const text = await readFile(join(directory, "report.json"), "utf8").catch(() => undefined);
  if (text === undefined) {
    const said = (await readFile(join(directory, "log"), "utf8")).trim().split("\n").slice(-5);
    throw new Error(`ginkgo left no report: ${said.join(" / ")}`);
  }
  return readReport(JSON.parse(text) as SuiteReport[]);
}
