import { describe, expect, test } from "vitest";
import { FieldSet } from "./fields-v1.ts";

const reread = (fields: unknown): string =>
  JSON.stringify(FieldSet.fromFieldsV1(fields).toFieldsV1());

describe("fieldsV1 that is read and written", () => {
  const written = {
    "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
    "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {} } } },
  };

  test("comes back as it was", () => {
    expect(reread(written)).toBe(JSON.stringify(written));
  });

  test.for([
    ["steps in another order", { "f:b": {}, "f:a": {} }, { "f:a": {}, "f:b": {} }],
    [
      "an owner's mark behind its fields",
      { "f:a": { "f:b": {}, ".": {} } },
      { "f:a": { ".": {}, "f:b": {} } },
    ],
    ["an owner's mark alone", { "f:a": { ".": {} } }, { "f:a": {} }],
    [
      "an owner's mark with something in it",
      { "f:a": { ".": { "f:c": {} }, "f:b": {} } },
      { "f:a": { ".": {}, "f:b": {} } },
    ],
    ["the root's own mark", { ".": {}, "f:a": {} }, { "f:a": {} }],
    ["a key in another spelling", { 'k:{"b":1, "a":"x"}': {} }, { 'k:{"a":"x","b":1}': {} }],
    [
      "an order that is wrong further down",
      { "f:a": { "f:c": {}, "f:b": {} } },
      { "f:a": { "f:b": {}, "f:c": {} } },
    ],
  ] as const)("is put right: %s", ([, fields, wanted]) => {
    expect(reread(fields)).toBe(JSON.stringify(wanted));
  });

  test("a set that gains nothing is the same set", () => {
    const set = FieldSet.fromFieldsV1(written);
    const part = FieldSet.fromFieldsV1({
      "f:spec": { "f:containers": { 'k:{"name":"a"}': { "f:image": {} } } },
    });
    expect(set.union(part)).toBe(set);
    const more = FieldSet.fromFieldsV1({
      "f:spec": { "f:containers": { 'k:{"name":"a"}': { "f:name": {} } } },
    });
    expect(set.union(more).toFieldsV1()).toMatchObject({
      "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {} } } },
    });
  });
});
