/**
 * RE2's regular expressions: time grows with the text, whatever the pattern.
 *
 * Errors  "error parsing regexp: …" as Go's regexp says it
 * Source  cel-go common/types/string.go, apiserver pkg/cel/library/regex.go
 */
import { RE2JS } from "re2js";
import { CelError, CelList, type Value } from "../values.ts";
import type { Library } from "./function.ts";

export interface Regex {
  test(text: string): boolean;
  findAll(text: string, limit: number): string[];
}

const compiled = new Map<string, Regex | CelError>();
/** Patterns come from rules, of which a server has hundreds; beyond that, the oldest go. */
const compiledMax = 1000;

export function compile(pattern: string): Regex | CelError {
  let known = compiled.get(pattern);
  if (known === undefined) {
    known = create(pattern);
    if (compiled.size >= compiledMax) compiled.delete(compiled.keys().next().value!);
    compiled.set(pattern, known);
  }
  return known;
}

function create(pattern: string): Regex | CelError {
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(pattern);
  } catch (error) {
    return new CelError((error as Error).message);
  }
  return {
    test: (text) => regex.matcher(text).find(),
    findAll(text, limit) {
      const matcher = regex.matcher(text);
      const found: string[] = [];
      let end = -1;
      while ((limit < 0 || found.length < limit) && matcher.find()) {
        // As in Go, nothing is found right behind what was found.
        if (matcher.end() > matcher.start() || matcher.start() !== end)
          found.push(matcher.group()!);
        end = matcher.end();
      }
      return found;
    },
  };
}

function search(text: Value, pattern: Value, limit: number): string[] | CelError | undefined {
  if (typeof text !== "string" || typeof pattern !== "string") return undefined;
  const regex = compile(pattern);
  if (regex instanceof CelError) return new CelError(`Illegal regex: ${regex.message}`);
  return regex.findAll(text, limit);
}

export const regexes: Library = {
  find(text, pattern) {
    const found = search(text!, pattern!, 1);
    return Array.isArray(found) ? (found[0] ?? "") : found;
  },
  findAll(text, pattern, limit = -1n) {
    if (typeof limit !== "bigint") return undefined;
    const found = search(text!, pattern!, Number(limit));
    return Array.isArray(found) ? new CelList(found) : found;
  },
};
