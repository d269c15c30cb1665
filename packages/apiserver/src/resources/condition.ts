/**
 * metav1.Condition, for the kinds that check them.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
 */
import type { Condition } from "@nanokube/api/meta/v1";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  invalid,
  notSupported,
  required,
  tooLong,
} from "./field.ts";
import { byteLength, qualifiedName, regexError } from "./names.ts";

const statuses = ["False", "True", "Unknown"];
const reasonFormat = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonMaxBytes = 1024;
const messageMaxBytes = 32 * 1024;

function validateReason(reason: string, path: FieldPath): FieldError[] {
  if (reason === "") return [required(path)];
  const errors: FieldError[] = [];
  if (!reasonPattern.test(reason)) {
    const message =
      "a condition reason must start with alphabetic character, optionally followed by a string " +
      "of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
    const examples = ["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"];
    errors.push(invalid(path, reason, regexError(message, reasonFormat, ...examples)));
  }
  if (byteLength(reason) > reasonMaxBytes) errors.push(tooLong(path, "", reasonMaxBytes));
  return errors;
}

function validateCondition(condition: Condition, path: FieldPath): FieldError[] {
  const { type = "", status = "", observedGeneration = 0, reason = "", message = "" } = condition;
  const errors = check(path.child("type"), type, qualifiedName);
  if (!statuses.includes(status)) errors.push(notSupported(path.child("status"), status, statuses));
  if (observedGeneration < 0) {
    const why = "must be greater than or equal to zero";
    errors.push(invalid(path.child("observedGeneration"), observedGeneration, why));
  }
  if (!condition.lastTransitionTime) errors.push(required(path.child("lastTransitionTime")));
  errors.push(...validateReason(reason, path.child("reason")));
  if (byteLength(message) > messageMaxBytes) {
    errors.push(tooLong(path.child("message"), "", messageMaxBytes));
  }
  return errors;
}

export function validateConditions(
  conditions: readonly Condition[] | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap((condition, i) => {
    const type = condition.type ?? "";
    const twice = seen.has(type) ? [duplicate(path.index(i).child("type"), type)] : [];
    seen.add(type);
    return [...twice, ...validateCondition(condition, path.index(i))];
  });
}
