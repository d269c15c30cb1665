/**
 * `int(x)`, `string(x)`, `type(x)` and their like.
 *
 * Source  cel-go common/types/*.go ConvertToType
 */
import {
  CelDuration,
  CelError,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
  type Value,
} from "../values.ts";
import { int, timestamp, uint } from "./arithmetic.ts";
import type { Library } from "./function.ts";
import {
  doubleText,
  durationText,
  parseGoDuration,
  parseRFC3339,
  timestampText,
} from "./go-time.ts";
import { Cidr, Ip } from "./network.ts";

function wrong(value: Value, to: string): CelError {
  return new CelError(`type conversion error from '${typeOf(value).name}' to '${to}'`);
}

function parseInteger(text: string): bigint | undefined {
  return /^[+-]?[0-9]+$/u.test(text) ? BigInt(text.replace(/^\+/u, "")) : undefined;
}

function toInt(value: Value): Value | undefined {
  if (typeof value === "bigint") return value;
  if (value instanceof CelUint) return int(value.value);
  if (value instanceof CelTimestamp) {
    const seconds = value.nanos / 1_000_000_000n;
    return value.nanos < 0n && value.nanos % 1_000_000_000n !== 0n ? seconds - 1n : seconds;
  }
  if (value instanceof CelDuration) return value.nanos;
  if (typeof value === "number") {
    const inRange = value > -(2 ** 63) && value < 2 ** 63;
    return inRange ? BigInt(Math.trunc(value)) : new CelError("integer overflow");
  }
  if (typeof value !== "string") return undefined;
  const parsed = parseInteger(value);
  const fits = parsed !== undefined && BigInt.asIntN(64, parsed) === parsed;
  return fits ? parsed : wrong(value, "int");
}

function toUint(value: Value): Value | undefined {
  if (value instanceof CelUint) return value;
  if (typeof value === "bigint") return uint(value);
  if (typeof value === "number") {
    const inRange = value >= 0 && value < 2 ** 64;
    return inRange
      ? new CelUint(BigInt(Math.trunc(value)))
      : new CelError("unsigned integer overflow");
  }
  if (typeof value !== "string") return undefined;
  const parsed = /^[0-9]+$/u.test(value) ? BigInt(value) : undefined;
  const fits = parsed !== undefined && BigInt.asUintN(64, parsed) === parsed;
  return fits ? new CelUint(parsed) : wrong(value, "uint");
}

function parseFloatGo(text: string): number | undefined {
  if (/^[+-]?inf(?:inity)?$/iu.test(text)) {
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (/^nan$/iu.test(text)) return Number.NaN;
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/u.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function toDouble(value: Value): Value | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value !== "string") return undefined;
  return parseFloatGo(value) ?? wrong(value, "double");
}

function toText(value: Value): Value | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return doubleText(value);
  }
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof CelDuration) return durationText(value.nanos);
  if (value instanceof CelTimestamp) return timestampText(value.nanos);
  if (value instanceof Ip || value instanceof Cidr) return value.text;
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const falsehoods = new Set(["0", "f", "F", "FALSE", "false", "False"]);

export const conversions: Library = {
  int: toInt,
  uint: toUint,
  double: toDouble,
  string: toText,
  bool(value) {
    if (typeof value === "boolean") return value;
    if (typeof value !== "string") return undefined;
    if (truths.has(value)) return true;
    return falsehoods.has(value) ? false : wrong(value, "bool");
  },
  bytes(value) {
    if (value instanceof Uint8Array) return value;
    return typeof value === "string" ? new TextEncoder().encode(value) : undefined;
  },
  duration(value) {
    if (value instanceof CelDuration) return value;
    if (typeof value === "bigint") return new CelDuration(value);
    if (typeof value !== "string") return undefined;
    const nanos = parseGoDuration(value);
    return nanos === undefined ? wrong(value, "google.protobuf.Duration") : new CelDuration(nanos);
  },
  timestamp(value) {
    if (value instanceof CelTimestamp) return value;
    if (typeof value === "bigint") return timestamp(value * 1_000_000_000n);
    if (typeof value !== "string") return undefined;
    const nanos = parseRFC3339(value);
    return nanos === undefined ? wrong(value, "google.protobuf.Timestamp") : timestamp(nanos);
  },
  dyn: (value) => value,
  type: (value) => new CelTypeValue(typeOf(value)),
};
