/**
 * Compiles a policy's expressions once for every kind it is about, with the kind's own types.
 *
 * Shapes  a warning has one block a kind: "apps/v1, Kind=Deployment: ERROR: …"
 * Source  apiserver pkg/admission/plugin/policy/validating/typechecking.go
 */
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from "@nanokube/api/admissionregistration/v1";
import {
  type AdmissionVariables,
  admissionEnvironment,
  type CelType,
  compileExpression,
  dynType,
  sizedTypeOf,
  type TypeSchema,
} from "@nanokube/machinery/cel";

const typesMax = 10;

export interface Kind {
  group: string;
  version: string;
  kind: string;
}

export interface KindSchema extends Kind {
  /** Without references. */
  schema: TypeSchema;
}

export interface GroupVersionResource {
  group: string;
  version: string;
  resource: string;
}

/** What the rules name; a wildcard names nothing. */
export function resourcesToCheck({ spec }: ValidatingAdmissionPolicy): GroupVersionResource[] {
  const rules = spec?.matchConstraints?.resourceRules ?? [];
  return rules.flatMap(({ apiGroups = [], apiVersions = [], resources = [] }) => {
    const isWild = [...apiGroups, ...apiVersions].some((name) => name.includes("*"));
    if (isWild) return [];
    const named = resources.filter((name) => !/[*/]/u.test(name)).sort();
    const found = [...apiGroups]
      .sort()
      .flatMap((group) =>
        [...apiVersions]
          .sort()
          .flatMap((version) => named.map((resource) => ({ group, version, resource }))),
      );
    return found.slice(0, typesMax);
  });
}

const gvkText = ({ group, version, kind }: Kind): string => `${group}/${version}, Kind=${kind}`;

const byName = (a: Kind, b: Kind): number => {
  const [left, right] = [a, b].map(({ group, version, kind }) => `${group}\0${version}\0${kind}`);
  return left! < right! ? -1 : 1;
};

function variablesOf(
  { spec }: ValidatingAdmissionPolicy,
  declared: AdmissionVariables,
): Map<string, CelType> {
  const types = new Map<string, CelType>();
  for (const { name = "", expression = "" } of spec?.variables ?? []) {
    const environment = admissionEnvironment({ ...declared, variables: new Map(types) });
    const found = compileExpression(expression, environment);
    types.set(name, "program" in found ? found.program.type : dynType);
  }
  return types;
}

export function checkTypes(
  policy: ValidatingAdmissionPolicy,
  kinds: readonly KindSchema[],
  params: KindSchema | undefined,
): ExpressionWarning[] {
  const typeOf = (one: KindSchema | undefined) =>
    one && sizedTypeOf(one.schema, one.kind, true)?.type;
  const environments = [...kinds].sort(byName).map((kind) => {
    const declared: AdmissionVariables = {
      hasParams: policy.spec?.paramKind !== undefined,
      hasAuthorizer: true,
      objectType: typeOf(kind),
      paramsType: typeOf(params),
    };
    const variables = variablesOf(policy, declared);
    return { kind, environment: admissionEnvironment({ ...declared, variables }) };
  });
  const check = (expression: string): string =>
    environments
      .flatMap(({ kind, environment }) => {
        const found = compileExpression(expression, environment);
        return "errors" in found ? [`${gvkText(kind)}: ${found.errors}\n`] : [];
      })
      .join("\n");
  const warnings: ExpressionWarning[] = [];
  for (const [i, { expression = "", messageExpression }] of (
    policy.spec?.validations ?? []
  ).entries()) {
    const at = `spec.validations[${i}]`;
    for (const [name, text] of [
      ["expression", expression],
      ["messageExpression", messageExpression],
    ] as const) {
      const warning = text ? check(text) : "";
      if (warning !== "") warnings.push({ fieldRef: `${at}.${name}`, warning });
    }
  }
  return warnings;
}
