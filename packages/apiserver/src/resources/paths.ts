/**
 * File paths in fields: none may lead out of where they start.
 *
 * Source  pkg/apis/core/validation/validation.go validateLocalDescendingPath
 */
import { type FieldError, type FieldPath, invalid } from "./field.ts";

export function validateNoBacksteps(value: string, path: FieldPath): FieldError[] {
  if (!value.split("/").includes("..")) return [];
  return [invalid(path, value, "must not contain '..'")];
}

export function validateLocalPath(value: string, path: FieldPath): FieldError[] {
  const errors = validateNoBacksteps(value, path);
  if (value.startsWith("/")) errors.unshift(invalid(path, value, "must be a relative path"));
  return errors;
}

/** Names that begin with ".." are the kubelet's own. */
export function validateNonReservedPath(value: string, path: FieldPath): FieldError[] {
  const errors = validateLocalPath(value, path);
  if (value.startsWith("..") && !value.startsWith("../")) {
    errors.push(invalid(path, value, "must not start with '..'"));
  }
  return errors;
}

export function validateMode(mode: number | undefined, path: FieldPath): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}
