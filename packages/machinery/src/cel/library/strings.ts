/**
 * Functions on strings. Positions count code points.
 *
 * Source  cel-go ext/strings.go, common/types/string.go
 */

import { shortEscapes } from "../../go-text.ts";
import { CelError, CelList, type Value } from "../values.ts";
import type { Implementation, Library } from "./function.ts";
import { compile } from "./regex.ts";

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

function indexOf(text: Value, part: Value, from: Value = 0n): Value | undefined {
  if (typeof text !== "string" || typeof part !== "string" || typeof from !== "bigint") {
    return undefined;
  }
  if (part === "") return from;
  if (from < 0n) return outOfRange(from);
  const letters = [...text];
  const wanted = [...part];
  for (let i = Number(from); i + wanted.length <= letters.length; i++) {
    if (wanted.every((letter, j) => letters[i + j] === letter)) return BigInt(i);
  }
  return -1n;
}

function lastIndexOf(text: Value, part: Value, from?: Value): Value | undefined {
  if (typeof text !== "string" || typeof part !== "string") return undefined;
  const letters = [...text];
  if (from === undefined) {
    if (part === "") return BigInt(letters.length);
    if (text.length < part.length) return -1n;
  } else if (part === "") return from;
  const start = from ?? BigInt(letters.length - 1);
  if (typeof start !== "bigint") return undefined;
  if (start < 0n) return outOfRange(start);
  if (start >= BigInt(letters.length)) return -1n;
  const wanted = [...part];
  for (let i = Math.min(Number(start), letters.length - wanted.length); i >= 0; i--) {
    if (wanted.every((letter, j) => letters[i + j] === letter)) return BigInt(i);
  }
  return -1n;
}

function charAt(text: Value, index: Value): Value | undefined {
  if (typeof text !== "string" || typeof index !== "bigint") return undefined;
  const letters = [...text];
  if (index < 0n || index > BigInt(letters.length)) return outOfRange(index);
  return letters[Number(index)] ?? "";
}

function substring(text: Value, start: Value, end?: Value): Value | undefined {
  if (typeof text !== "string" || typeof start !== "bigint") return undefined;
  const letters = [...text];
  const size = BigInt(letters.length);
  if (end === undefined) {
    if (start < 0n || start > size) return outOfRange(start);
    return letters.slice(Number(start)).join("");
  }
  if (typeof end !== "bigint") return undefined;
  if (start > end) return new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > size) return outOfRange(start);
  if (end > size) return outOfRange(end);
  return letters.slice(Number(start), Number(end)).join("");
}

function replace(text: Value, from: Value, to: Value, limit: Value = -1n): Value | undefined {
  if (typeof text !== "string" || typeof from !== "string" || typeof to !== "string") {
    return undefined;
  }
  if (typeof limit !== "bigint") return undefined;
  const max = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
  if (from === "") {
    const letters = [...text];
    let out = "";
    for (let i = 0; i <= letters.length; i++) out += (i < max ? to : "") + (letters[i] ?? "");
    return out;
  }
  const parts = text.split(from);
  if (parts.length - 1 <= max) return parts.join(to);
  return [...parts.slice(0, max), parts.slice(max).join(from)].join(to);
}

function split(text: Value, separator: Value, limit: Value = -1n): Value | undefined {
  if (typeof text !== "string" || typeof separator !== "string" || typeof limit !== "bigint") {
    return undefined;
  }
  if (limit === 0n) return new CelList([]);
  const parts = separator === "" ? [...text] : text.split(separator);
  const max = Number(limit);
  if (limit < 0n || parts.length <= max) return new CelList(parts);
  return new CelList([...parts.slice(0, max - 1), parts.slice(max - 1).join(separator)]);
}

function join(list: Value, separator: Value = ""): Value | undefined {
  if (!(list instanceof CelList) || typeof separator !== "string") return undefined;
  const bad = list.items.find((item) => typeof item !== "string");
  if (bad !== undefined) return new CelError(`join: invalid input: ${String(bad)}`);
  return list.items.join(separator);
}

const onText =
  (change: (text: string) => Value): Implementation =>
  (text) =>
    typeof text === "string" ? change(text) : undefined;

const onTexts =
  (test: (text: string, part: string) => Value): Implementation =>
  (text, part) =>
    typeof text === "string" && typeof part === "string" ? test(text, part) : undefined;

/** What Go's unicode.IsSpace takes for space; JavaScript's trim also takes U+FEFF. */
const space =
  "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const edges = new RegExp(`^${space}|${space}$`, "gu");

export const strings: Library = {
  charAt,
  substring,
  replace,
  split,
  join,
  contains: onTexts((text, part) => text.includes(part)),
  startsWith: onTexts((text, part) => text.startsWith(part)),
  endsWith: onTexts((text, part) => text.endsWith(part)),
  matches: onTexts((text, pattern) => {
    const regex = compile(pattern);
    return regex instanceof CelError ? regex : regex.test(text);
  }),
  lowerAscii: onText((text) => text.replace(/[A-Z]+/gu, (part) => part.toLowerCase())),
  upperAscii: onText((text) => text.replace(/[a-z]+/gu, (part) => part.toUpperCase())),
  trim: onText((text) => text.replace(edges, "")),
  "strings.quote": onText(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are escaped.
    (text) => `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/gu, (letter) => shortEscapes[letter]!)}"`,
  ),
  "jsonpatch.escapeKey": onText((text) => text.replaceAll("~", "~0").replaceAll("/", "~1")),
};

export const stringIndexOf = indexOf;
export const stringLastIndexOf = lastIndexOf;
