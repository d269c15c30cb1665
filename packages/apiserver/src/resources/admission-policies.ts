/**
 * Admission policies and their bindings.
 *
 * Source  pkg/registry/admissionregistration/{validating,mutating}admissionpolicy{,binding},
 *         pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}
 */
import type {
  AuditAnnotation,
  MutatingAdmissionPolicy,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
  Variable,
} from "@nanokube/api/admissionregistration/v1";
import type { KubeObject } from "@nanokube/machinery";
import {
  boolType,
  dynType,
  listOf,
  nullType,
  admissionObjectType as objectType,
  admissionPatchType as patchType,
  stringType,
} from "@nanokube/machinery/cel";
import { Variables } from "../core/admission/policy/expression.ts";
import type { ResourceStrategy } from "../core/strategy.ts";
import {
  defaultMatch,
  expressionErrors,
  validateExpression,
  validateMatch,
  validateMatchConditions,
} from "./admission-rules.ts";
import {
  check,
  duplicate,
  type FieldError,
  type FieldPath,
  field,
  forbidden,
  invalid,
  notSupported,
  oneOf,
  required,
} from "./field.ts";
import { allMetadata, kind } from "./generic.ts";
import { validateLabelSelector } from "./labels.ts";
import { dns1035Label, dns1123Subdomain, pathSegment, qualifiedName } from "./names.ts";
import { age, columns, labelSelectorText, nameOf } from "./table.ts";

/** What the expressions of one policy may name. */
interface Names {
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
const mutable = ["*", "CONNECT", "CREATE", "UPDATE"];
const maxAnnotations = 20;
const maxValueBytes = 5 * 1024;

function validateParamKind({ apiVersion = "", kind: name = "" }: ParamKind, path: FieldPath) {
  const errors: FieldError[] = [];
  const at = path.child("apiVersion");
  const parts = apiVersion.split("/");
  if (apiVersion === "") errors.push(required(at));
  else if (parts.length > 2) {
    errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const [group, version] = parts.length === 1 ? ["", parts[0]!] : [parts[0]!, parts[1]!];
    const wrongGroup = group === "" ? [] : dns1123Subdomain(group);
    if (wrongGroup.length > 0) errors.push(invalid(at, group, wrongGroup.join(",")));
    const wrong = dns1035Label(version);
    if (version === "") errors.push(invalid(at, apiVersion, "version must be specified"));
    else if (wrong.length > 0) errors.push(invalid(at, version, wrong.join(",")));
  }
  const wrong = dns1035Label(name.toLowerCase());
  if (name === "") errors.push(required(path.child("kind")));
  else if (wrong.length > 0) {
    const why = "may have mixed case, but should otherwise match: ";
    errors.push(invalid(path.child("kind"), name, `${why}${wrong.join(",")}`));
  }
  return errors;
}

function validateVariables(
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

function validateValidation(validation: Validation, names: Names, path: FieldPath): FieldError[] {
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

function validateAnnotations(
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

function validateMutation(mutation: Mutation, names: Names, path: FieldPath): FieldError[] {
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

type AnyPolicy = ValidatingAdmissionPolicy & MutatingAdmissionPolicy;

function validatePolicy(policy: AnyPolicy, isMutating: boolean): FieldError[] {
  const spec = policy.spec ?? {};
  const path = field("spec");
  const { paramKind, matchConstraints: match } = spec;
  const errors = oneOf(path.child("failurePolicy"), spec.failurePolicy, ["Fail", "Ignore"]);
  if (paramKind !== undefined) {
    errors.push(...validateParamKind(paramKind, path.child("paramKind")));
  }
  const at = path.child("matchConstraints");
  if (match === undefined) errors.push(required(at));
  else {
    errors.push(...validateMatch(match, at));
    if ((match.resourceRules ?? []).length === 0) errors.push(required(at.child("resourceRules")));
    if (isMutating) errors.push(...onlyMutable(match.resourceRules, at));
  }
  const names = {
    hasParams: paramKind !== undefined,
    hasAuthorizer: true,
    hasPatchTypes: isMutating,
  };
  const conditions = path.child("matchConditions");
  const hasParams = paramKind !== undefined;
  errors.push(...validateMatchConditions(spec.matchConditions ?? [], hasParams, conditions));
  const variables = validateVariables(spec.variables ?? [], names, path.child("variables"));
  errors.push(...variables.errors);
  const known = { ...names, variables: variables.known.types };
  const rest = isMutating ? validateMutations : validateValidations;
  return [...errors, ...rest(policy, known, path)];
}

function onlyMutable(
  rules: { operations?: string[] }[] | undefined,
  path: FieldPath,
): FieldError[] {
  const at = path.child("resourceRules").child("operations");
  return (rules ?? []).flatMap(({ operations = [] }) =>
    operations.flatMap((operation) => oneOf(at, operation, mutable)),
  );
}

function validateValidations(policy: AnyPolicy, names: Names, path: FieldPath): FieldError[] {
  const { validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const at = path.child("validations");
  const annotations = path.child("auditAnnotations");
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    return [required(at, why), required(annotations, why)];
  }
  return [
    ...validations.flatMap((each, i) => validateValidation(each, names, at.index(i))),
    ...validateAnnotations(auditAnnotations, policy.metadata?.name ?? "", names, annotations),
  ];
}

function validateMutations(policy: AnyPolicy, names: Names, path: FieldPath): FieldError[] {
  const { mutations = [], reinvocationPolicy = "" } = policy.spec ?? {};
  const at = path.child("mutations");
  const errors =
    mutations.length === 0
      ? [required(at, "mutations must contain at least one item")]
      : mutations.flatMap((each, i) => validateMutation(each, names, at.index(i)));
  const again = path.child("reinvocationPolicy");
  if (reinvocationPolicy === "") return [...errors, required(again)];
  return [...errors, ...oneOf(again, reinvocationPolicy, ["IfNeeded", "Never"])];
}

export function policyKind(expressions: "validations" | "mutations"): ResourceStrategy {
  const isMutating = expressions === "mutations";
  const title = isMutating ? "Mutations" : "Validations";
  const validate = (object: KubeObject) => validatePolicy(object as AnyPolicy, isMutating);
  return kind(
    {
      finalizers: "plain",
      updateMeta: ["whole"],
      status: !isMutating,
      statusKeeps: allMetadata,
      generation: ["spec"],
    },
    {
      default(object) {
        const { spec } = object as AnyPolicy;
        if (spec === undefined) return;
        spec.failurePolicy ??= "Fail";
        defaultMatch(spec.matchConstraints);
      },
      validate,
      validateUpdate: (object, _old, { subresource }) =>
        subresource === "" ? validate(object) : [],
      allowUnconditionalUpdate: false,
      columns: columns(`Name, ${title}:integer, ParamKind, Age`),
      row(object, now) {
        const { spec } = object as AnyPolicy;
        const param = spec?.paramKind;
        return [
          nameOf(object),
          (spec?.[expressions] ?? []).length,
          param === undefined ? "<unset>" : `${param.apiVersion}/${param.kind}`,
          age(object, now),
        ];
      },
    },
  );
}

function paramText(binding: ValidatingAdmissionPolicyBinding): string {
  const ref = binding.spec?.paramRef;
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector === undefined ? "<unset>" : labelSelectorText(ref.selector);
}

function validateParamRef(ref: ParamRef | undefined, path: FieldPath): FieldError[] {
  if (ref === undefined) return [];
  const { name = "", selector, parameterNotFoundAction: action = "" } = ref;
  const errors: FieldError[] = [];
  const why = "name and selector are mutually exclusive";
  if (name !== "") {
    errors.push(...check(path.child("name"), name, pathSegment));
    if (selector !== undefined) errors.push(forbidden(path.child("name"), why));
  }
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(selector, path.child("selector")));
    if (name !== "") errors.push(forbidden(path.child("selector"), why));
  }
  if (name === "" && selector === undefined) {
    errors.push(required(path, "one of name or selector must be specified"));
  }
  const at = path.child("parameterNotFoundAction");
  if (action === "") return [...errors, required(at)];
  const actions = ["Deny", "Allow"];
  return actions.includes(action) ? errors : [...errors, notSupported(at, action, actions)];
}

function validateActions(actions: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, action] of actions.entries()) {
    errors.push(...oneOf(path.index(i), action, ["Audit", "Deny", "Warn"]));
    if (seen.has(action)) errors.push(duplicate(path.index(i), action));
    seen.add(action);
  }
  if (seen.has("Deny") && seen.has("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure " +
      "information in the API response and headers serves no purpose)";
    errors.push(invalid(path, actions, why));
  }
  if (seen.size === 0) {
    errors.push(required(path, "at least one validation action is required"));
  }
  return errors;
}

function validateBinding(
  { spec = {} }: ValidatingAdmissionPolicyBinding,
  isMutating: boolean,
): FieldError[] {
  const path = field("spec");
  const { policyName = "", paramRef, matchResources } = spec;
  const at = path.child("policyName");
  const errors = policyName === "" ? [required(at)] : check(at, policyName, dns1123Subdomain);
  errors.push(...validateParamRef(paramRef, path.child("paramRef")));
  const match = path.child("matchResources");
  errors.push(...validateMatch(matchResources, match));
  if (isMutating) return [...errors, ...onlyMutable(matchResources?.resourceRules, match)];
  const actions = path.child("validationActions");
  return [...errors, ...validateActions(spec.validationActions ?? [], actions)];
}

export function bindingKind(isMutating: boolean): ResourceStrategy {
  const validate = (object: KubeObject) =>
    validateBinding(object as ValidatingAdmissionPolicyBinding, isMutating);
  return kind(
    { finalizers: "plain", updateMeta: ["whole"], generation: ["spec"] },
    {
      default: (object) =>
        defaultMatch((object as ValidatingAdmissionPolicyBinding).spec?.matchResources),
      validate,
      validateUpdate: validate,
      allowUnconditionalUpdate: false,
      columns: columns("Name, PolicyName, ParamRef, Age"),
      row: (object, now) => [
        nameOf(object),
        (object as ValidatingAdmissionPolicyBinding).spec?.policyName ?? "",
        paramText(object as ValidatingAdmissionPolicyBinding),
        age(object, now),
      ],
    },
  );
}
