/**
 * Going from a value to one of its fields, entries or elements.
 *
 * Errors  "no such key: x", "index out of bounds: 3"
 * Source  cel-go interpreter/attributes.go applyQualifiers, refQualify
 */
import type { CostTracker } from "./cost-tracker.ts";
import {
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelUint,
  isError,
  none,
  noSuchOverload,
  typeOf,
  type Value,
} from "./values.ts";

export interface Qualifier {
  key(scope: (name: string) => Value | undefined, tracker: CostTracker): Value;
  /** `.?field`, `[?index]`: what is absent is none, not an error. */
  optional: boolean;
  /** The last of `has(a.b)`: whether it is there, not what it is. */
  testOnly: boolean;
}

function shown(key: Value): string {
  return key instanceof CelUint ? String(key.value) : String(key);
}

function indexOf(key: Value): number | CelError {
  if (typeof key === "bigint") return Number(key);
  if (key instanceof CelUint) return Number(key.value);
  if (typeof key === "number" && Number.isInteger(key)) return key;
  return new CelError(`unsupported index type '${typeOf(key).name}' in list`);
}

/** The value, an error, or undefined when a test finds nothing there. */
function qualify(value: Value, key: Value, isTest: boolean): Value | undefined {
  if (value instanceof CelMap) {
    const found = value.find(key);
    if (found !== undefined) return found;
    if (key === null || (typeof key === "object" && !(key instanceof CelUint))) {
      return noSuchOverload();
    }
    return isTest ? undefined : new CelError(`no such key: ${shown(key)}`);
  }
  if (value instanceof CelList) {
    const index = indexOf(key);
    if (typeof index !== "number") return index;
    const found = index < 0 ? undefined : value.items[index];
    if (found !== undefined) return found;
    return isTest ? undefined : new CelError(`index out of bounds: ${shown(key)}`);
  }
  if (value instanceof CelStruct) {
    const found = value.find(key);
    return found ?? (isTest ? undefined : new CelError(`no such key: ${shown(key)}`));
  }
  return isTest ? undefined : new CelError(`no such key: ${shown(key)}`);
}

export function applyQualifiers(
  start: Value,
  qualifiers: readonly Qualifier[],
  scope: (name: string) => Value | undefined,
  tracker: CostTracker,
): Value {
  if (qualifiers.length === 0) return start;
  let value = start;
  let isOptional = false;
  if (value instanceof CelOptional) {
    if (value.value === undefined) return value;
    value = value.value;
    isOptional = true;
  }
  for (const qualifier of qualifiers) {
    isOptional ||= qualifier.optional;
    const key = qualifier.key(scope, tracker);
    if (isError(key)) {
      tracker.add(1);
      return key;
    }
    const found = qualify(value, key, isOptional || qualifier.testOnly);
    if (found === undefined && !qualifier.testOnly) return none;
    if (found === undefined && isOptional) return none;
    tracker.add(1);
    if (found !== undefined && isError(found)) return found;
    value = qualifier.testOnly ? found !== undefined : found!;
  }
  return isOptional ? new CelOptional(value) : value;
}
