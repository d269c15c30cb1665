/**
 * Keys of a ConfigMap or Secret, and the files they become.
 *
 * Source  pkg/apis/core/validation/validation.go validateKeyToPath
 */
import type { KeyToPath } from "@nanokube/api/core/v1";
import { type FieldError, type FieldPath, required } from "../../field.ts";
import { validateMode, validateNonReservedPath } from "../../paths.ts";

export function validateItems(
  items: readonly KeyToPath[] | undefined,
  path: FieldPath,
): FieldError[] {
  return (items ?? []).flatMap((item, i) => validateItem(item, path.index(i)));
}

export function validateItem(item: KeyToPath, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (!item.key) errors.push(required(path.child("key")));
  if (!item.path) errors.push(required(path.child("path")));
  errors.push(...validateNonReservedPath(item.path ?? "", path.child("path")));
  return [...errors, ...validateMode(item.mode, path.child("mode"))];
}
