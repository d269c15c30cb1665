/**
 * Where a schema stands in its definition, as the cost of rules sees it: how often it can occur in
 * one object.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/cel_validation.go
 */
import type { FieldPath } from "@nanokube/machinery";
import { requestSizeMax, type SizedType, sizedTypeOf } from "@nanokube/machinery/cel";
import { asTypes } from "../rules/compile-rule.ts";
import type { Schema } from "../structural-schema.ts";

export const ruleCostMax = 10_000_000;
export const definitionCostMax = 100_000_000;

/** What all rules of a schema cost together, and which cost the most. */
export class TotalCost {
  total = 0;
  #expensive: { path: FieldPath; cost: number }[] = [];

  observe(path: FieldPath, cost: number): void {
    this.total += cost;
    if (cost < definitionCostMax / 100) return;
    this.#expensive.push({ path, cost });
    this.#expensive.sort((a, b) => b.cost - a.cost);
    this.#expensive = this.#expensive.slice(0, 4);
  }
  get expensive(): readonly { path: FieldPath; cost: number }[] {
    return this.#expensive;
  }
}

export interface SchemaContext {
  /** How often it occurs at most; undefined when nothing bounds that. */
  occurrences: number | undefined;
  isRoot: boolean;
  total: TotalCost;
}

export function rootContext(): SchemaContext {
  return { occurrences: 1, isRoot: true, total: new TotalCost() };
}

function elementsMax(schema: Schema): number | undefined {
  if (schema.type === "array") return bounded(schema.maxItems);
  if (schema.type === "object" && schema.additionalProperties !== undefined) {
    return bounded(schema.maxProperties);
  }
  return 1;
}

const bounded = (max: number | undefined): number | undefined =>
  max === undefined ? undefined : Math.max(0, max);

export function childContext(context: SchemaContext, parent: Schema, child: Schema): SchemaContext {
  const elements = elementsMax(parent);
  const { occurrences, total } = context;
  const known = occurrences !== undefined && elements !== undefined;
  return {
    occurrences: known ? occurrences * elements : undefined,
    isRoot: child["x-kubernetes-embedded-resource"] === true,
    total,
  };
}

export function typeOfSchema(schema: Schema, context: SchemaContext): SizedType | undefined {
  return sizedTypeOf(asTypes(schema), "selfType", context.isRoot);
}

/** Of all evaluations that one object can cause. */
export function costOfAll(cost: number, context: SchemaContext, type: SizedType): number {
  const often = Math.floor(requestSizeMax / (type.minSerializedSize + 1));
  return cost * (context.occurrences ?? often);
}

export function costMessage(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  let text = `${factor.toFixed(1)}x`;
  if (factor > 100) text = "more than 100x";
  else if (factor < 1.5) text = `${factor.toFixed(6)}x`;
  const hint =
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${name} exceeds budget by factor of ${text} (${hint})`;
}
