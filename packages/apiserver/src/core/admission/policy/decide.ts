/**
 * What a validating policy says about one request with one parameter.
 *
 * Source  apiserver pkg/admission/plugin/policy/validating/validator.go
 */
import type { ValidatingAdmissionPolicy } from "@nanokube/api/admissionregistration/v1";
import type { CompiledValidations } from "./compiled-policy.ts";
import { BudgetSpent, Evaluation, type Input, policyBudget } from "./evaluation.ts";
import type { Expression } from "./expression.ts";
import { meetsConditions } from "./match-conditions.ts";

export interface Denial {
  /** Of the expression. */
  index: number;
  message: string;
  reason: string;
}

export interface Decision {
  denials: Denial[];
  /** For the audit log. */
  annotations: { key: string; value: string }[];
  /** Denied whatever the binding's actions are. */
  failures: string[];
}

const messageBytesMax = 5 * 1024;
const valueBytesMax = 10 * 1024;

function usable(text: unknown): string {
  if (typeof text !== "string") return "";
  const trimmed = text.trim();
  const isTooLong = new TextEncoder().encode(trimmed).length > messageBytesMax;
  return isTooLong || trimmed.includes("\n") ? "" : trimmed;
}

export function decide(
  policy: ValidatingAdmissionPolicy,
  compiled: CompiledValidations,
  given: Input,
): Decision {
  const { failurePolicy, validations = [] } = policy.spec ?? {};
  const decision: Decision = { denials: [], annotations: [], failures: [] };
  const isLenient = failurePolicy === "Ignore";
  const error = (index: number, message: string) => {
    if (!isLenient) decision.denials.push({ index, message, reason: "" });
  };
  const isMet = meetsConditions(compiled.conditions, given, failurePolicy);
  if (isMet === false) return decision;
  if (isMet !== true) {
    error(0, isMet.error);
    return decision;
  }
  const input = { ...given, variables: compiled.variables };
  const stop = (spent: unknown): Decision => {
    if (!(spent instanceof BudgetSpent)) throw spent;
    decision.denials.length = 0;
    error(0, spent.message);
    return decision;
  };
  try {
    const evaluation = new Evaluation(input, policyBudget);
    const results = compiled.validations.map(({ check }) => evaluation.run(check));
    const messages = messagesOf(compiled, input, evaluation.budget);
    for (const [i, result] of results.entries()) {
      if ("error" in result) error(i, result.error);
      else if (typeof messages === "string") error(i, `failed messageExpression: ${messages}`);
      else if (result.value !== true) {
        const { message = "", expression = "", reason } = validations[i]!;
        const text = messages[i] || message.trim() || `failed expression: ${expression.trim()}`;
        decision.denials.push({ index: i, message: text, reason: reason ?? "Invalid" });
      }
    }
  } catch (spent) {
    return stop(spent);
  }
  try {
    annotate(compiled.annotations, input, isLenient, decision);
  } catch (spent) {
    return stop(spent);
  }
  return decision;
}

/** A text: the budget did not suffice. */
function messagesOf(
  { validations }: CompiledValidations,
  { authorize: _, ...input }: Input,
  budget: number,
): string[] | string {
  const evaluation = new Evaluation({ ...input, authorize: undefined }, budget);
  try {
    return validations.map(({ message }) => {
      if (message === undefined) return "";
      const found = evaluation.run(message);
      return "value" in found ? usable(found.value) : "";
    });
  } catch (error) {
    if (error instanceof BudgetSpent) return error.message;
    throw error;
  }
}

function annotate(
  annotations: readonly { key: string; value: Expression }[],
  { authorize: _, ...input }: Input,
  isLenient: boolean,
  decision: Decision,
): void {
  const evaluation = new Evaluation({ ...input, authorize: undefined }, policyBudget);
  for (const { key, value } of annotations) {
    const found = evaluation.run(value);
    if ("error" in found) {
      if (!isLenient) decision.failures.push(found.error);
    } else if (typeof found.value === "string" && found.value.trim() !== "") {
      decision.annotations.push({ key, value: found.value.trim().slice(0, valueBytesMax) });
    }
  }
}
