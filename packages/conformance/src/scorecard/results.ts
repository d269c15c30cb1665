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
  /** What of upstream's the cluster ran with, in place of ours; absent for a cluster of ours. */
  with?: string;
}

export interface ListedSpec {
  name: string;
  /** Why it cannot run here; absent for one that can. */
  reason?: string;
  /** What it ran with, to be told beside its result. */
  note?: string;
}

/** `NAME` or `NAME # why it is not run`, one a line; blank lines and lines after # are no specs. */
export function parseSpecs(text: string): ListedSpec[] {
  const specs = new Map<string, ListedSpec>();
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [name = "", reason] = line.split(/ +# */);
    specs.set(name, reason === undefined ? { name } : { name, reason });
  }
  return [...specs.values()];
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
  // Without a description: Expected / <int>: 0 / to equal / <int>: 1
  const line = said[0] === "Expected" ? said.slice(0, 4).join(" ") : (said[0] ?? "");
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

const needPattern = /^needs containerd (\d+)\.(\d+)$/;

/** A spec that only waits for a newer containerd runs where that is; `version` is `2.4.2`. */
export function withContainerd(
  specs: readonly ListedSpec[],
  version: string | undefined,
): ListedSpec[] {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return specs.map((spec) => {
    const [, needMajor, needMinor] = (needPattern.exec(spec.reason ?? "") ?? []).map(Number);
    if (needMajor === undefined || needMinor === undefined) return spec;
    const isMet = major > needMajor || (major === needMajor && minor >= needMinor);
    if (isMet) return { name: spec.name, note: `containerd ${version}` };
    return { ...spec, reason: `${spec.reason}, the machine has ${version ?? "none"}` };
  });
}

/** Adds what was asked for and never reported, so that nothing is lost in silence. */
export function withMissing(
  results: readonly SpecResult[],
  specs: readonly ListedSpec[],
): SpecResult[] {
  const notes = new Map(specs.map(({ name, note }) => [name, note]));
  const seen = new Set(results.map(({ name }) => name));
  const missing = specs.filter(({ name }) => !seen.has(name));
  return [
    ...results.map((each) => ({ ...each, message: each.message || notes.get(each.name) || "" })),
    ...missing.map(({ name, reason = "the run ended before" }): SpecResult => {
      return { name, outcome: "not run", seconds: 0, message: reason };
    }),
  ];
}
