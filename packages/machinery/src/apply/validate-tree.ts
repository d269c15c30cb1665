/**
 * Does a configuration fit its type? Unknown fields, wrong kinds, items that cannot be told apart.
 *
 * Texts as upstream's: `.spec.foo: field not declared in schema`, several under "errors:".
 *
 * Source  sigs.k8s.io/structured-merge-diff/v6 typed/validate.go, helpers.go
 */
import { isPlainObject } from "../json-tree.ts";
import { formatGoValue } from "../patch/patch-error.ts";
import { type ApplySchema, resolveSchema } from "./apply-schema.ts";
import { fieldElement, formatElement } from "./path-element.ts";
import { itemElement } from "./typed-tree.ts";

/** Complaints, "path: text". */
export function validateTree(value: unknown, schema: ApplySchema): string[] {
  const complaints: string[] = [];
  check(value, schema, "", complaints);
  return complaints;
}

/** Complaints as one text. */
export function formatComplaints(complaints: readonly string[]): string {
  if (complaints.length === 1) return complaints[0]!;
  return ["errors:", ...complaints.map((complaint) => `  ${complaint}`)].join("\n");
}

function complain(path: string, text: string, out: string[]): void {
  out.push(path === "" ? text : `${path}: ${text}`);
}

function check(value: unknown, declared: ApplySchema, path: string, out: string[]): void {
  if (value === null || value === undefined) return;
  const schema = resolveSchema(declared, value);
  if (schema.kind === "map") {
    if (!isPlainObject(value)) {
      complain(path, `expected map, got &{${formatGoValue(value)}}`, out);
      return;
    }
    for (const [key, member] of Object.entries(value)) {
      const at = path + formatElement(fieldElement(key));
      const inner = schema.field(key) ?? schema.element;
      if (inner === undefined) complain(at, "field not declared in schema", out);
      else check(member, inner, at, out);
    }
  } else if (schema.kind === "list") {
    if (!Array.isArray(value)) {
      complain(path, `expected list, got &{${formatGoValue(value)}}`, out);
      return;
    }
    const seen = new Set<string>();
    for (const [i, item] of value.entries()) {
      let element = `i:${i}`;
      if (schema.relation !== "atomic") {
        try {
          element = itemElement(schema, item);
        } catch (error) {
          complain(path, `element ${i}: ${(error as Error).message}`, out);
          return;
        }
        if (seen.has(element)) {
          complain(path, `duplicate entries for key ${formatElement(element)}`, out);
        }
        seen.add(element);
      }
      check(item, schema.item, path + formatElement(element), out);
    }
  } else if (schema.kind === "scalar" && typeof value === "object") {
    complain(path, `expected scalar, got &{${formatGoValue(value)}}`, out);
  }
}
