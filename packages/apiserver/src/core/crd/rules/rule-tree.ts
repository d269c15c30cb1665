/**
 * The rules of a whole schema, each where it stands; undefined when there is none below a place.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/cel/validation.go NewValidator
 */
import { escapeField, type SizedType, sizedTypeOf } from "@nanokube/machinery/cel";
import { isTree, type Schema } from "../structural-schema.ts";
import { asTypes, type CompiledRule, compileRule, type Rule } from "./compile-rule.ts";

export interface RuleNode {
  schema: Schema;
  isRoot: boolean;
  rules: readonly CompiledRule[];
  items: RuleNode | undefined;
  values: RuleNode | undefined;
  properties: ReadonlyMap<string, RuleNode>;
  allOf: readonly RuleNode[];
}

function hasRules(schema: Schema): boolean {
  const { items, properties = {}, additionalProperties, allOf = [] } = schema;
  return (
    (schema["x-kubernetes-validations"] ?? []).length > 0 ||
    (items !== undefined && hasRules(items)) ||
    Object.values(properties).some(hasRules) ||
    (isTree(additionalProperties) && hasRules(additionalProperties as Schema)) ||
    allOf.some(hasRules)
  );
}

export function ruleTreeOf(schema: Schema): RuleNode | undefined {
  return hasRules(schema) ? nodeOf(schema, schema, true) : undefined;
}

/** `rules` has the rules, `place` the types: they differ inside allOf. */
function nodeOf(rules: Schema, place: Schema, isRoot: boolean): RuleNode | undefined {
  if (!hasRules(rules)) return undefined;
  const own = (rules["x-kubernetes-validations"] ?? []) as Rule[];
  const type = typeAt(place, isRoot);
  const compiled = own.map((rule) => compileAt(rule, type, place));
  const isEmbedded = (schema: Schema) => schema["x-kubernetes-embedded-resource"] === true;
  const properties = new Map<string, RuleNode>();
  for (const [name, below] of Object.entries(rules.properties ?? {})) {
    const spot = place.properties?.[name];
    if (spot === undefined || !isVisible(type, name, spot)) continue;
    const node = nodeOf(below, spot, isEmbedded(spot));
    if (node !== undefined) properties.set(name, node);
  }
  const [more, spot] = [rules.additionalProperties, place.additionalProperties];
  const values =
    isTree(more) && isTree(spot)
      ? nodeOf(more as Schema, spot as Schema, isEmbedded(spot as Schema))
      : undefined;
  const items =
    rules.items !== undefined && place.items !== undefined
      ? nodeOf(rules.items, place.items, isEmbedded(place.items))
      : undefined;
  const allOf = (rules.allOf ?? []).flatMap((each) => nodeOf(each, place, isRoot) ?? []);
  return { schema: place, isRoot, rules: compiled, items, values, properties, allOf };
}

function typeAt(place: Schema, isRoot: boolean): SizedType | undefined {
  return sizedTypeOf(asTypes(place), "selfType", isRoot);
}

/** What an expression above cannot see is not checked below either. */
function isVisible(type: SizedType | undefined, name: string, spot: Schema): boolean {
  const escaped = escapeField(name);
  if (escaped === undefined) return typeAt(spot, false) !== undefined;
  return type?.fields?.has(escaped) ?? false;
}

function compileAt(rule: Rule, type: SizedType | undefined, place: Schema): CompiledRule {
  if (type !== undefined) return compileRule(rule, type, place);
  const error = "failed to convert to declType for CEL validation rules";
  return { rule, error, usesOldSelf: false, cost: 0, messageCost: 0 };
}
