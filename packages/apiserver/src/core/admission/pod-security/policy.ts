/**
 * Which standards a namespace asks for, and whether a pod keeps them.
 *
 * Source  staging/src/k8s.io/pod-security-admission/{api/helpers.go,policy/registry.go}
 */
import { type FieldError, FieldPath, invalidValue } from "@nanokube/machinery";
import { baselineChecks } from "./baseline.ts";
import type { PodToCheck, Violation } from "./check.ts";
import { restrictedChecks } from "./restricted.ts";

const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** The last minor version whose rules differ from those before. */
const lastMinor = 35;

export interface Standard {
  level: Level;
  /** "latest" or "v1.x". */
  version: string;
}

export interface Policy {
  enforce: Standard;
  audit: Standard;
  warn: Standard;
  errors: FieldError[];
}

type Labels = Readonly<Record<string, string>>;

const versionPattern = /^v1\.([0-9]|[1-9][0-9]*)$/;
const prefix = "pod-security.kubernetes.io/";

function standardOf(
  labels: Labels,
  mode: "enforce" | "audit" | "warn",
  errors: FieldError[],
): Standard {
  const wrong = (key: string, value: string, why: string) =>
    errors.push(invalidValue(FieldPath.root("metadata", "labels").key(key), value, why));
  const standard: Standard = { level: "privileged", version: "latest" };
  const level = labels[prefix + mode];
  if (level !== undefined) {
    const known = levels.find((each) => each === level);
    if (known === undefined) wrong(prefix + mode, level, `must be one of ${levels.join(", ")}`);
    // A typing error must not open the door; nor must it fill the audit log.
    standard.level = known ?? (mode === "enforce" ? "restricted" : "privileged");
  }
  const key = `${prefix}${mode}-version`;
  const version = labels[key];
  if (version === undefined || version === "latest") return standard;
  if (versionPattern.test(version)) standard.version = version;
  else wrong(key, version, `must be "latest" or "v1.x"`);
  return standard;
}

export const strictness = ({ level }: Standard): number => levels.indexOf(level);

export const standardText = ({ level, version }: Standard): string => `${level}:${version}`;

export function policyOf(labels: Labels = {}): Policy {
  const errors: FieldError[] = [];
  const enforce = standardOf(labels, "enforce", errors);
  const audit = standardOf(labels, "audit", errors);
  const warn = standardOf(labels, "warn", errors);
  const asked = labels[`${prefix}enforce`];
  const isValid = levels.some((level) => level === asked);
  if (labels[`${prefix}warn`] === undefined && isValid && strictness(enforce) > 0) {
    warn.level = enforce.level;
    if (labels[`${prefix}warn-version`] === undefined) warn.version = enforce.version;
  }
  return { enforce, audit, warn, errors };
}

export function violations(standard: Standard, pod: PodToCheck): Violation[] {
  if (standard.level === "privileged") return [];
  const asked = versionPattern.exec(standard.version)?.[1];
  const minor = Math.min(asked === undefined ? lastMinor : Number(asked), lastMinor);
  const restricted =
    standard.level === "restricted"
      ? restrictedChecks.filter((check) => (check.since ?? 0) <= minor)
      : [];
  const overridden = new Set(restricted.map((check) => check.overrides));
  const checks = [
    ...baselineChecks.filter((c) => (c.since ?? 0) <= minor && !overridden.has(c.id)),
    ...restricted,
  ];
  return checks.flatMap((check) => check.run(pod, minor) ?? []);
}

export const detailText = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(", ");
