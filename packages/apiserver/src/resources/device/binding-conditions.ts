/**
 * Conditions that a device must reach, or may fail at, before its pod is bound.
 *
 * Source  pkg/apis/resource/validation/validation.go validateDeviceBindingParameters
 */
import { check, duplicate, type FieldError, type FieldPath, invalid } from "../field.ts";
import { qualifiedName } from "../names.ts";
import { validateList } from "./collections.ts";

const conditionsMax = 4;

interface Binding {
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
}

function duplicates(list: readonly string[], path: FieldPath): [number, FieldError][] {
  return list.flatMap((one, i) =>
    list.indexOf(one) < i ? [[i, duplicate(path.index(i), one)] as [number, FieldError]] : [],
  );
}

export function validateBindingConditions(binding: Binding, path: FieldPath): FieldError[] {
  const { bindingConditions: wanted = [], bindingFailureConditions: failed = [] } = binding;
  const wantedAt = path.child("bindingConditions");
  const failedAt = path.child("bindingFailureConditions");
  const label = (name: string, at: FieldPath) => check(at, name, qualifiedName);
  const errors = [
    ...validateList(wanted, conditionsMax, wantedAt, label),
    ...validateList(failed, conditionsMax, failedAt, label),
    ...duplicates(wanted, wantedAt).map(([, error]) => error),
  ];
  const twice = new Map(duplicates(failed, failedAt));
  for (const [i, condition] of failed.entries()) {
    if (twice.has(i)) errors.push(twice.get(i)!);
    if (!wanted.includes(condition)) continue;
    const why = "bindingFailureConditions must not overlap with bindingConditions";
    errors.push(invalid(failedAt.index(i), condition, why));
  }
  if (wanted.length === 0 && failed.length > 0) {
    const why = "bindingConditions are required to use bindingFailureConditions";
    errors.push(invalid(wantedAt, binding.bindingConditions ?? null, why));
  }
  if (failed.length === 0 && wanted.length > 0) {
    const why = "bindingFailureConditions are required to use bindingConditions";
    errors.push(invalid(failedAt, binding.bindingFailureConditions ?? null, why));
  }
  return errors;
}
