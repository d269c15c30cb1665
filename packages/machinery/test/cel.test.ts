/**
 * CEL beside upstream's: several hundred expressions, with what Kubernetes' own environment said of
 * each (recorded; test/cel/corpus.mjs says how to record again).
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  authorizerType,
  CelDuration,
  type CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  compileExpression,
  dynType,
  environmentOf,
  isCelError,
  plainValue,
  schemaValue,
  sizeAlong,
  sizedTypeOf,
  type TypeSchema,
  typeOf,
  type Value,
} from "../src/cel/index.ts";

interface Answer {
  expression: string;
  error?: string;
  type?: string;
  min?: number;
  max?: number;
  value?: unknown;
  failure?: string;
  cost?: number;
}

const folder = new URL("cel/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), "utf8");
const { schema, self } = JSON.parse(read("corpus.json")) as { schema: TypeSchema; self: unknown };
const answers = read("answers.jsonl")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Answer);

const selfType = sizedTypeOf(schema, "selfType", true)!;
const environment = environmentOf({
  variables: [
    ["self", selfType.type],
    ["dyn1", dynType],
    ["authorizer", authorizerType],
  ],
});
const values = new Map<string, Value>([
  ["self", schemaValue(self, schema, true)],
  ["dyn1", plainValue(self)],
  ["authorizer", null],
]);

function doubleText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : Number.isNaN(value) ? "NaN" : "-Inf";
  const exponent = Number(value.toExponential().split("e")[1]);
  if (value === 0 || (exponent >= -4 && exponent < 21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/u, "e$10$2");
}

function show(value: Value): unknown {
  if (value === null) return { null: true };
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "bigint":
      return { int: String(value) };
    case "number":
      return { double: doubleText(value) };
  }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  if (value instanceof CelUint) return { uint: String(value.value) };
  if (value instanceof CelList) return value.items.map(show);
  if (value instanceof CelOptional) {
    return { optional: value.value === undefined ? null : show(value.value) };
  }
  if (value instanceof CelMap) {
    const entries = [...value.entries.values()].map(([key, item]) => [show(key), show(item)]);
    const text = (entry: unknown[]) => JSON.stringify(entry[0]);
    return { map: entries.sort((a, b) => (text(a) < text(b) ? -1 : 1)) };
  }
  if (value instanceof CelTimestamp || value instanceof CelDuration) {
    return { [typeOf(value).name]: expect.any(String) };
  }
  return { other: typeOf(value).name };
}

function ask({ expression }: Answer): Answer {
  const compiled = compileExpression(expression, environment);
  if ("errors" in compiled) return { expression, error: String(compiled.errors) };
  if ("failure" in compiled) return { expression, failure: `program: ${compiled.failure}` };
  const { program } = compiled;
  const { min, max } = program.estimateCost((path) =>
    path[0] === "self" ? sizeAlong(selfType, path) : undefined,
  );
  const { value, cost } = program.evaluate((name) => values.get(name), 1_000_000);
  const outcome = isCelError(value)
    ? { failure: (value as CelError).message }
    : { value: show(value) };
  return { expression, min, max, cost, ...outcome };
}

/** What upstream's own answer is compared by. */
function expected({ type: _type, ...answer }: Answer): Answer {
  if (answer.failure?.startsWith("program: ")) {
    return { expression: answer.expression, failure: answer.failure };
  }
  const nothing = answer.value === undefined && answer.failure === undefined && !answer.error;
  return nothing ? { ...answer, value: false } : answer;
}

describe("CEL answers as upstream's", () => {
  it.each(answers.map((answer) => [answer.expression.slice(0, 100), answer] as const))(
    "%s",
    (_name, answer) => {
      expect(ask(answer)).toEqual(expected(answer));
    },
  );
});
