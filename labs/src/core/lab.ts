/**
 * lab.yml: what a lab is called, what it replaces, its stages and what each check says and is
 * worth.
 *
 * Errors  a missing or wrong field is refused by its path: "stages[2].checks[0].points: …"
 */
import type { CheckKind } from "./results.ts";

export interface CheckManifest {
  /** "b.past-reads": the stage's letter and a name. */
  readonly id: string;
  readonly kind: CheckKind;
  readonly points: number;
  /** One sentence that is true of a right store. */
  readonly property: string;
  /** "E2", or "". */
  readonly claim: string;
  /** Where upstream says so. */
  readonly specification: string;
}

export interface StageManifest {
  readonly id: string;
  readonly title: string;
  readonly points: number;
  readonly checks: readonly CheckManifest[];
}

export interface Budget {
  /** Of one operation: longer is a hang. */
  readonly operationMs: number;
  /** Of a whole grading: what has not run by then is inconclusive. */
  readonly totalMs: number;
  readonly heapMiB: number;
}

export interface LabManifest {
  readonly id: string;
  readonly title: string;
  readonly claims: readonly string[];
  readonly slot: string;
  /** The file that a student hands in, within the started folder. */
  readonly submit: string;
  readonly hours: number;
  readonly stages: readonly StageManifest[];
  readonly budget: Budget;
  readonly seeds: { readonly public: number; readonly term: number };
}

export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

type Fields = Readonly<Record<string, unknown>>;

export function parseManifest(value: unknown): LabManifest {
  const lab = fieldsOf(value, "lab.yml");
  const budget = fieldsOf(lab["budget"], "budget");
  const seeds = fieldsOf(lab["seeds"], "seeds");
  const manifest: LabManifest = {
    id: text(lab, "id", ""),
    title: text(lab, "title", ""),
    claims: list(lab["claims"], "claims").map(String),
    slot: text(lab, "slot", ""),
    submit: text(lab, "submit", ""),
    hours: count(lab, "hours", ""),
    budget: {
      operationMs: count(budget, "operationMs", "budget."),
      totalMs: count(budget, "totalMs", "budget."),
      heapMiB: count(budget, "heapMiB", "budget."),
    },
    seeds: { public: count(seeds, "public", "seeds."), term: count(seeds, "term", "seeds.") },
    stages: list(lab["stages"], "stages").map((stage, i) => parseStage(stage, `stages[${i}]`)),
  };
  checkClaims(manifest);
  return manifest;
}

const kinds: readonly string[] = ["safety", "behaviour", "measure", "prediction"];

function parseStage(value: unknown, path: string): StageManifest {
  const stage = fieldsOf(value, path);
  const id = text(stage, "id", `${path}.`);
  const checks = list(stage["checks"], `${path}.checks`).map((check, i): CheckManifest => {
    const at = `${path}.checks[${i}]`;
    const fields = fieldsOf(check, at);
    const kind = text(fields, "kind", `${at}.`);
    if (!kinds.includes(kind)) throw new ManifestError(`${at}.kind: one of ${kinds.join(", ")}`);
    return {
      id: `${id}.${text(fields, "id", `${at}.`)}`,
      kind: kind as CheckKind,
      points: count(fields, "points", `${at}.`),
      property: text(fields, "property", `${at}.`),
      claim: fields["claim"] === undefined ? "" : text(fields, "claim", `${at}.`),
      specification: text(fields, "spec", `${at}.`),
    };
  });
  const points = checks.reduce((sum, check) => sum + check.points, 0);
  const declared = count(stage, "points", `${path}.`);
  if (points !== declared) {
    throw new ManifestError(`${path}.points: ${declared}, but its checks add up to ${points}`);
  }
  return { id, title: text(stage, "title", `${path}.`), points, checks };
}

/** Every claim that the lab names has a check. */
function checkClaims({ claims, stages }: LabManifest): void {
  const covered = new Set(stages.flatMap((stage) => stage.checks.map((check) => check.claim)));
  const bare = claims.filter((claim) => !covered.has(claim));
  if (bare.length > 0) throw new ManifestError(`claims: no check shows ${bare.join(", ")}`);
}

function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ManifestError(`${path}: must be a mapping`);
}

function list(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new ManifestError(`${path}: must be a list with something in it`);
}

function text(fields: Fields, name: string, path: string): string {
  const value = fields[name];
  if (typeof value === "string" && value !== "") return value;
  throw new ManifestError(`${path}${name}: must be text`);
}

function count(fields: Fields, name: string, path: string): number {
  const value = fields[name];
  if (typeof value === "number" && value > 0) return value;
  throw new ManifestError(`${path}${name}: must be a number above 0`);
}
