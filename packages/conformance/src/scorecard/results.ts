/**
 * What ginkgo says of each spec, and the table made of it. Decides only: no files, no processes.
 *
 * Shapes  ginkgo's JSON report: [{SpecReports: [{ContainerHierarchyTexts, LeafNodeType,
 *         LeafNodeText, State, RunTime (nanoseconds), Failure: {Message}}]}]
 * Source  onsi/ginkgo/v2/types/types.go
 */
export interface SpecReport {
  ContainerHierarchyTexts?: readonly string[] | null;
  LeafNodeType: string;
  LeafNodeText: string;
  State: string;
  RunTime: number;
  Failure?: { Message?: string };
}

export interface SuiteReport {
  SpecReports?: readonly SpecReport[] | null;
}

export interface SpecResult {
  name: string;
  outcome: "passed" | "failed" | "skipped" | "not run";
  seconds: number;
  /** First line of the failure's or the skip's message. */
  message: string;
}

/** One name a line; blank lines and lines after # are not specs. */
export function parseSpecs(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== "" && !line.startsWith("#")))];
}

/** Specs that change the whole cluster and so must be alone in it. */
export const isSerial = (name: string) => /\[(?:Serial|Disruptive)\]/.test(name);

export const focusOf = (name: string) => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** `[sig-apps] Job …` is of area sig-apps. */
export const areaOf = (name: string) => /^\[(sig-[a-z-]+)\]/.exec(name)?.[1] ?? "(none)";

const nameOf = (report: SpecReport) =>
  [...(report.ContainerHierarchyTexts ?? []), report.LeafNodeText].filter(Boolean).join(" ");

/**
 * Ginkgo's message is the assertion's, and starts with Gomega's own words: the first line is
 * the test's description of what it wanted.
 */
function firstLine(message: string | undefined): string {
  const lines = (message ?? "").split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "");
  const line = said[0] ?? "";
  // "Told to stop trying after …" and the like carry the reason on the next line.
  const more = line.endsWith(":") && said[1] !== undefined ? `${line} ${said[1]}` : line;
  return more.length > 240 ? `${more.slice(0, 239)}…` : more;
}

function outcomeOf(state: string): SpecResult["outcome"] {
  if (state === "passed" || state === "skipped") return state;
  return state === "pending" ? "skipped" : "failed";
}

/** The specs that ran, and the set-up steps that failed. */
export function readReport(suites: readonly SuiteReport[]): SpecResult[] {
  const results: SpecResult[] = [];
  for (const report of suites.flatMap((suite) => suite.SpecReports ?? [])) {
    const outcome = outcomeOf(report.State);
    const message = firstLine(report.Failure?.Message);
    const isSpec = report.LeafNodeType === "It";
    if (!isSpec && outcome !== "failed") continue;
    // A spec out of focus is reported as skipped too, without a word.
    if (outcome === "skipped" && message === "") continue;
    const name = isSpec ? nameOf(report) : `(${report.LeafNodeType}) ${report.LeafNodeText}`;
    results.push({ name, outcome, seconds: report.RunTime / 1e9, message });
  }
  return results;
}

/** Adds what was asked for and never reported, so that nothing is lost in silence. */
export function withMissing(
  results: readonly SpecResult[],
  specs: readonly string[],
): SpecResult[] {
  const seen = new Set(results.map(({ name }) => name));
  const missing = specs.filter((name) => !seen.has(name));
  return [
    ...results,
    ...missing.map((name): SpecResult => ({ name, outcome: "not run", seconds: 0, message: "" })),
  ];
}

const cell = (text: string) => text.replace(/\|/g, "\\|").replace(/</g, "&lt;");

function countLine(results: readonly SpecResult[]): string {
  const count = (outcome: SpecResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const rest = (["skipped", "not run"] as const)
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `, ${count(outcome)} ${outcome}`);
  return `${count("passed")} passed, ${count("failed")} failed${rest.join("")}`;
}

export interface ScorecardInput {
  version: string;
  results: readonly SpecResult[];
  nodes: number;
  procs: number;
  /** How many specs upstream calls [Conformance]. */
  conformanceTotal: number;
}

export function formatScorecard(input: ScorecardInput): string {
  const { version, nodes, procs, conformanceTotal } = input;
  const results = [...input.results].sort((a, b) => (a.name < b.name ? -1 : 1));
  const areas = [...new Set(results.map(({ name }) => areaOf(name)))].sort();
  const conformance = results.filter(({ name }) => name.includes("[Conformance]")).length;
  const lines = [
    "# Scorecard",
    "",
    `Upstream's \`e2e.test\` (Kubernetes ${version}) against a nanokube cluster of ${nodes} nodes, ` +
      `${procs} specs at a time.`,
    "Written by `npm run scorecard`, from ginkgo's report. Images are stand-ins made on the machine:",
    "agnhost is upstream's program; busybox, bash and curl are the machine's; nginx is busybox httpd.",
    "",
    `**${countLine(results)}** of ${results.length} specs; ${conformance} of ` +
      `upstream's ${conformanceTotal} [Conformance] specs were selected.`,
    "",
    "| area | result |",
    "| --- | --- |",
    ...areas.map((area) => {
      const own = results.filter(({ name }) => areaOf(name) === area);
      return `| ${area} | ${countLine(own)} |`;
    }),
    "",
    "| area | spec | result | seconds | message |",
    "| --- | --- | --- | --- | --- |",
  ];
  for (const { name, outcome, seconds, message } of results) {
    const spec = name.replace(/^\[sig-[a-z-]+\] /, "");
    const cells = [areaOf(name), cell(spec), outcome, seconds.toFixed(1), cell(message)];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
