/**
 * `immutable: true` cannot be taken back, and freezes the data.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateSecretUpdate, ValidateConfigMapUpdate
 */
import type { KubeObject } from "@nanokube/machinery";
import { type FieldError, field, forbidden } from "../field.ts";
import { semanticEqual } from "../semantic-equal.ts";

export function validateFrozen(
  object: KubeObject,
  old: KubeObject,
  keys: readonly string[],
): FieldError[] {
  if (!old.immutable) return [];
  const why = "field is immutable when `immutable` is set";
  const errors = object.immutable ? [] : [forbidden(field("immutable"), why)];
  for (const key of keys) {
    if (!semanticEqual(object[key], old[key])) errors.push(forbidden(field(key), why));
  }
  return errors;
}
