/**
 * Defaults in a schema are valid by that schema themselves, and hold nothing that would be pruned.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go
 */
import {
  deepClone,
  deepEqual,
  type FieldError,
  type FieldPath,
  invalidValue,
} from "@nanokube/machinery";
import { validateEmbedded } from "../embedded-meta.ts";
import { evaluateRules } from "../rules/evaluate-rules.ts";
import { ruleTreeOf } from "../rules/rule-tree.ts";
import { pruneValue, type Schema } from "../structural-schema.ts";
import { validateSchema } from "../validate-schema.ts";

export function validateDefaults(schema: Schema, path: FieldPath): FieldError[] {
  return visit(schema, path, true, false);
}

function visit(schema: Schema, path: FieldPath, isRoot: boolean, inMeta: boolean): FieldError[] {
  const isEmbedded = isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const errors = schema.default === undefined || inMeta ? [] : checkDefault(schema, path);
  if (schema.items !== undefined) {
    errors.push(...visit(schema.items, path.child("items"), false, inMeta && !isEmbedded));
  }
  for (const [name, own] of Object.entries(schema.properties ?? {})) {
    const isMeta = isEmbedded && ["metadata", "apiVersion", "kind"].includes(name);
    const at = path.child("properties").key(name);
    errors.push(...visit(own, at, false, isMeta || (inMeta && !isEmbedded)));
  }
  return errors;
}

function checkDefault(schema: Schema, path: FieldPath): FieldError[] {
  const at = path.child("default");
  const errors: FieldError[] = [];
  const pruned = deepClone(schema.default);
  pruneValue(schema, pruned, "", []);
  if (!deepEqual(pruned, schema.default)) {
    errors.push(invalidValue(at, schema.default, "must not have unknown fields"));
  }
  const meta = validateEmbedded(schema, schema.default, at);
  if (meta.length > 0) return [...errors, ...meta];
  const wrong = validateSchema(schema, schema.default, { prefix: at.toString() });
  if (wrong.length > 0) return [...errors, ...wrong];
  const tree = ruleTreeOf(schema);
  if (tree === undefined) return errors;
  const outcome = evaluateRules(tree, schema.default, { old: schema.default, path: at });
  const without =
    outcome.errors.length > 0 ? [] : evaluateRules(tree, schema.default, { path: at }).errors;
  return [...errors, ...outcome.errors, ...without];
}
