/**
 * matchConditions of an authorization webhook: CEL over the SubjectAccessReview it would be asked.
 *
 * Shapes  `request` is the review's spec with every text member there, also when empty
 * Errors  an Error, worded as upstream's: the webhook's failurePolicy decides
 * Source  apiserver pkg/authorization/cel/{compile,matcher}.go
 */
import {
  boolType,
  type CelType,
  compileExpression,
  environmentOf,
  isCelError,
  listOf,
  mapOf,
  type Program,
  plainValue,
  stringType,
  struct,
  typeText,
} from "@nanokube/machinery/cel";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { selectorsOf } from "./selectors.ts";

export interface MatchCondition {
  text: string;
  program: Program;
}

const perCallCostMax = 1_000_000;
const texts = listOf(stringType);

const named = (name: string, fields: Record<string, CelType>): CelType =>
  struct(`kubernetes.${name}`, new Map(Object.entries(fields)));
const words = (...names: string[]): Record<string, CelType> =>
  Object.fromEntries(names.map((name) => [name, stringType]));

const requirement = named("SelectorRequirement", { ...words("key", "operator"), values: texts });
const selector = (name: string) =>
  named(name, { rawSelector: stringType, requirements: listOf(requirement) });
const attributesType = named("ResourceAttributes", {
  ...words("namespace", "verb", "group", "version", "resource", "subresource", "name"),
  fieldSelector: selector("FieldSelectorAttributes"),
  labelSelector: selector("LabelSelectorAttributes"),
});
const specType = named("SubjectAccessReviewSpec", {
  resourceAttributes: attributesType,
  nonResourceAttributes: named("NonResourceAttributes", words("path", "verb")),
  ...words("user", "uid"),
  groups: texts,
  extra: mapOf(stringType, texts),
});
const environment = environmentOf({ variables: [["request", specType]] });

export function compileCondition(text: string): MatchCondition | { error: string } {
  const found = compileExpression(text, environment);
  if ("errors" in found) return { error: `compilation failed: ${found.errors}` };
  const type = "program" in found ? found.program.type : found.type;
  const got = type.kind === "null" ? "null_type" : typeText(type);
  if (got !== typeText(boolType)) return { error: `must evaluate to bool but got ${got}` };
  if ("failure" in found) return { error: `program instantiation failed: ${found.failure}` };
  return { text, program: found.program };
}

function shown(attributes: AuthorizationAttributes): object {
  const { user, verb, path, namespace, apiGroup, apiVersion } = attributes;
  const { resource, subresource, name } = attributes;
  const group = apiGroup;
  const version = apiVersion;
  const target = attributes.resourceRequest
    ? {
        resourceAttributes: {
          ...{ namespace, verb, group, version, resource, subresource, name },
          ...selectorsOf(attributes.narrowed ?? {}),
        },
      }
    : { nonResourceAttributes: { path, verb } };
  const { groups, uid = "", extra = {} } = user;
  return { user: user.name, groups: [...groups], uid, extra, ...target };
}

/** One that is false is enough; an error counts when none is. @throws Error */
export function meetsAll(
  conditions: readonly MatchCondition[],
  attributes: AuthorizationAttributes,
): boolean {
  const request = plainValue(shown(attributes));
  const errors: string[] = [];
  for (const { text, program } of conditions) {
    const scope = (name: string) => (name === "request" ? request : undefined);
    const { value } = program.evaluate(scope, perCallCostMax);
    if (value === false) return false;
    if (value === true) continue;
    const why = isCelError(value) ? value.message : "the value is no boolean";
    errors.push(`cel evaluation error: expression '${text}' resulted in error: ${why}`);
  }
  if (errors.length === 0) return true;
  throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`);
}
