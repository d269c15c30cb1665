/**
 * The page's record of whole runs: which suite, of which commit, how it went, how long it took.
 * Rows of specs may come from many runs; a row here is one cluster from its start to its end.
 *
 * Shapes  | run | commit | day | result | minutes |, a row for each suite and kind of cluster
 */
import type { SpecResult } from "./results.ts";

export interface SuiteRun {
  /** The suite, and what of upstream's was in the cluster. */
  name: string;
  /** Short, with "+" behind it when files were changed since. */
  commit: string;
  /** 2026-11-21 */
  day: string;
  result: string;
  minutes: number;
}

export const nameOfRun = (suite: string, swap: string | undefined) =>
  swap === undefined ? suite : `${suite} with ${swap}`;

const head = "| run | commit | day | result | minutes |";

export function countLine(results: readonly SpecResult[]): string {
  const count = (outcome: SpecResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const rest = (["skipped", "not run"] as const)
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `, ${count(outcome)} ${outcome}`);
  return `${count("passed")} passed, ${count("failed")} failed${rest.join("")}`;
}

/** The last run of each name. */
export function withRun(runs: readonly SuiteRun[], run: SuiteRun | undefined): SuiteRun[] {
  const others = runs.filter(({ name }) => name !== run?.name);
  const all = run === undefined ? others : [...others, run];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function parseRuns(page: string): SuiteRun[] {
  const lines = page.split("\n");
  const start = lines.indexOf(head);
  if (start < 0) return [];
  const runs: SuiteRun[] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("| ")) break;
    const [name = "", commit = "", day = "", result = "", minutes = ""] = line
      .slice(2, -2)
      .split(" | ");
    runs.push({ name, commit, day, result, minutes: Number(minutes) });
  }
  return runs;
}

export function formatRuns(runs: readonly SuiteRun[]): string[] {
  if (runs.length === 0) return [];
  const row = ({ name, commit, day, result, minutes }: SuiteRun) =>
    `| ${[name, commit, day, result, minutes.toFixed(1)].join(" | ")} |`;
  return [
    "Whole suites, each in one run of one commit:",
    "",
    head,
    "| --- | --- | --- | --- | --- |",
  ].concat(runs.map(row), "");
}
