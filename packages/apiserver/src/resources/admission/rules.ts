/**
 * Which requests webhooks and policies are about: rules, selectors, match conditions.
 *
 * Source  pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}
 */
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "@nanokube/api/admissionregistration/v1";
import { internalFieldError } from "@nanokube/machinery";
import type { AdmissionVariables as Declared } from "@nanokube/machinery/cel";
import { boolType, type CelType } from "@nanokube/machinery/cel";
import { compileFor, type Expression } from "../../core/admission/policy/expression.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  invalid,
  oneOf,
  required,
  tooMany,
} from "../field.ts";
import { validateLabelSelector } from "../labels.ts";
import { pathSegment, qualifiedName } from "../names.ts";

/** Stars must not say again what others say. */
function validateResources(resources: readonly string[], path: FieldPath): FieldError[] {
  if (resources.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const whole = new Set<string>();
  const everywhere = new Set<string>();
  let lastIsPlain = false;
  for (const [i, text] of resources.entries()) {
    const at = path.index(i);
    const slash = text.indexOf("/");
    if (text === "") errors.push(required(at));
    else if (slash < 0) lastIsPlain = text !== "*";
    if (slash < 0) continue;
    const [resource, sub] = [text.slice(0, slash), text.slice(slash + 1)];
    const clash = (star: string) =>
      errors.push(invalid(at, text, `if '${star}' is present, must not specify ${text}`));
    if (whole.has(resource)) clash(`${resource}/*`);
    if (everywhere.has(sub)) clash(`*/${sub}`);
    if (sub === "*") whole.add(resource);
    if (resource === "*") everywhere.add(sub);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && lastIsPlain) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(path, resources, why));
  }
  return errors;
}

export function validateRule(rule: RuleWithOperations, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const list = (name: "operations" | "apiGroups" | "apiVersions") => {
    const values = rule[name] ?? [];
    if (values.length === 0) errors.push(required(path.child(name)));
    if (values.includes("*") && values.length > 1) {
      const why =
        "if '*' is present, must not specify other " +
        (name === "operations"
          ? "operations"
          : name === "apiGroups"
            ? "API groups"
            : "API versions");
      errors.push(invalid(path.child(name), values, why));
    }
    return values;
  };
  const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
  for (const [i, operation] of list("operations").entries()) {
    errors.push(...oneOf(path.child("operations").index(i), operation, operations));
  }
  for (const name of ["apiGroups", "apiVersions"] as const) list(name);
  errors.push(...validateResources(rule.resources ?? [], path.child("resources")));
  for (const [i, version] of (rule.apiVersions ?? []).entries()) {
    if (version === "") errors.push(required(path.child("apiVersions").index(i)));
  }
  if (rule.scope !== undefined) {
    errors.push(...oneOf(path.child("scope"), rule.scope, ["*", "Cluster", "Namespaced"]));
  }
  return errors;
}

export function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) {
    rule.scope ??= "*";
  }
}

function validateNamedRule(rule: NamedRuleWithOperations, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    const at = path.child("resourceNames").index(i);
    errors.push(...check(at, name, pathSegment));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  return [...errors, ...validateRule(rule, path)];
}

export function validateMatch(match: MatchResources | undefined, path: FieldPath): FieldError[] {
  if (match === undefined) return [];
  const errors = oneOf(path.child("matchPolicy"), match.matchPolicy, ["Equivalent", "Exact"]);
  errors.push(...validateLabelSelector(match.namespaceSelector, path.child("namespaceSelector")));
  errors.push(...validateLabelSelector(match.objectSelector, path.child("objectSelector")));
  for (const name of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [i, rule] of (match[name] ?? []).entries()) {
      errors.push(...validateNamedRule(rule, path.child(name).index(i)));
    }
  }
  return errors;
}

/** What is wrong with an expression, if anything. */
export function expressionErrors({ text, error }: Expression, path: FieldPath): FieldError[] {
  if (error === undefined) return [];
  return error.startsWith("program instantiation failed")
    ? [internalFieldError(path, new Error(error))]
    : [invalid(path, text, error)];
}

export function validateExpression(
  text: string,
  declared: Declared,
  returns: readonly CelType[],
  path: FieldPath,
): FieldError[] {
  return expressionErrors(compileFor(text, declared, returns), path);
}

export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  hasParams: boolean,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  if (conditions.length > 64) errors.push(tooMany(path, conditions.length, 64));
  for (const [i, { name = "", expression = "" }] of conditions.entries()) {
    const at = path.index(i);
    const text = expression.trim();
    const declared = { hasParams, hasAuthorizer: true };
    if (text === "") errors.push(required(at.child("expression")));
    else errors.push(...validateExpression(text, declared, [boolType], at.child("expression")));
    if (name === "") errors.push(required(at.child("name")));
    else {
      errors.push(...check(at.child("name"), name, qualifiedName));
      if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
      seen.add(name);
    }
  }
  return errors;
}

/** A mutation has nothing to change in what is deleted. */
export function validateMutableOperations(
  rules: readonly { operations?: string[] }[] | undefined,
  path: FieldPath,
): FieldError[] {
  const at = path.child("resourceRules").child("operations");
  return (rules ?? []).flatMap(({ operations = [] }) =>
    operations.flatMap((operation) => oneOf(at, operation, ["*", "CONNECT", "CREATE", "UPDATE"])),
  );
}
