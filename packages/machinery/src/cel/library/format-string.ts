/**
 * `"%s has %d".format([name, count])`.
 *
 * Source  cel-go ext/formatting.go
 */
import { quoteGo } from "../../go-text.ts";
import { compareStrings } from "../compare.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  typeOf,
  type Value,
} from "../values.ts";
import { conversions } from "./conversions.ts";
import type { Library } from "./function.ts";

class FormatError extends Error {}

const toText = (value: Value): string => conversions["string"]!(value) as string;
const fail = (why: string, value: Value): never => {
  throw new FormatError(`error during formatting: ${why}, was given ${typeOf(value).name}`);
};

/** Inside lists and maps, a value looks as it would in an expression. */
function literal(value: Value): string {
  if (value instanceof CelTimestamp) return `timestamp(${quoteGo(toText(value))})`;
  if (value instanceof CelDuration) return `duration(${quoteGo(toText(value))})`;
  if (typeof value === "string") return quoteGo(value);
  if (value instanceof Uint8Array) return `b${quoteGo(toText(value))}`;
  if (typeof value === "number")
    return Number.isFinite(value) ? value.toFixed(6) : quoteGo(fixed(value, 6));
  return asString(value);
}

const stringWhy =
  "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";

function asString(value: Value): string {
  if (value === null) return "null";
  if (value instanceof CelList) return `[${value.items.map(literal).join(", ")}]`;
  if (value instanceof CelMap) {
    const entries = [...value.entries.values()].map(([key, item]) => [literal(key), literal(item)]);
    entries.sort((a, b) => compareStrings(a[0]!, b[0]!));
    return `{${entries.map(([key, item]) => `${key}:${item}`).join(", ")}}`;
  }
  if (value instanceof CelTypeValue) return value.type.name;
  const text = conversions["string"]!(value);
  return typeof text === "string" ? text : fail(stringWhy, value);
}

function integer(value: Value, why: string): bigint {
  if (typeof value === "bigint") return value;
  return value instanceof CelUint ? value.value : fail(why, value);
}

function double(value: Value, why: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  return value === "-Infinity" ? Number.NEGATIVE_INFINITY : (fail(why, value) as never);
}

/** As the English printer writes it. */
function fixed(value: number, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  return value.toLocaleString("en-US", {
    minimumFractionDigits: precision,
    maximumFractionDigits: precision,
  });
}

function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return fixed(value, precision);
  const [mantissa = "", exponent = ""] = value.toExponential(precision).split("e");
  const sign = exponent[0] === "-" ? "-" : "";
  return `${mantissa}×10${superscript(sign + exponent.slice(1).padStart(2, "0"))}`;
}

function superscript(text: string): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return [...text].map((c) => (c === "-" ? "⁻" : digits[Number(c)]!)).join("");
}

function hex(value: Value, isUpper: boolean): string {
  const why = "only integers, byte buffers, and strings can be formatted as hex";
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const text =
    bytes instanceof Uint8Array
      ? [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
      : integer(value, why).toString(16);
  return isUpper ? text.toUpperCase() : text;
}

function clause(letter: string, value: Value, precision: number): string {
  switch (letter) {
    case "s":
      return asString(value);
    case "d":
      return String(integer(value, "decimal clause can only be used on integers"));
    case "f":
      return fixed(double(value, "fixed-point clause can only be used on doubles"), precision);
    case "e":
      return scientific(double(value, "scientific clause can only be used on doubles"), precision);
    case "b":
      if (typeof value === "boolean") return value ? "1" : "0";
      return integer(value, "only integers and bools can be formatted as binary").toString(2);
    case "x":
    case "X":
      return hex(value, letter === "X");
    case "o":
      return integer(value, "octal clause can only be used on integers").toString(8);
    default: {
      const why = `unrecognized formatting clause "${letter}"`;
      throw new FormatError(`could not parse formatting clause: ${why}`);
    }
  }
}

export function formatString(format: string, args: readonly Value[]): string {
  let used = 0;
  return format.replace(/%(?:(%)|(?:\.(\d*))?([\s\S]?))/gu, (_all, percent, precision, letter) => {
    if (percent !== undefined) return "%";
    const arg = args[used];
    if (arg === undefined) throw new FormatError(`index ${used} out of range`);
    used++;
    if (letter === "")
      throw new FormatError("could not parse formatting clause: unexpected end of string");
    return clause(letter, arg, precision === undefined ? 6 : Number(precision));
  });
}

export const formatting: Library = {
  format(format, args) {
    if (typeof format !== "string" || !(args instanceof CelList)) return undefined;
    try {
      return formatString(format, args.items);
    } catch (error) {
      if (error instanceof FormatError) return new CelError(error.message);
      throw error;
    }
  },
};
