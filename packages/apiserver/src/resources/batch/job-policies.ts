/**
 * When a pod's failure fails the job, and when successes are enough.
 *
 * Source  pkg/apis/batch/validation/validation.go validatePodFailurePolicy, validateSuccessPolicy
 */
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from "@nanokube/api/batch/v1";
import { omittedValue, quoteGo } from "@nanokube/machinery";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  invalid,
  nonNegative,
  notSupported,
  required,
  tooMany,
} from "../field.ts";
import { qualifiedName } from "../names.ts";

const actions = ["Count", "FailIndex", "FailJob", "Ignore"];

/** A missing value is "required", a wrong one "not supported". */
function choose(path: FieldPath, value: string | undefined, values: readonly string[]) {
  if (!value) return [required(path, `valid values: [${values.map(quoteGo).join(" ")}]`)];
  return values.includes(value) ? [] : [notSupported(path, value, values)];
}

function validateExitCodes(rule: PodFailurePolicyRule, names: readonly string[], path: FieldPath) {
  const { operator, containerName } = rule.onExitCodes ?? {};
  const values = rule.onExitCodes?.values ?? [];
  const errors = choose(path.child("operator"), operator, ["In", "NotIn"]);
  if (containerName !== undefined && !names.includes(containerName)) {
    const why = "must be one of the container or initContainer names in the pod template";
    errors.push(invalid(path.child("containerName"), containerName, why));
  }
  const list = path.child("values");
  if (values.length === 0) errors.push(invalid(list, null, "at least one value is required"));
  else if (values.length > 255) errors.push(tooMany(list, values.length, 255));
  for (const [i, code] of values.entries()) {
    if (operator === "In" && code === 0) {
      errors.push(invalid(list.index(i), code, "must not be 0 for the In operator"));
    }
    if (values.indexOf(code) < i) errors.push(duplicate(list.index(i), code));
  }
  if (values.some((code, i) => i > 0 && values[i - 1]! > code)) {
    errors.push(invalid(list, values, "must be ordered"));
  }
  return errors;
}

function validateRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  names: readonly string[],
  path: FieldPath,
): FieldError[] {
  const errors = choose(path.child("action"), rule.action, actions);
  if (rule.action === "FailIndex" && spec.backoffLimitPerIndex === undefined) {
    const why = "requires the backoffLimitPerIndex to be set";
    errors.push(invalid(path.child("action"), rule.action, why));
  }
  const conditions = rule.onPodConditions ?? [];
  if (rule.onExitCodes !== undefined) {
    errors.push(...validateExitCodes(rule, names, path.child("onExitCodes")));
  }
  const list = path.child("onPodConditions");
  if (conditions.length > 20) errors.push(tooMany(list, conditions.length, 20));
  for (const [i, pattern] of conditions.entries()) {
    errors.push(...check(list.index(i).child("type"), pattern.type ?? "", qualifiedName));
    const statuses = ["False", "True", "Unknown"];
    errors.push(...choose(list.index(i).child("status"), pattern.status, statuses));
  }
  if (rule.onExitCodes !== undefined && conditions.length > 0) {
    const why = "specifying both OnExitCodes and OnPodConditions is not supported";
    errors.push(invalid(path, omittedValue, why));
  }
  if (rule.onExitCodes === undefined && conditions.length === 0) {
    const why = "specifying one of OnExitCodes and OnPodConditions is required";
    errors.push(invalid(path, omittedValue, why));
  }
  return errors;
}

export function validatePodFailurePolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const { initContainers = [], ...pod } = spec.template?.spec ?? {};
  const containers = pod.containers ?? [];
  const names = [...containers, ...initContainers].map((container) => container.name ?? "");
  const list = path.child("rules");
  const errors = rules.length > 20 ? [tooMany(list, rules.length, 20)] : [];
  return [...errors, ...rules.flatMap((rule, i) => validateRule(rule, spec, names, list.index(i)))];
}

/** "1,3-5": how many indexes, or what is wrong with the text. */
export function countIndexes(text: string, completions: number): number | string {
  let total = 0;
  let last: number | undefined;
  if (text === "") return 0;
  for (const part of text.split(",")) {
    const bounds = part.split("-");
    if (bounds.length > 2) {
      return `the fragment ${quoteGo(part)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    }
    for (const bound of bounds) {
      if (!/^[+-]?\d+$/.test(bound)) {
        return `cannot convert string to integer for index: ${quoteGo(bound)}`;
      }
      if (Number(bound) >= completions) return `too large index: ${quoteGo(bound)}`;
    }
    const [from, to] = [Number(bounds[0]), Number(bounds.at(-1))];
    if (bounds.length === 2 && from >= to) {
      return `non-increasing order, previous: ${from}, current: ${to}`;
    }
    if (last !== undefined && last >= from) {
      return `non-increasing order, previous: ${last}, current: ${from}`;
    }
    total += to - from + 1;
    last = to;
  }
  return total;
}

function validateSuccessRule(rule: SuccessPolicyRule, spec: JobSpec, path: FieldPath) {
  const { succeededCount, succeededIndexes } = rule;
  const completions = spec.completions ?? 0;
  const errors: FieldError[] = [];
  if (succeededCount === undefined && succeededIndexes === undefined) {
    const why = "at least one of succeededCount or succeededIndexes must be specified";
    errors.push(required(path, why));
  }
  let total = 0;
  if (succeededIndexes !== undefined) {
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === "number") total = counted;
    else {
      const why = `error parsing succeededIndexes: ${counted}`;
      errors.push(invalid(path.child("succeededIndexes"), succeededIndexes, why));
    }
  }
  if (succeededCount === undefined) return errors;
  const at = path.child("succeededCount");
  errors.push(...nonNegative(at, succeededCount));
  if (succeededCount > completions) {
    const why = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalid(at, succeededCount, why));
  }
  if (succeededIndexes !== undefined && succeededCount > total) {
    const why = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalid(at, succeededCount, why));
  }
  return errors;
}

export function validateSuccessPolicy(spec: JobSpec, path: FieldPath): FieldError[] {
  const rules = spec.successPolicy?.rules ?? [];
  const list = path.child("rules");
  const errors: FieldError[] = [];
  if (rules.length === 0) {
    const why = "at least one rules must be specified when the successPolicy is specified";
    errors.push(required(list, why));
  }
  if (rules.length > 20) errors.push(tooMany(list, rules.length, 20));
  return [...errors, ...rules.flatMap((rule, i) => validateSuccessRule(rule, spec, list.index(i)))];
}
