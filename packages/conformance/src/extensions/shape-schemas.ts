/** Schemas, good and bad: their types and extensions. */
import { array, integer, limited, object, rule, spec, string } from "./definition-parts.ts";

/** Schemas by name; each is tried in a definition of its own. */
export const shapeSchemas: Record<string, unknown> = {
  "no type": {},
  "type string at the root": { type: "string" },
  "unknown type": spec({ type: "text" }),
  "type null": spec({ type: "null" }),
  "field without type": object({ a: {} }),
  "item without type": object({ a: array({}) }),
  "array without items": object({ a: { type: "array" } }),
  "items as a list": object({ a: { type: "array", items: [string] } }),
  "additionalProperties at the root": object({}, { additionalProperties: string }),
  "additionalProperties and properties": spec({
    ...object({ a: string }),
    additionalProperties: string,
  }),
  "additionalProperties true and properties": spec({
    ...object({ a: string }),
    additionalProperties: true,
  }),
  "additionalProperties false": spec({ ...object({ a: string }), additionalProperties: false }),
  "values without type": spec(object({}, { additionalProperties: {} })),
  uniqueItems: spec(array(string, { uniqueItems: true })),
  id: spec({ ...string, id: "x" }),
  ref: spec({ ...string, $ref: "#/x" }),
  definitions: object({}, { definitions: { a: string } }),
  dependencies: spec(object({ a: string }, { dependencies: { a: ["b"] } })),
  patternProperties: spec(object({}, { patternProperties: { a: string } })),
  additionalItems: spec(array(string, { additionalItems: true })),
  "nullable root": object({}, { nullable: true }),
  "bad pattern": spec({ ...string, pattern: "(" }),
  "metadata with labels": object({ metadata: object({ labels: object() }) }),
  "metadata with name": object({ metadata: object({ name: { ...string, maxLength: 5 } }) }),
  "metadata with description": object({ metadata: { type: "object", description: "x" } }),
  "metadata not an object": object({ metadata: string }),
  "kind not a string": object({ kind: integer, apiVersion: integer }),
  "default of metadata": object({ metadata: { type: "object", default: {} } }),
  "default of kind": object({ kind: { type: "string", default: "x" } }),
  "type in anyOf": spec({ ...string, anyOf: [{ type: "string" }, { minLength: 1 }] }),
  "int or string by anyOf": spec({
    anyOf: [{ type: "integer" }, { type: "string" }],
    "x-kubernetes-int-or-string": true,
  }),
  "int or string by allOf": spec({
    allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }],
    "x-kubernetes-int-or-string": true,
  }),
  "int or string with type": spec({ type: "string", "x-kubernetes-int-or-string": true }),
  "int or string keeping unknown": spec({
    "x-kubernetes-int-or-string": true,
    "x-kubernetes-preserve-unknown-fields": true,
  }),
  "int or string embedded": spec({
    "x-kubernetes-int-or-string": true,
    "x-kubernetes-embedded-resource": true,
  }),
  "default in allOf": spec({ ...string, allOf: [{ default: "x" }] }),
  "everything in not": spec({
    ...string,
    not: {
      title: "x",
      description: "y",
      nullable: true,
      "x-kubernetes-preserve-unknown-fields": true,
      "x-kubernetes-list-type": "set",
      additionalProperties: string,
    },
  }),
  "oneOf of unknown properties": object(
    { a: string },
    { oneOf: [{ required: ["a"] }, { properties: { b: { minLength: 1 } } }] },
  ),
  "anyOf of items not there": object(
    { a: string },
    { anyOf: [{ properties: { a: { items: { minLength: 1 } } } }] },
  ),
  "metadata in anyOf": object({}, { anyOf: [{ properties: { metadata: { minProperties: 1 } } }] }),
  "rule in anyOf": spec({ ...string, anyOf: [{ ...rule("true") }] }),
  "rule in allOf": spec({ ...limited, allOf: [{ ...rule("self != ''") }] }),
  "embedded without type": spec({ "x-kubernetes-embedded-resource": true }),
  "embedded string": spec({ type: "string", "x-kubernetes-embedded-resource": true }),
  "embedded without properties": spec({ type: "object", "x-kubernetes-embedded-resource": true }),
  "embedded keeping unknown": spec({
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  }),
  "embedded with values": spec({
    type: "object",
    "x-kubernetes-embedded-resource": true,
    additionalProperties: string,
  }),
  "embedded in metadata": object({
    metadata: { type: "object", "x-kubernetes-embedded-resource": true },
  }),
  "keeps unknown false": spec({ type: "object", "x-kubernetes-preserve-unknown-fields": false }),
  "keeps unknown without type": spec({ "x-kubernetes-preserve-unknown-fields": true }),
  "map type of a string": spec({ ...string, "x-kubernetes-map-type": "atomic" }),
  "map type without type": spec({
    "x-kubernetes-map-type": "atomic",
    "x-kubernetes-preserve-unknown-fields": true,
  }),
  "unknown map type": spec(object({}, { "x-kubernetes-map-type": "odd" })),
  "list type of a string": spec({ ...string, "x-kubernetes-list-type": "set" }),
  "unknown list type": spec(array(string, { "x-kubernetes-list-type": "odd" })),
  "set of objects": spec(array(object({ a: string }), { "x-kubernetes-list-type": "set" })),
  "set of atomic objects": spec(
    array(object({ a: string }, { "x-kubernetes-map-type": "atomic" }), {
      "x-kubernetes-list-type": "set",
    }),
  ),
  "set of sets": spec(
    array(array(string, { "x-kubernetes-list-type": "set" }), { "x-kubernetes-list-type": "set" }),
  ),
  "set of nullables": spec(
    array({ ...string, nullable: true }, { "x-kubernetes-list-type": "set" }),
  ),
  "keys without list type": spec(
    array(object({ a: string }), { "x-kubernetes-list-map-keys": ["a"] }),
  ),
  "keys of a set": spec(
    array(string, { "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["a"] }),
  ),
  "map without keys": spec(array(object({ a: string }), { "x-kubernetes-list-type": "map" })),
  "map of strings": spec(
    array(string, { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] }),
  ),
  "map with unknown key": spec(
    array(object({ a: string }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["b"],
    }),
  ),
  "map with key twice": spec(
    array(object({ a: string }, { required: ["a"] }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["a", "a"],
    }),
  ),
  "map with object key": spec(
    array(object({ a: object() }, { required: ["a"] }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["a"],
    }),
  ),
  "map with optional key": spec(
    array(object({ a: string }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["a"],
    }),
  ),
  "map with nullable key": spec(
    array(object({ a: { ...string, nullable: true } }, { required: ["a"] }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["a"],
    }),
  ),
  "map with defaulted key": spec(
    array(object({ a: { ...string, default: "x" } }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["a"],
    }),
  ),
};
