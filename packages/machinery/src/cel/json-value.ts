/**
 * CEL values → JSON data.
 *
 * Errors  TypeError for what JSON has no word for
 */
import { durationText, timestampText } from "./library/go-time.ts";
import {
  CelDuration,
  CelList,
  CelMap,
  CelOptional,
  CelStruct,
  CelTimestamp,
  CelUint,
  type Value,
} from "./values.ts";

export function jsonOf(value: Value): unknown {
  if (value === null) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value;
  if (value instanceof CelUint) return Number(value.value);
  if (value instanceof CelList) return value.items.map(jsonOf);
  if (value instanceof CelStruct) return record([...value.fields]);
  if (value instanceof CelMap) {
    return record([...value.entries.values()].map(([key, each]) => [String(key), each]));
  }
  if (value instanceof CelOptional) {
    return value.value === undefined ? null : jsonOf(value.value);
  }
  if (value instanceof CelTimestamp) return timestampText(value.nanos);
  if (value instanceof CelDuration) return durationText(value.nanos);
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  throw new TypeError(`no JSON for a ${value.celType.name}`);
}

function record(entries: readonly (readonly [string, Value])[]): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [name, jsonOf(value)]));
}
