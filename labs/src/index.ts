/**
 * Graded labs: the grader as a library. The program is `labs`.
 *
 * @packageDocumentation
 */
export type { LabManifest } from "./core/lab.ts";
export { type Format, findFormat } from "./core/report/formats.ts";
export {
  type CheckKind,
  type CheckResult,
  exitCodes,
  type Results,
  type SeedTally,
  type StageResult,
  totalEarned,
  totalPoints,
  type Verdict,
} from "./core/results.ts";
export { publicSeeds, type Seed } from "./core/seeds.ts";
export { EnvironmentError, type Session, type Subject } from "./core/subject.ts";
export { drawSeeds, type GradeRequest, grade, type Term } from "./io/grade.ts";
export { labIds, readLab } from "./io/manifest.ts";
