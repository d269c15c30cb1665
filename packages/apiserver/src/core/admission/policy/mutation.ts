/**
 * One mutation of a policy: a configuration to apply, or a JSON Patch.
 *
 * Errors  MutationError: the policy's mistake, failurePolicy decides
 * Source  apiserver pkg/admission/plugin/policy/mutating/patch/{smd,json_patch}.go
 */
import {
  type ApplySchema,
  applyJSONPatch,
  formatComplaints,
  type JSONPatchOperation,
  type KubeObject,
  mergeTrees,
  validateTree,
} from "@nanokube/machinery";
import { CelList, CelMap, CelStruct, jsonOf, type Value } from "@nanokube/machinery/cel";
import { BudgetSpent, Evaluation, type Input, policyBudget } from "./evaluation.ts";
import type { Expression } from "./expression.ts";

export class MutationError extends Error {}

/** `Object.spec{selector: Object.spec.wrong{}}`: types say where they belong. */
function misplaced(value: Value, path: string): string | undefined {
  if (value instanceof CelStruct) {
    const { name } = value.celType;
    if (name !== path) {
      const want = "which matches field name path from root Object type";
      return `unexpected type name "${name}", expected "${path}", ${want}`;
    }
    return first([...value.fields].map(([field, each]) => misplaced(each, `${path}.${field}`)));
  }
  if (value instanceof CelList) return first(value.items.map((each) => misplaced(each, path)));
  if (value instanceof CelMap) {
    return first([...value.entries.values()].map(([, each]) => misplaced(each, path)));
  }
  return undefined;
}

const first = (found: (string | undefined)[]) => found.find((each) => each !== undefined);

function atomics(value: unknown, schema: ApplySchema | undefined, path: string): string[] {
  if (schema === undefined || typeof value !== "object" || value === null) return [];
  const found: string[] = [];
  if (schema.kind === "map" && !Array.isArray(value)) {
    if (schema.atomic) found.push(path);
    for (const [name, each] of Object.entries(value)) {
      found.push(...atomics(each, schema.field(name), `${path}.${name}`));
    }
  }
  if (schema.kind === "list" && Array.isArray(value)) {
    if (schema.relation === "atomic") found.push(path);
    for (const [i, each] of value.entries()) {
      found.push(...atomics(each, schema.item, `${path}[${i}]`));
    }
  }
  return found;
}

function merged(value: Value, object: KubeObject, schema: ApplySchema): KubeObject {
  const wrong = misplaced(value, "Object");
  if (wrong !== undefined) throw new MutationError(`type mismatch: ${wrong}`);
  const { apiVersion, kind } = object;
  const config = { ...(jsonOf(value) as KubeObject), apiVersion, kind };
  const complaints = validateTree(config, schema);
  if (complaints.length > 0) {
    const why = `failed to convert patch object to typed object: ${formatComplaints(complaints)}`;
    throw new MutationError(`error applying patch: ${why}`);
  }
  const found = atomics(config, schema, "");
  if (found.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${found.join(", ")}`;
    throw new MutationError(`error applying patch: invalid ApplyConfiguration: ${why}`);
  }
  try {
    return mergeTrees(object, config, schema) as KubeObject;
  } catch (error) {
    const why = (error as Error).message;
    throw new MutationError(`error applying patch: failed to merge patch: ${why}`);
  }
}

function operationOf(value: Value): JSONPatchOperation {
  if (!(value instanceof CelStruct)) throw new MutationError("type mismatch: not a JSONPatch");
  const { fields } = value;
  const given = fields.get("value");
  if (given instanceof CelStruct) {
    const wrong = misplaced(given, given.celType.name);
    if (wrong !== undefined) throw new MutationError(`type mismatch: ${wrong}`);
  }
  const from = fields.get("from");
  return {
    op: fields.get("op") ?? "",
    path: fields.get("path") ?? "",
    ...(from ? { from } : {}),
    ...(given === undefined ? {} : { value: jsonOf(given) }),
  } as JSONPatchOperation;
}

function patched(value: Value, object: KubeObject): KubeObject {
  const operations = (value as CelList).items.map(operationOf);
  try {
    return applyJSONPatch(object, operations);
  } catch (error) {
    const why = (error as Error).message;
    // A test that fails means: not this object.
    if (/^testing value .* failed/.test(why)) return object;
    throw new MutationError(`JSON Patch: ${why}`);
  }
}

export interface Mutation {
  isPatch: boolean;
  expression: Expression;
}

/** The object changed, itself untouched. Needs its apiVersion and kind. */
export function mutated(
  { isPatch, expression }: Mutation,
  input: Input,
  object: KubeObject,
  schema: ApplySchema,
): KubeObject {
  if (expression.program === undefined) throw new MutationError(expression.error ?? "");
  let found: ReturnType<Evaluation["run"]>;
  try {
    found = new Evaluation(input, policyBudget).run(expression);
  } catch (error) {
    if (error instanceof BudgetSpent) throw new MutationError(error.message);
    throw error;
  }
  if ("error" in found) throw new MutationError(found.error);
  return isPatch ? patched(found.value, object) : merged(found.value, object, schema);
}
