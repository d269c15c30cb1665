/** docs/apiserver-corpus.md: how many cases a kind has, how many differ, and where. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { reasonOf } from "./reasons.ts";
import { type GroupResult, whereOf } from "./replay.ts";

const target = fileURLToPath(new URL("../../../../docs/apiserver-corpus.md", import.meta.url));

function placesOf({ differing }: GroupResult): string {
  const counts = new Map<string, number>();
  for (const differences of differing.values()) {
    const where = whereOf(differences);
    counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([where, times]) => `\`${where}\` ${times}`)
    .join(", ");
}

/** Of each group: how many differ for which reason. */
function whyRows({ group, differing }: GroupResult): string[] {
  const counts = new Map<string, number>();
  for (const name of differing.keys()) {
    const why = reasonOf(group, name) ?? "not known yet";
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  return [...counts].map(([why, count]) => `| ${group} | ${count} | ${why} |`);
}

export function writeScorecard(results: readonly GroupResult[]): void {
  const sum = (of: (result: GroupResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const clean = results.filter(({ differing }) => differing.size === 0);
  const rows = results.map(
    (result) =>
      `| ${result.group} | ${result.count} | ${result.differing.size} | ${placesOf(result)} |`,
  );
  const lines = [
    "# Every request of the corpus, on kube-apiserver and on ours",
    "",
    "Made by `npm run corpus -- accept`; the answers of kube-apiserver 1.36.3 were recorded by",
    "`npm run corpus -- record`. Compared are the HTTP status, warnings and the whole body: reason,",
    "message, causes, or the stored object with its managedFields. The cases that differ are listed",
    "by name in packages/conformance/testdata/corpus-differences.",
    "",
    `${sum(({ count }) => count)} requests, ${sum(({ differing }) => differing.size)} answers differ;`,
    `${clean.length} of ${results.length} groups differ in nothing.`,
    "",
    "| group | requests | differ | where, most often |",
    "|---|---|---|---|",
    ...rows,
    "",
    "## Why",
    "",
    "| group | answers | why they differ |",
    "|---|---|---|",
    ...results.flatMap(whyRows),
    "",
  ];
  writeFileSync(target, lines.join("\n"));
}
