/**
 * Whether an answer is the model's, and simpler forms of an operation for the shrinker.
 */
import { boundBytes } from "./checks.ts";
import type { ModelReply } from "./model.ts";
import type { Operation, Query, Reply, Step } from "./operation.ts";

export function isAsExpected(expected: Reply, actual: Reply): boolean {
  if ("sizeBytes" in expected) {
    if (!("sizeBytes" in actual)) return false;
    const bound = boundBytes(expected.sizeBytes);
    return actual.sizeBytes <= bound && actual.heapBytes <= bound;
  }
  return JSON.stringify(expected) === JSON.stringify(actual);
}

/** What a measurement says differs from run to run by nature. */
export function effectText(reply: Reply): string {
  return "sizeBytes" in reply ? "measured" : JSON.stringify(reply);
}

/** What kind of difference it is: the shrinker must not wander off to another fault. */
export function mismatchKind(op: Operation, expected: ModelReply, actual: Reply): string {
  const shape = (reply: ModelReply) =>
    reply === undefined
      ? ""
      : "error" in reply
        ? reply.error
        : "threw" in reply
          ? "threw"
          : "answer";
  return `${op.op} ${shape(expected)} ${shape(actual)}`;
}

export function simplerOperations(op: Operation): Operation[] {
  if (op.op === "range" || op.op === "forkRange") {
    return simplerQueries(op.query).map((query) => ({ ...op, query }));
  }
  if (op.op !== "txn") return [];
  const forms: Operation[] = [];
  const { guard: _, ...unguarded } = op;
  if (op.guard !== undefined) forms.push(unguarded);
  if (op.steps.length > 1) {
    for (let i = 0; i < op.steps.length; i++) {
      forms.push({ ...op, steps: op.steps.toSpliced(i, 1) });
    }
  }
  op.steps.forEach((step, i) => {
    for (const form of simplerSteps(step)) forms.push({ ...op, steps: op.steps.with(i, form) });
  });
  return forms;
}

function simplerSteps(step: Step): Step[] {
  switch (step.do) {
    case "put":
      return [
        ...(step.lease === 0 ? [] : [{ ...step, lease: 0 }]),
        ...(step.value === "1" ? [] : [{ ...step, value: "1" }]),
      ];
    case "delete":
      return step.end === undefined ? [] : [{ do: "delete", key: step.key }];
    default:
      return simplerQueries(step.query).map((query) => ({ ...step, query }));
  }
}

function simplerQueries(query: Query): Query[] {
  const forms: Query[] = [];
  const { countOnly, limit, revision, end, ...key } = query;
  if (countOnly === true) forms.push(without(query, "countOnly"));
  if (limit !== undefined) forms.push(without(query, "limit"));
  if (revision !== undefined) forms.push(without(query, "revision"));
  if (end !== undefined) forms.push(key.key === "" ? query : without(query, "end"));
  return forms.filter((form) => form !== query);
}

function without(query: Query, name: keyof Query): Query {
  const { [name]: _, ...rest } = query;
  return rest as Query;
}
