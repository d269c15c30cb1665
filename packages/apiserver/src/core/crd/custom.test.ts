import { expect, test } from "vitest";
import { findAll, parseJSONPath } from "./json-path.ts";
import { applyDefaults, prune, type Schema } from "./structural-schema.ts";
import { validateSchema } from "./validate-schema.ts";

const schema: Schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["name"],
      properties: {
        name: { type: "string", minLength: 2, pattern: "^[a-z]+$" },
        size: { type: "integer", minimum: 1, maximum: 5, default: 3 },
        port: { "x-kubernetes-int-or-string": true },
        mode: { type: "string", enum: ["a", "b"] },
        items: {
          type: "array",
          maxItems: 2,
          items: { type: "object", properties: { x: { type: "string", default: "d" } } },
        },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        map: { type: "object", additionalProperties: { type: "integer" } },
      },
    },
  },
};

test("what the schema does not know is dropped, with its path", () => {
  const object = {
    apiVersion: "g/v1",
    kind: "K",
    metadata: { name: "n", anything: 1 },
    extra: 1,
    spec: { name: "x", foo: 1, items: [{ x: "1", y: 2 }], free: { any: 1 }, map: { a: 1 } },
  };
  expect(prune(schema, object)).toEqual(["extra", "spec.foo", "spec.items[0].y"]);
  expect(object.spec).toEqual({ name: "x", items: [{ x: "1" }], free: { any: 1 }, map: { a: 1 } });
});

test("defaults fill what is absent, also in items; null counts as absent", () => {
  const object = { spec: { size: null, items: [{}] } };
  applyDefaults(schema, object);
  expect(object).toEqual({ spec: { size: 3, items: [{ x: "d" }] } });
});

const wrong = [
  [{}, "spec.name: Required value"],
  [
    { name: "x" },
    'spec.name: Invalid value: "x": spec.name in body should be at least 2 chars long',
  ],
  [{ name: "X1" }, "spec.name in body should match '^[a-z]+$'"],
  [
    { name: "xx", size: 9 },
    "spec.size: Invalid value: 9: spec.size in body should be less than or equal to 5",
  ],
  [
    { name: "xx", size: "1" },
    'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  ],
  [{ name: "xx", mode: "c" }, 'spec.mode: Unsupported value: "c": supported values: "a", "b"'],
  [{ name: "xx", items: [{}, {}, {}] }, "spec.items: Too many: 3: must have at most 2 items"],
  [{ name: "xx", port: true }, "spec.port in body must be of type integer,string"],
  [{ name: "xx", map: { a: "b" } }, "spec.map.a"],
] as const;

test.for(wrong)("%j is refused", ([spec, text]) => {
  const errors = validateSchema(schema, { spec });
  expect(errors.map(String).join("; ")).toContain(text);
  expect(errors).toHaveLength(1);
});

const paths = [
  [".spec.replicas", [3]],
  [".spec.list[1]", ["b"]],
  [".spec.list[-1]", ["b"]],
  [".spec.list[*]", ["a", "b"]],
  ['.conditions[?(@.type=="Ready")].status', ["True"]],
  [".metadata.labels['a.b/c']", ["x"]],
  [".metadata.labels.a\\.b/c", ["x"]],
  [".spec.none.deeper", []],
] as const;

test.for(paths)("JSONPath %s", ([path, found]) => {
  const object = {
    spec: { replicas: 3, list: ["a", "b"] },
    conditions: [
      { type: "Other", status: "False" },
      { type: "Ready", status: "True" },
    ],
    metadata: { labels: { "a.b/c": "x" } },
  };
  expect(findAll(parseJSONPath(path)!, object)).toEqual(found);
});
