/**
 * The page of results, and the results that a page holds: a run may add to what earlier ones wrote.
 *
 * Shapes  | area | spec | result | seconds | message |, a row a spec, a bar in a cell as "\\|"; on
 *         the page of swaps the first column is what of upstream's was in the cluster; whole runs
 *         have a table of their own (runs.ts)
 */
import { areaOf, type SpecResult } from "./results.ts";
import { countLine, formatRuns, type SuiteRun } from "./runs.ts";

const groupOf = (result: SpecResult) => result.with ?? areaOf(result.name);
const keyOf = (result: SpecResult) => `${result.with ?? ""}\0${result.name}`;

/** What a page says, with newer results in place of those of the same specs. */
export function merge(
  page: readonly SpecResult[],
  results: readonly SpecResult[],
): readonly SpecResult[] {
  const all = new Map(page.map((result) => [keyOf(result), result]));
  for (const result of results) all.set(keyOf(result), result);
  return [...all.values()];
}

const cell = (text: string) => text.replace(/\|/g, "\\|").replace(/</g, "&lt;");
const cells = (row: string) =>
  row
    .slice(2, -2)
    .split(/(?<!\\) \| /)
    .map((text) => text.replace(/\\\|/g, "|").replace(/&lt;/g, "<"));

const outcomes: readonly string[] = ["passed", "failed", "skipped", "not run"];

export function parsePage(text: string): SpecResult[] {
  const results: SpecResult[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("| ") || !line.endsWith(" |")) continue;
    const [group = "", spec = "", outcome = "", seconds = "", message = ""] = cells(line);
    if (!outcomes.includes(outcome)) continue;
    const isArea = /^sig-[a-z-]+$/.test(group);
    results.push({
      name: isArea ? `[${group}] ${spec}` : spec,
      outcome: outcome as SpecResult["outcome"],
      seconds: Number(seconds),
      message: message.trim(),
      ...(isArea || group === "(none)" ? {} : { with: group }),
    });
  }
  return results;
}

export interface PageInput {
  version: string;
  results: readonly SpecResult[];
  runs?: readonly SuiteRun[];
  nodes: number;
  /** How many specs upstream calls [Conformance]. */
  conformanceTotal: number;
}

function row(result: SpecResult): string {
  const group = groupOf(result);
  const spec =
    result.with === undefined ? result.name.replace(/^\[sig-[a-z-]+\] /, "") : result.name;
  const { outcome, seconds, message } = result;
  return `| ${[cell(group), cell(spec), outcome, seconds.toFixed(1), cell(message)].join(" | ")} |`;
}

export function formatPage({ version, nodes, conformanceTotal, ...input }: PageInput): string {
  const sorted = (a: SpecResult, b: SpecResult) =>
    `${groupOf(a)} ${a.name}` < `${groupOf(b)} ${b.name}` ? -1 : 1;
  const results = [...input.results].sort(sorted);
  const groups = [...new Set(results.map(groupOf))];
  const isSwap = results.some((result) => result.with !== undefined);
  const conformance = results.filter(({ name }) => name.includes("[Conformance]"));
  const column = isSwap ? "with" : "area";
  const lines = [
    isSwap ? "# Scorecard of swaps" : "# Scorecard",
    "",
    `Upstream's \`e2e.test\` (Kubernetes ${version}) against nanokube clusters of ${nodes} nodes.`,
    "Written by `npm run scorecard`, from ginkgo's reports. Images are stand-ins made on the machine:",
    "agnhost, etcd, sample-apiserver and nnp are upstream's programs; busybox, bash, curl and dig are",
    "the machine's; nginx is busybox httpd.",
    "",
    isSwap
      ? `**${countLine(results)}**. What stands under "with" took the place of ours: upstream's ` +
        "programs, or several members of etcd-lite for the one in the control plane."
      : `**${countLine(results)}** of ${results.length} specs, of which ${conformance.length} are ` +
        `[Conformance]; upstream has ${conformanceTotal} of these.`,
    "",
    ...formatRuns(input.runs ?? []),
    `| ${column} | result |`,
    "| --- | --- |",
    ...groups.map((group) => {
      const own = results.filter((result) => groupOf(result) === group);
      return `| ${cell(group)} | ${countLine(own)} |`;
    }),
    "",
    `| ${column} | spec | result | seconds | message |`,
    "| --- | --- | --- | --- | --- |",
    ...results.map(row),
  ];
  return `${lines.join("\n")}\n`;
}
