/**
 * A policy with its expressions compiled, once for each object that the cache holds.
 *
 * Source  apiserver pkg/admission/plugin/policy/{validating,mutating}/plugin.go compilePolicy
 */
import type {
  MutatingAdmissionPolicy,
  ValidatingAdmissionPolicy,
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
import { compileFor, type Expression, Variables } from "./expression.ts";
import { compileConditions } from "./match-conditions.ts";

export interface CompiledPolicy {
  conditions: Expression[];
  variables: ReadonlyMap<string, Expression>;
}

export interface CompiledValidations extends CompiledPolicy {
  validations: { check: Expression; message: Expression | undefined }[];
  annotations: { key: string; value: Expression }[];
}

export interface CompiledMutations extends CompiledPolicy {
  mutations: { isPatch: boolean; expression: Expression }[];
}

const compiledOf = new WeakMap<object, CompiledValidations | CompiledMutations>();

function once<C extends CompiledValidations | CompiledMutations>(policy: object, make: () => C): C {
  let compiled = compiledOf.get(policy) as C | undefined;
  if (compiled === undefined) {
    compiled = make();
    compiledOf.set(policy, compiled);
  }
  return compiled;
}

interface Spec {
  paramKind?: unknown;
  matchConditions?: { name?: string; expression?: string }[];
  variables?: { name?: string; expression?: string }[];
}

function common(spec: Spec, hasPatchTypes: boolean) {
  const declared = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true, hasPatchTypes };
  const variables = new Variables();
  for (const { name = "", expression = "" } of spec.variables ?? []) {
    variables.add(name, expression, declared, dynType);
  }
  return {
    declared: { ...declared, variables: variables.types },
    compiled: {
      conditions: compileConditions((spec.matchConditions ?? []) as never, declared.hasParams),
      variables: variables.expressions,
    },
  };
}

export function compileValidations(policy: ValidatingAdmissionPolicy): CompiledValidations {
  return once(policy, () => {
    const spec = policy.spec ?? {};
    const { declared, compiled } = common(spec as Spec, false);
    const forMessages = { ...declared, hasAuthorizer: false };
    return {
      ...compiled,
      validations: (spec.validations ?? []).map(({ expression = "", messageExpression }) => ({
        check: compileFor(expression, declared, [boolType]),
        message: messageExpression
          ? compileFor(messageExpression, forMessages, [stringType])
          : undefined,
      })),
      annotations: (spec.auditAnnotations ?? []).map(({ key = "", valueExpression = "" }) => ({
        key,
        value: compileFor(valueExpression, declared, [stringType, nullType]),
      })),
    };
  });
}

export function compileMutations(policy: MutatingAdmissionPolicy): CompiledMutations {
  return once(policy, () => {
    const spec = policy.spec ?? {};
    const { declared, compiled } = common(spec as Spec, true);
    return {
      ...compiled,
      mutations: (spec.mutations ?? []).map(
        ({ jsonPatch, applyConfiguration, patchType: type }) => {
          const isPatch = type === "JSONPatch";
          const text = (isPatch ? jsonPatch : applyConfiguration)?.expression ?? "";
          const returns = isPatch ? listOf(patchType) : objectType;
          return { isPatch, expression: compileFor(text, declared, [returns]) };
        },
      ),
    };
  });
}
