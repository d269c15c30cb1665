/**
 * Field errors under the short names that validation reads well with.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go
 */

import type { FieldError, FieldPath } from "@nanokube/machinery";
import * as machinery from "@nanokube/machinery";

export type { FieldError, FieldPath } from "@nanokube/machinery";

/** field("spec", "template") is `spec.template`. */
export function field(root: string, ...more: string[]): FieldPath {
  return more.reduce((path, name) => path.child(name), machinery.FieldPath.root(root));
}

export const required = (path: FieldPath, detail = ""): FieldError =>
  machinery.required(path, detail);
export const invalid = (path: FieldPath, value: unknown, detail: string): FieldError =>
  machinery.invalidValue(path, value, detail);
export const duplicate = (path: FieldPath, value: unknown): FieldError =>
  machinery.duplicate(path, value);
export const notSupported = (
  path: FieldPath,
  value: unknown,
  supported: readonly string[],
): FieldError => machinery.notSupported(path, value, [...supported]);

export const forbidden = (path: FieldPath, detail: string): FieldError =>
  machinery.forbiddenField(path, detail);
export const notFound = (path: FieldPath, value: unknown): FieldError =>
  machinery.valueNotFound(path, value);
export const tooLong = (path: FieldPath, value: unknown, maxBytes: number): FieldError =>
  machinery.tooLong(path, value, maxBytes);
export const tooMany = (path: FieldPath, actual: number, max: number): FieldError =>
  machinery.tooMany(path, actual, max);

/** Each problem a rule finds with the value is one error. */
export function check(
  path: FieldPath,
  value: string,
  rule: (value: string) => string[],
): FieldError[] {
  const problems = rule(value);
  return problems.length === 0 ? [] : problems.map((why) => invalid(path, value, why));
}

export function nonNegative(path: FieldPath, value: number | undefined | null): FieldError[] {
  if (value === undefined || value === null || value >= 0) return [];
  return [invalid(path, value, "must be greater than or equal to 0")];
}

export function oneOf(
  path: FieldPath,
  value: string | undefined | null,
  supported: readonly string[],
): FieldError[] {
  return supported.includes(value ?? "") ? [] : [notSupported(path, value ?? "", supported)];
}
