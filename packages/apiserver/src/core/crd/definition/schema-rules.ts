/**
 * The rules of x-kubernetes-validations at one place of a definition: their form, whether they
 * compile, what they may cost.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 */
import {
  type FieldError,
  type FieldPath,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@nanokube/machinery";
import { type CompiledRule, compileRule, type Rule } from "../rules/compile-rule.ts";
import { parseRulePath } from "../rules/rule-path.ts";
import type { Schema } from "../structural-schema.ts";
import {
  costMessage,
  costOfAll,
  ruleCostMax,
  type SchemaContext,
  typeOfSchema,
} from "./schema-context.ts";

const reasons = [
  "FieldValueDuplicate",
  "FieldValueForbidden",
  "FieldValueInvalid",
  "FieldValueRequired",
];

const hasBreak = (text: string): boolean => /[\n\r]/u.test(text);

export function rulesOf(schema: Schema): Rule[] {
  return (schema["x-kubernetes-validations"] ?? []) as Rule[];
}

export function validateRuleForms(schema: Schema, path: FieldPath): FieldError[] {
  return rulesOf(schema).flatMap((rule, i) => {
    const at = path.child("x-kubernetes-validations").index(i);
    return [...ruleForm(rule, at), ...placeForm(rule, at, schema)];
  });
}

function ruleForm(rule: Rule, at: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const text = (rule.rule ?? "").trim();
  const message = rule.message ?? "";
  if (text === "") errors.push(required(at.child("rule"), "rule is not specified"));
  else if (message !== "" && message.trim() === "") {
    errors.push(invalidValue(at.child("message"), message, "must be non-empty if specified"));
  } else if (hasBreak(message.trim())) {
    errors.push(invalidValue(at.child("message"), message, "must not contain line breaks"));
  } else if (hasBreak(text) && message.trim() === "") {
    const why = "message must be specified if rule contains line breaks";
    errors.push(required(at.child("message"), why));
  }
  const expression = rule.messageExpression ?? "";
  if (expression !== "" && expression.trim() === "") {
    const why = "messageExpression must be non-empty if specified";
    errors.push(required(at.child("messageExpression"), why));
  }
  return errors;
}

function placeForm(rule: Rule, at: FieldPath, schema: Schema): FieldError[] {
  const errors: FieldError[] = [];
  if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
    errors.push(notSupported(at.child("reason"), rule.reason, reasons));
  }
  const path = rule.fieldPath ?? "";
  const place = at.child("fieldPath");
  if (path !== "" && path.trim() === "") {
    errors.push(invalidValue(place, path, "must be non-empty if specified"));
  }
  if (hasBreak(path)) errors.push(invalidValue(place, path, "must not contain line breaks"));
  if (path !== "" && "error" in parseRulePath(path, schema)) {
    errors.push(invalidValue(place, path, "must be a valid path"));
  }
  return errors;
}

export interface RuleOptions {
  /** The place above which old and new elements do not correspond. */
  uncorrelated: FieldPath | undefined;
  /** The version's schema has not changed: what it costs was accepted before. */
  ignoresCost: boolean;
}

export function compileRules(
  schema: Schema,
  path: FieldPath,
  context: SchemaContext,
  options: RuleOptions,
): FieldError[] {
  const rules = rulesOf(schema);
  if (rules.length === 0) return [];
  const type = typeOfSchema(schema, context);
  const list = path.child("x-kubernetes-validations");
  if (type === undefined) {
    const why =
      "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
    return [invalidValue(list, "", why)];
  }
  return rules.flatMap((rule, i) => {
    const compiled = compileRule(rule, type, schema);
    const at = list.index(i);
    const cost = costOfAll(compiled.cost, context, type);
    const errors: FieldError[] = [];
    if (!options.ignoresCost && cost > ruleCostMax) {
      const why = costMessage("estimated rule cost", cost, ruleCostMax);
      errors.push(forbiddenField(at.child("rule"), why));
    }
    context.total.observe(at.child("rule"), cost);
    if (compiled.error !== undefined) {
      errors.push(invalidValue(at.child("rule"), shown(rule), compiled.error));
    }
    return [
      ...errors,
      ...messageErrors(compiled, at, context, options),
      ...oldSelfErrors(compiled, at, options),
    ];
  });
}

/** As the rule's Go struct is written: all its fields. */
function shown(rule: Rule): unknown {
  return {
    Rule: rule.rule ?? "",
    Message: rule.message ?? "",
    MessageExpression: rule.messageExpression ?? "",
    Reason: rule.reason ?? null,
    FieldPath: rule.fieldPath ?? "",
    OptionalOldSelf: rule.optionalOldSelf ?? null,
  };
}

function messageErrors(
  compiled: CompiledRule,
  at: FieldPath,
  context: SchemaContext,
  options: RuleOptions,
): FieldError[] {
  const place = at.child("messageExpression");
  if (compiled.messageError !== undefined) {
    return [invalidValue(place, shown(compiled.rule), compiled.messageError)];
  }
  if (compiled.messageProgram === undefined) return [];
  context.total.observe(place, compiled.messageCost);
  if (options.ignoresCost || compiled.messageCost <= ruleCostMax) return [];
  const why = costMessage("estimated messageExpression cost", compiled.messageCost, ruleCostMax);
  return [forbiddenField(place, why)];
}

function oldSelfErrors(compiled: CompiledRule, at: FieldPath, options: RuleOptions): FieldError[] {
  const { rule, usesOldSelf } = compiled;
  if (usesOldSelf) {
    if (options.uncorrelated === undefined) return [];
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${options.uncorrelated}`;
    return [invalidValue(at.child("rule"), rule.rule, why)];
  }
  if (rule.optionalOldSelf === undefined) return [];
  const why = "may not be set if oldSelf is not used in rule";
  return [invalidValue(at.child("optionalOldSelf"), rule.optionalOldSelf, why)];
}
