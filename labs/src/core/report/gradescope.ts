/**
 * Gradescope's results.json: one test a check. A grading that cannot judge gives no score at all,
 * so that the platform asks for another run and nobody gets a zero for a port in use. Source
 * Gradescope autograder specifications, "Output format"
 */
import { pointsText, type Results, totalEarned } from "../results.ts";

export interface GradescopeTest {
  readonly number: string;
  readonly name: string;
  readonly score: number;
  readonly max_score: number;
  readonly status: "passed" | "failed";
  readonly output: string;
  readonly output_format: "md";
  readonly visibility: string;
  readonly tags: readonly string[];
  readonly extra_data: { readonly replay: string };
}

export interface GradescopeResults {
  readonly output: string;
  readonly output_format: "md";
  readonly execution_time: number;
  readonly visibility: "visible";
  readonly stdout_visibility: "hidden";
  /** Both absent when the grading cannot judge. */
  readonly score?: number;
  readonly tests?: readonly GradescopeTest[];
  readonly status?: "failed";
  readonly extra_data: { readonly verdict: string; readonly schema: 1 };
}

export function gradescopeResults(results: Results): GradescopeResults {
  const shared = {
    output_format: "md",
    execution_time: Math.ceil(results.durationMs / 1000),
    visibility: "visible",
    stdout_visibility: "hidden",
    extra_data: { verdict: results.verdict, schema: 1 },
  } as const;
  if (results.verdict === "environment" || results.verdict === "inconclusive") {
    return { ...shared, status: "failed", output: cannotJudge(results) };
  }
  const tests = results.stages.flatMap((stage) =>
    stage.checks.map(
      (check): GradescopeTest => ({
        number: check.id,
        name: check.property,
        score: check.earned,
        max_score: check.points,
        status: check.verdict === "pass" ? "passed" : "failed",
        output: check.message === "" ? seedsText(check.seeds) : fenced(check.message),
        output_format: "md",
        visibility: check.visibility,
        tags: [`stage-${stage.id}`, check.kind],
        extra_data: { replay: check.replay },
      }),
    ),
  );
  const score = totalEarned(results);
  return { ...shared, score, tests, output: `${results.driver}: ${pointsText(score)} points` };
}

const fenced = (text: string): string => `\`\`\`\n${text}\n\`\`\``;
const seedsText = ({ passed, run }: { passed: number; run: number }): string =>
  `${passed} of ${run} seeds`;

function cannotJudge({ verdict, stages }: Results): string {
  const reasons = stages
    .flatMap((stage) => stage.checks)
    .filter((check) => check.verdict === verdict)
    .map((check) => `- ${check.id}: ${check.message}`);
  return [`This run could not judge (${verdict}); it is graded again.`, ...reasons].join("\n");
}
