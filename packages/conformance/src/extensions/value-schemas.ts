/** A schema with every kind of check on a value, and one with resources, sets and keys. */
import { array, integer, object, string, type Tree } from "./definition-parts.ts";

export const values = object({
  text: { type: "string", minLength: 2, maxLength: 4, pattern: "^[a-z]+$" },
  count: { type: "integer", minimum: 1, maximum: 10 },
  open: {
    type: "integer",
    minimum: 1,
    maximum: 10,
    exclusiveMinimum: true,
    exclusiveMaximum: true,
  },
  share: { type: "number", multipleOf: 0.5 },
  even: { type: "integer", multipleOf: 2 },
  small: { type: "integer", format: "int32" },
  on: { type: "boolean" },
  choice: { type: "string", enum: ["a", "b"] },
  level: { type: "integer", enum: [1, 2] },
  maybe: { type: "string", nullable: true },
  list: array(integer, { minItems: 1, maxItems: 2 }),
  map: object({}, { additionalProperties: integer, minProperties: 1, maxProperties: 2 }),
  port: { "x-kubernetes-int-or-string": true },
  any: { "x-kubernetes-preserve-unknown-fields": true },
  inner: object({ a: string, b: string }, { required: ["a"] }),
  dates: object({
    d: { type: "string", format: "date" },
    t: { type: "string", format: "date-time" },
    u: { type: "string", format: "uuid" },
    i: { type: "string", format: "ipv4" },
    b: { type: "string", format: "byte" },
    e: { type: "string", format: "email" },
    uri: { type: "string", format: "uri" },
    x: { type: "string", format: "odd" },
    du: { type: "string", format: "duration" },
  }),
  either: { type: "string", anyOf: [{ minLength: 5 }, { pattern: "^x" }] },
  one: { type: "string", oneOf: [{ minLength: 3 }, { pattern: "^x" }] },
  all: { type: "string", allOf: [{ minLength: 3 }, { pattern: "^x" }] },
  none: { type: "string", not: { pattern: "^x" } },
  choiceOf: object({ a: string, b: string }, { oneOf: [{ required: ["a"] }, { required: ["b"] }] }),
});

export const embedded = object({
  template: {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  },
  set: array(string, { "x-kubernetes-list-type": "set" }),
  keyed: array(
    object({ k: string, j: { ...integer, default: 1 }, v: string }, { required: ["k"] }),
    { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "j"] },
  ),
});

export const meta = (metadata: Tree) => ({ template: { apiVersion: "v1", kind: "Pod", metadata } });
