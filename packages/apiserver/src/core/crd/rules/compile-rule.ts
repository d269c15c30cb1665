/**
 * One rule of x-kubernetes-validations, compiled for the place in the schema where it stands.
 *
 * Errors  texts for the definition's author, as upstream words them
 * Source  apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go
 */
import {
  compileExpression,
  environmentOf,
  optionalOf,
  type Program,
  type SizedType,
  sizeAlong,
  type TypeSchema,
} from "@nanokube/machinery/cel";
import type { Schema } from "../structural-schema.ts";
import { parseRulePath } from "./rule-path.ts";

export interface Rule {
  rule?: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface CompiledRule {
  rule: Rule;
  program?: Program;
  error?: string;
  usesOldSelf: boolean;
  /** At most, for one evaluation. */
  cost: number;
  messageProgram?: Program;
  messageError?: string;
  messageCost: number;
  /** Where a failure is reported, from the place of the rule. */
  fieldPath?: string;
}

export const asTypes = (schema: Schema): TypeSchema => schema as TypeSchema;

export function compileRule(rule: Rule, type: SizedType, schema: Schema): CompiledRule {
  const compiled: CompiledRule = { rule, usesOldSelf: false, cost: 0, messageCost: 0 };
  const text = rule.rule ?? "";
  if (text.trim() === "") return compiled;
  const before = rule.optionalOldSelf ? optionalOf(type.type) : type.type;
  const environment = environmentOf({
    variables: [
      ["self", type.type],
      ["oldSelf", before],
    ],
  });
  const found = compileExpression(text, environment);
  if ("errors" in found) return { ...compiled, error: `compilation failed: ${found.errors}` };
  const result = "program" in found ? found.program.type : found.type;
  if (result.kind !== "bool") {
    return { ...compiled, error: "cel expression must evaluate to a bool" };
  }
  if ("failure" in found) {
    return { ...compiled, error: `program instantiation failed: ${found.failure}` };
  }
  const { program } = found;
  compiled.usesOldSelf = program.uses("oldSelf");
  compiled.program = program;
  compiled.cost = program.estimateCost((path) => sizeAlong(type, path)).max;
  const message = rule.messageExpression ?? "";
  if (message !== "") {
    const expression = compileExpression(message, environment);
    if ("errors" in expression) {
      compiled.messageError = `messageExpression compilation failed: ${expression.errors}`;
    } else if ("failure" in expression) {
      compiled.messageError = `messageExpression instantiation failed: ${expression.failure}`;
    } else if (expression.program.type.kind !== "string") {
      compiled.messageError = "messageExpression must evaluate to a string";
    } else {
      compiled.messageProgram = expression.program;
      compiled.messageCost = expression.program.estimateCost((path) => sizeAlong(type, path)).max;
    }
    if (compiled.messageError !== undefined) return compiled;
  }
  const path = rule.fieldPath ? parseRulePath(rule.fieldPath, schema) : undefined;
  if (path !== undefined && "path" in path) compiled.fieldPath = path.path;
  return compiled;
}
