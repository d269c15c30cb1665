/**
 * Runs the rules of a schema over an object, within a budget.
 *
 * A rule that does not hold for something unchanged becomes a warning (ratcheting), unless it
 * compares with what was.
 *
 * Source  apiextensions-apiserver pkg/apiserver/schema/cel/validation.go Validate
 */
import {
  duplicate,
  FieldError,
  type FieldPath,
  forbiddenField,
  invalidValue,
  omittedValue,
  FieldPath as Path,
  quoteGo,
  required,
} from "@nanokube/machinery";
import { type CelError, CelOptional, isCelError, none, schemaValue } from "@nanokube/machinery/cel";
import { type Correlated, sameKeys } from "../correlated.ts";
import { isTree } from "../structural-schema.ts";
import { nilPath } from "../validate-schema.ts";
import { asTypes, type CompiledRule, type Rule } from "./compile-rule.ts";
import type { RuleNode } from "./rule-tree.ts";

export const perCallCostMax = 1_000_000;
export const costBudget = 10_000_000;
const messageBytesMax = 5 * 1024;

/** Where the walk is in the object as it was; `parent` is the nearest place known there. */
interface Before {
  current: Correlated | undefined;
  parent: Correlated | undefined;
}

const nowhere: Before = { current: undefined, parent: undefined };

export interface RuleOutcome {
  errors: FieldError[];
  warnings: string[];
}

const outOfBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";

/** The budget is spent: what follows is not looked at. */
class Stop extends Error {}

class Evaluation {
  readonly errors: FieldError[] = [];
  readonly warnings: string[] = [];
  #budget: number;

  constructor(budget: number) {
    this.#budget = budget;
  }

  visit(
    node: RuleNode,
    value: unknown,
    old: unknown,
    path: FieldPath | undefined,
    at: Before,
  ): void {
    if (value === null || value === undefined) return;
    this.#rules(node, value, old, path, at);
    for (const each of node.allOf) {
      this.visit(each, value, old, path, { current: undefined, parent: at.parent });
    }
    if (Array.isArray(value)) this.#list(node, value, old, path, at);
    else if (isTree(value)) this.#object(node, value, old, path, at);
  }

  #list(node: RuleNode, value: unknown[], old: unknown, path: FieldPath | undefined, at: Before) {
    if (node.items === undefined) return;
    const isMap = node.schema["x-kubernetes-list-type"] === "map";
    const others = isMap && Array.isArray(old) ? old : [];
    for (const [i, item] of value.entries()) {
      const before =
        at.current === undefined ? at : { current: at.current.index(i), parent: at.current };
      const match = sameKeys(node.schema, item, others);
      this.visit(node.items, item, match, (path ?? Path.root("")).index(i), before);
    }
  }

  #object(
    node: RuleNode,
    value: Record<string, unknown>,
    old: unknown,
    path: FieldPath | undefined,
    at: Before,
  ): void {
    const others = isTree(old) ? old : {};
    const step = (name: string): Before => {
      if (at.current === undefined) return at;
      const isMeta = at.parent === undefined && (name === "apiVersion" || name === "kind");
      return isMeta ? nowhere : { current: at.current.key(name), parent: at.current };
    };
    for (const [name, member] of Object.entries(value)) {
      if (node.values !== undefined) {
        const own = path === undefined ? Path.root(`[${name}]`) : path.key(name);
        this.visit(node.values, member, others[name], own, step(name));
      }
      const below = node.properties.get(name);
      if (below === undefined) continue;
      const own = path === undefined ? Path.root(name) : path.child(name);
      this.visit(below, member, others[name], own, step(name));
    }
  }

  #rules(node: RuleNode, value: unknown, old: unknown, path: FieldPath | undefined, at: Before) {
    if (node.rules.length === 0) return;
    const { schema } = node;
    const where = path?.toString() ?? nilPath;
    const type = schema.type ?? "";
    if (this.#budget <= 0) this.#stop(invalidValue(where, type, outOfBudget));
    const types = asTypes(schema);
    const self = schemaValue(value, types, node.isRoot);
    const has = old !== undefined && old !== null;
    const oldSelf = has ? schemaValue(old, types, node.isRoot) : undefined;
    for (const compiled of node.rules) {
      const { rule, program } = compiled;
      if (compiled.error !== undefined) {
        this.errors.push(invalidValue(where, type, `rule compile error: ${compiled.error}`));
        continue;
      }
      if (program === undefined) continue;
      if (compiled.usesOldSelf && !has && !rule.optionalOldSelf) continue;
      const before = rule.optionalOldSelf
        ? oldSelf === undefined
          ? none
          : new CelOptional(oldSelf)
        : oldSelf;
      const scope = (name: string) => (name === "self" ? self : before);
      const outcome = program.evaluate(scope, perCallCostMax);
      if (outcome.cost > this.#budget) this.#stop(invalidValue(where, type, outOfBudget));
      this.#budget -= outcome.cost;
      if (isCelError(outcome.value)) {
        const error = invalidValue(where, type, failureText(outcome.value as CelError, rule));
        if (outcome.exceeded) this.#stop(error);
        this.errors.push(error);
        continue;
      }
      if (outcome.value === true) continue;
      const isTolerated = !compiled.usesOldSelf && ((at.current ?? at.parent)?.unchanged ?? false);
      this.#report(compiled, { value, type, where, scope, isTolerated });
    }
  }

  #report(
    compiled: CompiledRule,
    place: {
      value: unknown;
      type: string;
      where: string;
      scope: Parameters<NonNullable<CompiledRule["program"]>["evaluate"]>[0];
      isTolerated: boolean;
    },
  ): void {
    const { rule, fieldPath } = compiled;
    const lead = place.where === nilPath ? "" : `${place.where}.`;
    const where = fieldPath === undefined ? place.where : `${lead}${fieldPath}`;
    const add = (error: FieldError) => {
      if (place.isTolerated) this.warnings.push(String(error));
      else this.errors.push(error);
    };
    let detail: string | undefined;
    if (compiled.messageProgram !== undefined) {
      const source = quoteGo(rule.messageExpression ?? "");
      const outcome = compiled.messageProgram.evaluate(place.scope, perCallCostMax);
      const refuse = (why: string): never => {
        add(invalidValue(where, place.type, why));
        throw new Stop();
      };
      if (outcome.cost > this.#budget) {
        const why = "messageExpression evaluation failed due to running out of cost budget";
        refuse(`${why}, no further validation rules will be run`);
      }
      if (outcome.exceeded) {
        const why = "no further validation rules will be run due to call cost exceeds limit";
        refuse(`${why} for messageExpression: ${source}`);
      }
      this.#budget -= outcome.cost;
      if (typeof outcome.value === "string") detail = usable(outcome.value);
    }
    detail ??= rule.message ? rule.message.trim() : `failed rule: ${ruleText(rule)}`;
    const isShown = place.type !== "object" && place.type !== "array";
    add(errorFor(rule.reason, where, isShown ? place.value : omittedValue, detail));
  }

  #stop(error: FieldError): never {
    this.errors.push(error);
    throw new Stop();
  }
}

/** What a message expression said, when it can be shown. */
function usable(text: string): string | undefined {
  const trimmed = text.trim();
  const isTooLong = new TextEncoder().encode(trimmed).length > messageBytesMax;
  return trimmed === "" || isTooLong || trimmed.includes("\n") ? undefined : trimmed;
}

function ruleText(rule: Rule): string {
  return (rule.message || rule.rule || "").trim();
}

function failureText({ message }: CelError, rule: Rule): string {
  if (message.startsWith("no such overload")) {
    const why = "call arguments did not match a supported operator, function or macro signature";
    return `'${message}': ${why} for rule: ${ruleText(rule)}`;
  }
  if (message.startsWith("operation cancelled: actual cost limit exceeded")) {
    const why = "no further validation rules will be run due to call cost exceeds limit";
    return `'${message}': ${why} for rule: ${ruleText(rule)}`;
  }
  return `${message} evaluating rule: ${ruleText(rule)}`;
}

function errorFor(
  reason: string | undefined,
  where: string,
  value: unknown,
  detail: string,
): FieldError {
  switch (reason) {
    case "FieldValueForbidden":
      return forbiddenField(where, detail);
    case "FieldValueRequired":
      return required(where, detail);
    case "FieldValueDuplicate":
      return duplicate(where, value);
    default:
      return new FieldError("FieldValueInvalid", where, value, detail);
  }
}

export function evaluateRules(
  tree: RuleNode,
  value: unknown,
  { old, correlated, path }: { old?: unknown; correlated?: Correlated; path?: FieldPath } = {},
): RuleOutcome {
  const evaluation = new Evaluation(costBudget);
  try {
    evaluation.visit(tree, value, old, path, { current: correlated, parent: undefined });
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return { errors: evaluation.errors, warnings: evaluation.warnings };
}
