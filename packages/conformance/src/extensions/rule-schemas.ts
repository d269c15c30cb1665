/** Schemas, good and bad: their defaults and rules. */
import { array, integer, limited, object, rule, spec, string } from "./definition-parts.ts";

/** Defaults and rules. */
export const ruleSchemas: Record<string, unknown> = {
  "default of the wrong type": spec({ ...string, default: 5 }),
  "default too small": spec({ ...integer, minimum: 3, default: 1 }),
  "default with unknown field": spec(object({ a: string }, { default: { b: 1 } })),
  "default against a rule": spec({ ...limited, default: "x", ...rule("self == 'y'") }),
  "default with a nested default": spec(
    object({ a: { ...string, default: "x" } }, { default: {} }),
  ),
  "default missing required": spec(object({ a: string }, { required: ["a"], default: {} })),
  "default in a list": spec(array({ ...string, default: "x" })),
  "default of embedded": spec({
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
    default: { kind: "" },
  }),
  "rule on unknown field": spec({ ...object({ a: string }), ...rule("self.b == 'x'") }),
  "rule of the wrong type": spec({ ...object({ a: limited }), ...rule("self.a") }),
  "rule with a type clash": spec({
    ...object({ a: limited, n: integer }),
    ...rule("self.a == self.n"),
  }),
  "rule with a syntax error": spec({ ...string, ...rule("self ==") }),
  "rule empty": spec({ ...string, ...rule(" ") }),
  "rule with several errors": spec({
    ...object({ a: limited }),
    ...rule("self.b == 1 && self.c > 'x'"),
  }),
  "rule on unlimited text": spec({ ...string, ...rule("self.matches('^[a-z]+$')") }),
  "rule on unlimited list": spec({
    ...array(string),
    ...rule("self.all(x, self.exists_one(y, x == y))"),
  }),
  "rule on unlimited items": spec(
    array({ ...object({ a: string }), ...rule("self.a.contains('x')") }),
  ),
  "rule on unlimited map": spec({
    ...object({}, { additionalProperties: string }),
    ...rule("self.all(k, self[k].size() > 2)"),
  }),
  "rules within limits": spec({
    ...array({ type: "string", maxLength: 10 }, { maxItems: 10 }),
    ...rule("self.all(x, self.exists_one(y, x == y))"),
  }),
  "rules dear together": object(
    Object.fromEntries(
      Array.from({ length: 15 }, (_x, i) => [
        `f${i}`,
        {
          ...array({ type: "string", maxLength: 100 }, { maxItems: 100 - i }),
          ...rule("self.all(x, self.exists(y, x.contains(y)))"),
        },
      ]),
    ),
  ),
  "message with break": spec({ ...limited, ...rule("true", { message: "a\nb" }) }),
  "message blank": spec({ ...limited, ...rule("true", { message: "  " }) }),
  "rule with break, no message": spec({ ...limited, ...rule("true ||\nfalse") }),
  "rule with break, message": spec({ ...limited, ...rule("true ||\nfalse", { message: "m" }) }),
  "message expression of a number": spec({
    ...limited,
    ...rule("true", { messageExpression: "1" }),
  }),
  "message expression wrong": spec({
    ...limited,
    ...rule("true", { messageExpression: "self + 1" }),
  }),
  "message expression blank": spec({ ...limited, ...rule("true", { messageExpression: " " }) }),
  "unknown reason": spec({ ...limited, ...rule("true", { reason: "Odd" }) }),
  "field path unknown": spec({ ...object({ a: limited }), ...rule("true", { fieldPath: ".b" }) }),
  "field path good": spec({
    ...object({ a: limited, "x-y": limited }),
    ...rule("true", { fieldPath: "['x-y']" }),
  }),
  "field path without dot": spec({
    ...object({ a: limited }),
    ...rule("true", { fieldPath: "a" }),
  }),
  "oldSelf in a list": spec(array({ ...limited, ...rule("self == oldSelf") }, { maxItems: 3 })),
  "oldSelf in a map list": spec(
    array(
      { ...object({ a: limited }, { required: ["a"] }), ...rule("self == oldSelf") },
      { maxItems: 3, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] },
    ),
  ),
  "optionalOldSelf without oldSelf": spec({
    ...limited,
    ...rule("true", { optionalOldSelf: true }),
  }),
  optionalOldSelf: spec({
    ...limited,
    ...rule("oldSelf.hasValue() || self != ''", { optionalOldSelf: true }),
  }),
  "optional used plainly": spec({
    ...limited,
    ...rule("self == oldSelf", { optionalOldSelf: true }),
  }),
  "rule with a bad constant": spec({ ...limited, ...rule("duration('x') > duration('1s')") }),
  "rule with a bad constant conversion": spec({ ...limited, ...rule("int('x') == 1") }),
  "rule at the root": object(
    { spec: object({ replicas: integer }) },
    rule("self.metadata.name.startsWith('a') && self.kind == 'X' && has(self.spec)"),
  ),
  "rule at the root, metadata.labels": object({}, rule("self.metadata.labels.size() > 0")),
  "rule on what keeps unknown": spec({
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    ...rule("self.x == 1"),
  }),
  "rule on int or string": spec({
    ...object({ p: { "x-kubernetes-int-or-string": true } }),
    ...rule("type(self.p) == int ? self.p > 0 : self.p != ''"),
  }),
  "rule on formats": spec({
    ...object({
      t: { type: "string", format: "date-time" },
      d: { type: "string", format: "duration" },
    }),
    ...rule("self.t > timestamp('2020-01-01T00:00:00Z') && self.d < duration('1h')"),
  }),
  "rule on an enum": spec({
    ...object({ e: { ...string, enum: ["a", "bbb"] } }),
    ...rule("self.e.contains('a')"),
  }),
  "rule with authorizer": spec({
    ...limited,
    ...rule("authorizer.path('/x').check('get').allowed()"),
  }),
};
