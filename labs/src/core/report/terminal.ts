/**
 * For people at a terminal: one line a check, then every failure in full.
 */
import { allChecks, pointsText, type Results, totalEarned, totalPoints } from "../results.ts";

const marks = { pass: "✓", fail: "✗", inconclusive: "?", environment: "!" } as const;
const idColumns = 22;

export function terminalReport(results: Results): string {
  const lines = [`lab ${results.lab}   ${results.driver}`];
  for (const stage of results.stages) {
    lines.push("", `${stage.id}  ${stage.title}   ${score(stage.earned, stage.points)}`);
    for (const check of stage.checks) {
      const { run, passed } = check.seeds;
      const seeds = `${passed}/${run} seeds`.padStart(12);
      const points = score(check.earned, check.points).padStart(9);
      lines.push(`   ${marks[check.verdict]} ${check.id.padEnd(idColumns)}${seeds}${points}`);
    }
  }
  for (const check of allChecks(results)) {
    if (check.verdict === "pass") continue;
    lines.push("", `── ${check.id}: ${check.verdict}`, check.message);
  }
  const total = score(totalEarned(results), totalPoints(results));
  lines.push("", `${results.verdict}   ${total} points   ${seedText(results)}`);
  return `${lines.join("\n")}\n`;
}

const score = (earned: number, points: number): string =>
  `${pointsText(earned)}/${pointsText(points)}`;

function seedText({ seedSet }: Results): string {
  const term = seedSet.term === 0 ? "" : ` and ${seedSet.term} of the term`;
  return `${seedSet.public} public seeds${term}`;
}
