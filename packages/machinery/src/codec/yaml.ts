/**
 * YAML as upstream reads it: YAML 1.1 words (yes, on, 0777), one object a document.
 *
 * Shapes  parseYAML(text)           the first document as a JSON tree; undefined when it is empty
 *         parseYAMLDocuments(text)  every document that is not empty
 *         repeatedKeys(text)        what a strict reader says of keys that come twice
 *         isProbablyJSON(text)      true when the text starts like JSON
 * Errors  YAMLError
 * Source  sigs.k8s.io/yaml, k8s.io/apimachinery/pkg/util/yaml
 */
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Tags,
} from "yaml";
import { quoteGo } from "../go-text.ts";
import { isPlainObject, setMember } from "../json-tree.ts";
import { duplicateFields } from "./json.ts";
import { yamlProblem } from "./yaml-problem.ts";

export class YAMLError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "YAMLError";
  }
}

/** Aliases expand at most this often in total: a small text must not become a huge tree. */
const maxAliasCount = 1000;

export interface YAMLOptions {
  /** Refuse a key that comes twice; otherwise the last one counts. */
  strict?: boolean;
}

/** Go's reader knows neither times (`2026-01-01` stays text) nor numbers to base 60 (`22:22`). */
function withoutTimes(tags: Tags): Tags {
  return tags.filter((tag) => {
    if (typeof tag === "string") return tag !== "timestamp" && !/Time$/.test(tag);
    return tag.tag !== "tag:yaml.org,2002:timestamp" && !("format" in tag && tag.format === "TIME");
  });
}

/** All that YAML 1.1 does not call printable. */
const notPrintable = /[^\t\n\r\x20-\x7e\x85\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

function documents(text: string, strict: boolean, lineCounter?: LineCounter): Document.Parsed[] {
  if (notPrintable.test(text)) throw new YAMLError("yaml: control characters are not allowed");
  const parsed = parseAllDocuments(text, {
    version: "1.1",
    merge: true,
    uniqueKeys: strict,
    stringKeys: false,
    intAsBigInt: false,
    customTags: withoutTimes,
    ...(lineCounter === undefined ? {} : { lineCounter }),
  });
  return Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
}

function toTree(document: Document.Parsed): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    if (isTooDeep(error)) throw new YAMLError(tooDeep);
    const line = error.linePos?.[0].line;
    const first = error.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
    throw new YAMLError(line === undefined ? `yaml: ${first}` : `yaml: line ${line}: ${first}`);
  }
  const problem = yamlProblem(document.contents);
  if (problem !== undefined) throw new YAMLError(`yaml: ${problem}`);
  try {
    return toJSONTree(document.toJS({ maxAliasCount }));
  } catch (error) {
    throw inOurWords(error as Error);
  }
}

const tooDeep = "yaml: exceeded max depth of 10000";

const isTooDeep = ({ message }: Error): boolean => message.includes("call stack");

/** What the library says only when it makes values of the nodes. */
function inOurWords(error: Error): Error {
  if (isTooDeep(error)) return new YAMLError(tooDeep);
  if (error.message.startsWith("Excessive alias count")) {
    return new YAMLError("yaml: document contains excessive aliasing");
  }
  if (error.message.startsWith("Merge sources must be")) {
    return new YAMLError("yaml: map merge requires map or sequence of maps as the value");
  }
  return error;
}

/** What JSON can say: keys are strings, binary data is text. */
function toJSONTree(value: unknown): unknown {
  if (value instanceof Uint8Array) return Array.from(value, (b) => String.fromCharCode(b)).join("");
  if (value instanceof Set) return Object.fromEntries([...value].map((key) => [String(key), null]));
  if (Array.isArray(value)) return value.map(toJSONTree);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new YAMLError(
      `json: unsupported value: ${String(value)
        .replace(/^Infinity/, "+Inf")
        .replace("Infinity", "Inf")}`,
    );
  }
  if (!isPlainObject(value)) return value ?? null;
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) setMember(out, key, toJSONTree(member));
  return out;
}

/** @throws YAMLError */
export function parseYAML(text: string, options: YAMLOptions = {}): unknown {
  const json = options.strict === true ? undefined : parsePlainJSON(text);
  if (json !== undefined) return json;
  const [first] = documents(text, options.strict ?? false);
  if (first === undefined) return undefined;
  return toTree(first) ?? undefined;
}

/** Clients mostly send JSON where YAML may stand; reading it as YAML takes twenty times as long. */
function parsePlainJSON(text: string): object | undefined {
  // Merge keys are YAML's alone.
  if (!isProbablyJSON(text) || text.includes('"<<"')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

/** @throws YAMLError */
export function parseYAMLDocuments(text: string, options: YAMLOptions = {}): unknown[] {
  return documents(text, options.strict ?? false)
    .map(toTree)
    .filter((tree) => tree !== null && tree !== undefined);
}

/** Keys that come twice, innermost first, each with the line of its later value. */
function repeats(node: unknown, lines: LineCounter): string[] {
  if (isSeq(node)) return node.items.flatMap((item) => repeats(item, lines));
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap(({ key, value }) => {
    const found = repeats(value, lines);
    const name = isScalar(key) ? key.value : key;
    if (seen.has(name)) {
      const at = isNode(value) && value.range ? value : key;
      const { line } = lines.linePos(isNode(at) ? (at.range?.[0] ?? 0) : 0);
      const shown = typeof name === "string" ? quoteGo(name) : String(name);
      found.push(`line ${line}: key ${shown} already set in map`);
    }
    seen.add(name);
    return found;
  });
}

/** The strict reader's complaint about the first document; undefined when it has none. */
export function repeatedKeys(text: string): string | undefined {
  const json = parsePlainJSON(text);
  if (json !== undefined && duplicateFields(text, json).length === 0) return undefined;
  const lines = new LineCounter();
  const [first] = documents(text, false, lines);
  const found = first === undefined ? [] : repeats(first.contents, lines);
  return found.length === 0 ? undefined : ["yaml: unmarshal errors:", ...found].join("\n  ");
}

/** JSON is YAML too, but is read as what it is. */
export function isProbablyJSON(text: string): boolean {
  return /^\s*[{[]/.test(text);
}
