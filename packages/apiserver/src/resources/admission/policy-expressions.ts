/**
 * What a policy says in CEL: variables, validations, audit annotations, mutations.
 *
 * Errors  upstream's, at the field; an expression's own are those of its compiler
 * Source  pkg/apis/admissionregistration/validation/validation.go
 */
import type {
  AuditAnnotation,
  Mutation,
  Validation,
  Variable,
} from "@nanokube/api/admissionregistration/v1";
import {
  boolType,
  dynType,
  listOf,
  nullType,
  admissionObjectType as objectType,
  admissionPatchType as patchType,
  stringType,
} from "@nanokube/machinery/cel";
import { Variables } from "../../core/admission/policy/expression.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  invalid,
  notSupported,
  oneOf,
  required,
} from "../field.ts";
import { qualifiedName } from "../names.ts";
import { expressionErrors, validateExpression } from "./rules.ts";

/** What the expressions of one policy may name. */
export interface Names {
  hasParams: boolean;
  hasAuthorizer: boolean;
  hasPatchTypes: boolean;
  variables: Variables["types"];
}

const reserved = new Set(
  (
    "true false null in as break const continue else for function if import let loop package " +
    "namespace return var void while"
  ).split(" "),
);
const maxAnnotations = 20;
const maxValueBytes = 5 * 1024;

export function validateVariables(
  variables: readonly Variable[],
  names: Omit<Names, "variables">,
  path: FieldPath,
): { errors: FieldError[]; known: Variables } {
  const errors: FieldError[] = [];
  const known = new Variables();
  for (const [i, { name = "", expression = "" }] of variables.entries()) {
    const at = path.index(i);
    if (name.trim() === "") errors.push(required(at.child("name"), "name is not specified"));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name)) {
      errors.push(invalid(at.child("name"), name, "must be a valid CEL identifier"));
    }
    if (expression.trim() === "") {
      errors.push(required(at.child("expression"), "expression is not specified"));
    } else {
      const added = known.add(name, expression, names, dynType);
      errors.push(...expressionErrors(added, at.child("expression")));
    }
  }
  return { errors, known };
}

export function validateValidation(
  validation: Validation,
  names: Names,
  path: FieldPath,
): FieldError[] {
  const { expression = "", message = "", messageExpression = "", reason } = validation;
  const errors: FieldError[] = [];
  const at = path.child("expression");
  if (expression.trim() === "") errors.push(required(at, "expression is not specified"));
  else errors.push(...validateExpression(expression, names, [boolType], at));
  const said = path.child("messageExpression");
  if (messageExpression !== "" && messageExpression.trim() === "") {
    errors.push(invalid(said, messageExpression, "must be non-empty if specified"));
  } else if (messageExpression !== "") {
    const without = { ...names, hasAuthorizer: false };
    errors.push(...validateExpression(messageExpression, without, [stringType], said));
  }
  if (message !== "" && message.trim() === "") {
    errors.push(invalid(path.child("message"), message, "must be non-empty if specified"));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(path.child("message"), message, "must not contain line breaks"));
  }
  if (reason !== undefined) {
    const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
    errors.push(...oneOf(path.child("reason"), reason, reasons));
  }
  return errors;
}

export function validateAnnotations(
  annotations: readonly AuditAnnotation[],
  policy: string,
  names: Names,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  if (annotations.length > maxAnnotations) {
    const why = `must not have more than ${maxAnnotations} auditAnnotations`;
    errors.push(invalid(path, annotations, why));
  }
  for (const [i, { key = "", valueExpression = "" }] of annotations.entries()) {
    const at = path.index(i).child("key");
    const value = path.index(i).child("valueExpression");
    if (policy !== "") errors.push(...check(at, `${policy}/${key}`, qualifiedName));
    else errors.push(invalid(at, key, "requires metadata.name be non-empty"));
    const text = valueExpression.trim();
    if (text === "") errors.push(required(value, "valueExpression is not specified"));
    else if (new TextEncoder().encode(text).length > maxValueBytes) {
      errors.push(required(value, `must not exceed ${maxValueBytes} bytes in length`));
    } else {
      errors.push(...validateExpression(text, names, [stringType, nullType], value));
    }
    if (seen.has(key)) errors.push(duplicate(at, key));
    seen.add(key);
  }
  return errors;
}

export function validateMutation(mutation: Mutation, names: Names, path: FieldPath): FieldError[] {
  const { patchType: type = "" } = mutation;
  if (type === "") return [required(path.child("patchType"))];
  if (type !== "JSONPatch" && type !== "ApplyConfiguration") {
    return [notSupported(path.child("patchType"), type, ["ApplyConfiguration", "JSONPatch"])];
  }
  const isPatch = type === "JSONPatch";
  const own = isPatch ? "jsonPatch" : "applyConfiguration";
  const other = isPatch ? "applyConfiguration" : "jsonPatch";
  const errors: FieldError[] = [];
  const given = mutation[own];
  if (given === undefined) {
    errors.push(required(path.child(own), `must be specified when patchType is ${type}`));
  } else {
    const at = path.child(own).child("expression");
    const text = (given.expression ?? "").trim();
    const returns = isPatch ? listOf(patchType) : objectType;
    if (text === "") errors.push(required(at));
    else errors.push(...validateExpression(text, names, [returns], at));
  }
  if (mutation[other] !== undefined) {
    const why = `must not be specified when patchType is ${type}`;
    errors.push(invalid(path.child(other), `{${other}}`, why));
  }
  return errors;
}
