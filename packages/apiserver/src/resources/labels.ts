/**
 * Labels, label selectors, annotations.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
 */
import type { LabelSelector } from "@nanokube/api/meta/v1";
import { check, type FieldError, type FieldPath, forbidden, invalid, required } from "./field.ts";
import { labelValue, qualifiedName } from "./names.ts";

export function validateLabels(
  labels: Record<string, string> | undefined,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    errors.push(...check(path, key, qualifiedName));
    errors.push(...check(path, labels[key]!, labelValue));
  }
  return errors;
}

export function validateLabelSelector(
  selector: LabelSelector | null | undefined,
  path: FieldPath,
): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, path.child("matchLabels"));
  for (const [i, requirement] of (selector.matchExpressions ?? []).entries()) {
    const at = path.child("matchExpressions").index(i);
    const { key = "", operator = "", values = [] } = requirement;
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) {
        const why = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(required(at.child("values"), why));
      }
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(forbidden(at.child("values"), why));
      }
    } else {
      errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
    }
    errors.push(...check(at.child("key"), key, qualifiedName));
    for (const [n, value] of values.entries()) {
      errors.push(...check(at.child("values").index(n), value, labelValue));
    }
  }
  return errors;
}
