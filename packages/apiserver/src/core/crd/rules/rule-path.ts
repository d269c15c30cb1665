/**
 * `.spec.x['a.b']`: the field that a rule, or a selectable field, speaks of.
 *
 * Errors  the reason why it is none
 * Source  apiextensions-apiserver pkg/apiserver/schema/cel/validation.go ValidFieldPath
 */
import { FieldPath } from "@nanokube/machinery";
import { isTree, type Schema } from "../structural-schema.ts";

export type RulePath = { path: string; root: string; schema: Schema } | { error: string };

const letters: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "'": "'",
  "\\": "\\",
};

function tokens(text: string): string[] {
  return text.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gsu) ?? [];
}

export function parseRulePath(text: string, schema: Schema, allowsBrackets = true): RulePath {
  const parts = tokens(text);
  let at: FieldPath | undefined;
  let current: Schema = schema;
  let root = "";
  const step = (name: string): string | undefined => {
    const { properties, additionalProperties } = current;
    if (properties !== undefined) {
      at = at === undefined ? FieldPath.root(name) : at.child(name);
      if (root === "") root = name;
      if (!Object.hasOwn(properties, name)) return "does not refer to a valid field";
      current = properties[name]!;
      return undefined;
    }
    if (!isTree(additionalProperties)) return "does not refer to a valid field";
    at = at === undefined ? FieldPath.root(`[${name}]`) : at.key(name);
    current = additionalProperties as Schema;
    return undefined;
  };
  const end = { error: "unexpected end of JSON path" };
  for (let i = 0; i < parts.length; i++) {
    const token = parts[i]!;
    let name: string;
    if (token === "[") {
      if (!allowsBrackets) return { error: "array notation is not allowed" };
      const quoted = parts[++i];
      if (quoted === undefined) return end;
      if (!/^'.*'$/su.test(quoted)) {
        return { error: `expected single quoted string but got ${quoted}` };
      }
      name = quoted
        .slice(1, -1)
        .replace(/\\(.)/gsu, (all, letter: string) => letters[letter] ?? all);
    } else if (token === ".") {
      const next = parts[++i];
      if (next === undefined) return end;
      name = next;
    } else return { error: `expected [ or . but got: ${token}` };
    const problem = step(name);
    if (problem !== undefined) return { error: problem };
    if (token !== "[") continue;
    const close = parts[++i];
    if (close === undefined) return end;
    if (close !== "]") return { error: `expected ] but got ${close}` };
  }
  return { path: at?.toString() ?? nilText, root, schema: current };
}

const nilText = "<nil>";
