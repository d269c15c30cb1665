/**
 * Whether a webhook or a policy is meant at all, as its matchConditions say.
 *
 * Source  apiserver pkg/admission/plugin/webhook/matchconditions/matcher.go
 */
import type { MatchCondition } from "@nanokube/api/admissionregistration/v1";
import { boolType } from "@nanokube/machinery/cel";
import { aggregateText } from "./aggregate-text.ts";
import { BudgetSpent, Evaluation, type Input, matchConditionsBudget } from "./evaluation.ts";
import { compileFor, type Expression } from "./expression.ts";

export type MatchResult = boolean | { error: string };

export function compileConditions(
  conditions: readonly MatchCondition[],
  hasParams: boolean,
): Expression[] {
  const declared = { hasParams, hasAuthorizer: true };
  return conditions.map(({ expression = "" }) => compileFor(expression, declared, [boolType]));
}

export function meetsConditions(
  conditions: readonly Expression[],
  input: Input,
  failurePolicy: string | undefined,
): MatchResult {
  if (conditions.length === 0) return true;
  const failed = (error: string) => (failurePolicy === "Ignore" ? false : { error });
  const errors: string[] = [];
  try {
    // All are evaluated: a budget that runs out is an error whatever came before.
    const evaluation = new Evaluation(input, matchConditionsBudget);
    const results = conditions.map((condition) => evaluation.run(condition));
    for (const result of results) {
      if ("error" in result) errors.push(result.error);
      else if (result.value === false) return false;
    }
  } catch (error) {
    if (error instanceof BudgetSpent) return failed(error.message);
    throw error;
  }
  return errors.length === 0 ? true : failed(aggregateText(errors));
}
