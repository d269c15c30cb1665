/**
 * Bindings of admission policies: to which objects a policy applies, with which parameters.
 *
 * Source  pkg/registry/admissionregistration/{validating,mutating}admissionpolicybinding,
 *         pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}
 */
import type {
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from "@nanokube/api/admissionregistration/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
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
} from "../field.ts";
import { kind } from "../generic.ts";
import { validateLabelSelector } from "../labels.ts";
import { dns1123Subdomain, pathSegment } from "../names.ts";
import { age, columns, labelSelectorText, nameOf } from "../table.ts";
import { defaultMatch, validateMatch, validateMutableOperations } from "./rules.ts";

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
  if (isMutating)
    return [...errors, ...validateMutableOperations(matchResources?.resourceRules, match)];
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
