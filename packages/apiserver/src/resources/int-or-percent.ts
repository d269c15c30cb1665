/**
 * "25%" or 3: how many, absolutely or of a whole.
 *
 * Source  pkg/apis/apps/validation/validation.go
 */
import { type FieldError, type FieldPath, invalid, nonNegative } from "./field.ts";
import { percent } from "./names.ts";

export type IntOrString = number | string;

export function validatePositiveIntOrPercent(
  value: IntOrString | undefined,
  path: FieldPath,
): FieldError[] {
  if (typeof value === "string") return percent(value).map((why) => invalid(path, value, why));
  return nonNegative(path, value);
}

/** The number in it, percents counted as they stand. */
export function plainValue(value: IntOrString | undefined): number {
  if (typeof value === "number") return value;
  return value !== undefined && /^[0-9]+%?$/.test(value) ? Number.parseInt(value, 10) : 0;
}

export function notMoreThan100Percent(
  value: IntOrString | undefined,
  path: FieldPath,
): FieldError[] {
  if (typeof value !== "string" || !/^[0-9]+%$/.test(value) || plainValue(value) <= 100) return [];
  return [invalid(path, value, "must not be greater than 100%")];
}
