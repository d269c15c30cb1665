/**
 * Counters in a workload's status: none is negative, none is more than there are replicas.
 *
 * Source  pkg/apis/apps/validation/validation.go Validate*Status
 */
import { type FieldError, field, invalid, nonNegative } from "../field.ts";

type Counts = Record<string, unknown> | undefined;

function count(status: Counts, name: string): number {
  const value = status?.[name];
  return typeof value === "number" ? value : 0;
}

export function validateCounts(status: Counts, names: readonly string[]): FieldError[] {
  return names.flatMap((name) => nonNegative(field("status", name), count(status, name)));
}

export function validateWithinReplicas(
  status: Counts,
  names: readonly string[],
  readyText: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of names) {
    if (count(status, name) <= count(status, "replicas")) continue;
    const why = "cannot be greater than status.replicas";
    errors.push(invalid(field("status", name), count(status, name), why));
  }
  const available = count(status, "availableReplicas");
  if (available > count(status, "readyReplicas")) {
    const why = `cannot be greater than ${readyText}`;
    errors.push(invalid(field("status", "availableReplicas"), available, why));
  }
  return errors;
}

export function validateCollisions(status: Counts, old: Counts): FieldError[] {
  if (count(status, "collisionCount") >= count(old, "collisionCount")) return [];
  const at = field("status", "collisionCount");
  return [invalid(at, count(status, "collisionCount"), "cannot be decremented")];
}
