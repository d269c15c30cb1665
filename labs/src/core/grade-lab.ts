/**
 * A whole grading: stage by stage, check by check; what is known so far is told after every check,
 * so that a grader that is killed leaves the points earned until then.
 */
import { type GradeOptions, gradeCheck } from "./grade-check.ts";
import type { CheckManifest, LabManifest } from "./lab.ts";
import { type CheckResult, overallVerdict, type Results, type StageResult } from "./results.ts";

export interface LabOptions<Op, Reply> extends GradeOptions<Op, Reply> {
  readonly lab: LabManifest;
  /** Only these stages; all when absent. */
  readonly stages?: readonly string[] | undefined;
  /** Only this check. */
  readonly check?: string | undefined;
  readonly facts: Pick<Results, "packageVersions" | "upstream" | "environment">;
  elapsedMs(): number;
  onProgress?(results: Results): void;
}

export async function gradeLab<Op, Reply>(options: LabOptions<Op, Reply>): Promise<Results> {
  const done = new Map<string, CheckResult>();
  const selected = selectedChecks(options);
  for (const check of selected) {
    done.set(check.id, await gradeCheck(check, options));
    options.onProgress?.(summary(options, done));
  }
  return summary(options, done);
}

export function selectedChecks({
  lab,
  stages,
  check,
}: Pick<LabOptions<unknown, unknown>, "lab" | "stages" | "check">): CheckManifest[] {
  return lab.stages
    .filter((stage) => stages === undefined || stages.includes(stage.id))
    .flatMap((stage) => stage.checks)
    .filter((candidate) => check === undefined || candidate.id === check);
}

function summary<Op, Reply>(
  options: LabOptions<Op, Reply>,
  done: ReadonlyMap<string, CheckResult>,
): Results {
  const { lab, seeds, subject, facts } = options;
  const selected = selectedChecks(options);
  const notYet = selected.some((check) => !done.has(check.id));
  const verdict = overallVerdict([...done.values()].map((check) => check.verdict));
  return {
    schema: 1,
    lab: lab.id,
    packageVersions: facts.packageVersions,
    upstream: facts.upstream,
    seedSet: {
      public: seeds.filter((seed) => !seed.isSecret).length,
      term: seeds.filter((seed) => seed.isSecret).length,
    },
    driver: subject.name,
    verdict: notYet && verdict === "pass" ? "inconclusive" : verdict,
    stages: lab.stages.flatMap((stage): StageResult[] => {
      const wanted = selected.filter((check) => check.id.startsWith(`${stage.id}.`));
      if (wanted.length === 0) return [];
      const checks = wanted.flatMap((check) => done.get(check.id) ?? []);
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      return [
        {
          id: stage.id,
          title: stage.title,
          points: sum(wanted.map((check) => check.points)),
          earned: sum(checks.map((check) => check.earned)),
          checks,
        },
      ];
    }),
    environment: facts.environment,
    durationMs: Math.round(options.elapsedMs()),
  };
}
