/**
 * Markdown: a table, with the failures folded below; for a step summary and as the student's
 * report.
 */
import { allChecks, pointsText, type Results, totalEarned, totalPoints } from "../results.ts";

export function markdownReport(results: Results): string {
  const total = `${pointsText(totalEarned(results))}/${pointsText(totalPoints(results))}`;
  const lines = [
    `# Lab ${results.lab}: ${total} points, ${results.verdict}`,
    "",
    `Graded: \`${results.driver}\`, ${results.seedSet.public} public seeds and ` +
      `${results.seedSet.term} of the term.`,
    "",
    "| check | what it shows | seeds | points | verdict |",
    "|---|---|---|---|---|",
  ];
  for (const check of allChecks(results)) {
    const { passed, run } = check.seeds;
    const points = `${pointsText(check.earned)}/${pointsText(check.points)}`;
    const property = check.property.replaceAll("|", "\\|");
    lines.push(`| ${check.id} | ${property} | ${passed}/${run} | ${points} | ${check.verdict} |`);
  }
  for (const check of allChecks(results)) {
    if (check.message === "") continue;
    lines.push("", "<details>", `<summary>${check.id}: ${check.verdict}</summary>`, "");
    lines.push("```", check.message, "```", "", "</details>");
  }
  return `${lines.join("\n")}\n`;
}
