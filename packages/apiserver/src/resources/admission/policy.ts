/**
 * Admission policies, validating and mutating: which requests they are about, and what they say.
 *
 * Source  pkg/registry/admissionregistration/{validating,mutating}admissionpolicy,
 *         pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}
 */
import type {
  MutatingAdmissionPolicy,
  ParamKind,
  ValidatingAdmissionPolicy,
} from "@nanokube/api/admissionregistration/v1";
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceStrategy } from "../../core/strategy.ts";
import { type FieldError, type FieldPath, field, invalid, oneOf, required } from "../field.ts";
import { allMetadata, kind } from "../generic.ts";
import { dns1035Label, dns1123Subdomain } from "../names.ts";
import { age, columns, nameOf } from "../table.ts";
import {
  type Names,
  validateAnnotations,
  validateMutation,
  validateValidation,
  validateVariables,
} from "./policy-expressions.ts";
import {
  defaultMatch,
  validateMatch,
  validateMatchConditions,
  validateMutableOperations,
} from "./rules.ts";

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
    if (isMutating) errors.push(...validateMutableOperations(match.resourceRules, at));
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
