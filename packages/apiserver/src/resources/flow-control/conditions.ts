/**
 * status.conditions of both kinds: each type once, and none without.
 *
 * Source  pkg/apis/flowcontrol/validation/validation.go ValidateFlowSchemaStatus
 */
import { duplicate, type FieldError, field, required } from "../field.ts";

export function validateFlowConditions(conditions: readonly { type?: string }[] = []) {
  const path = field("status", "conditions");
  const seen = new Set<string>();
  return conditions.flatMap(({ type = "" }, i): FieldError[] => {
    const at = path.index(i).child("type");
    const twice = seen.has(type) ? [duplicate(at, type)] : [];
    seen.add(type);
    return type === "" ? [...twice, required(at)] : twice;
  });
}
