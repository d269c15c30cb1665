/** Patches: results and refusals as upstream's libraries give them. */
import { describe, expect, test } from "vitest";
import { applyJSONPatch, type JSONPatchOperation } from "./json-patch.ts";
import { applyMergePatch, createMergePatch } from "./merge-patch.ts";
import { PatchError } from "./patch-error.ts";
import { applyStrategicMergePatch } from "./strategic-merge-patch.ts";

describe("JSON patch", () => {
  const document = () => ({ a: 1, l: [1, 2], o: { "x/y": 1 } });
  const run = (...operations: JSONPatchOperation[]) =>
    applyJSONPatch<unknown>(document(), operations);

  test("does what RFC 6902 says", () => {
    expect(run({ op: "add", path: "/l/-", value: 3 })).toMatchObject({ l: [1, 2, 3] });
    expect(run({ op: "add", path: "/l/0", value: 0 })).toMatchObject({ l: [0, 1, 2] });
    expect(run({ op: "remove", path: "/l/-1" })).toMatchObject({ l: [1] });
    expect(run({ op: "replace", path: "/o/x~1y", value: 2 })).toMatchObject({ o: { "x/y": 2 } });
    expect(run({ op: "move", from: "/a", path: "/b" })).not.toHaveProperty("a");
    expect(run({ op: "copy", from: "/o", path: "/p" })).toMatchObject({ p: { "x/y": 1 } });
    expect(run({ op: "test", path: "/a", value: 1 })).toEqual(document());
  });

  test("a key named __proto__ is data", () => {
    const patched = run({ op: "add", path: "/__proto__", value: { polluted: true } });
    expect(Object.hasOwn(patched as object, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.for([
    [
      { op: "remove", path: "/x" },
      "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
    ],
    [
      { op: "add", path: "/x/y", value: 1 },
      'add operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [
      { op: "replace", path: "/l/9", value: 1 },
      "replace operation does not apply: doc is missing key: /l/9: missing value",
    ],
    [
      { op: "add", path: "/l/x", value: 1 },
      "error in add for path: '/l/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
    ],
    [{ op: "test", path: "/a", value: 2 }, "testing value /a failed: test failed"],
    [{ op: "zap", path: "/a" }, "Unexpected kind: zap"],
  ] as [JSONPatchOperation, string][])("%j is refused", ([operation, message]) => {
    expect(() => run(operation)).toThrow(new PatchError("unprocessable", message));
  });
});

test("copies of copies end at upstream's limit, before they fill the memory", () => {
  const copies = Array.from({ length: 40 }, (_, i) => ({
    op: "copy",
    from: "/o",
    path: `/o/${i}`,
  }));
  const bomb = () => applyJSONPatch({ o: { a: "x".repeat(1000) } }, copies);
  expect(bomb).toThrow(
    /^Unable to complete the copy, the accumulated size increase of copy is \d+,/,
  );
  expect(bomb).toThrow(/, exceeding the limit 3145728$/);
  expect(() => applyJSONPatch({ o: { a: "x".repeat(1000) } }, copies.slice(0, 11))).not.toThrow();
});

describe("merge patch", () => {
  test("null removes, also below something new", () => {
    expect(
      applyMergePatch({ a: 1, o: { x: 1, y: 2 } }, { a: null, o: { x: 3 }, n: { z: null } }),
    ).toEqual({
      o: { x: 3, y: 2 },
      n: {},
    });
  });

  test("a created patch leads from one object to the other", () => {
    const from = { a: 1, b: { c: [1], d: 1 }, e: "x" };
    const to = { a: 1, b: { c: [1, 2] }, f: null, g: {} };
    const patch = createMergePatch(from, to);
    expect(patch).toEqual({ b: { c: [1, 2], d: null }, e: null, f: null, g: {} });
    expect(createMergePatch(from, from)).toEqual({});
  });
});

describe("strategic merge patch", () => {
  const pod = "io.k8s.api.core.v1.Pod";
  const live = () => ({
    metadata: { finalizers: ["a", "b"] },
    spec: {
      containers: [
        { name: "web", image: "x", env: [{ name: "A", value: "1" }] },
        { name: "log", image: "y" },
      ],
      volumes: [{ name: "v", emptyDir: {} }],
      nodeSelector: { k: "1" },
    },
  });
  const run = (patch: object) => applyStrategicMergePatch<object>(live(), patch, pod);

  test("merges lists by key, and puts new items behind", () => {
    const patched = run({ spec: { containers: [{ name: "web", image: "z" }, { name: "new" }] } });
    expect(patched).toMatchObject({
      spec: {
        containers: [
          { name: "web", image: "z", env: [{ name: "A", value: "1" }] },
          { name: "new" },
          { name: "log" },
        ],
      },
    });
  });

  test.for([
    [
      "deletes an item",
      { spec: { containers: [{ $patch: "delete", name: "log" }] } },
      { spec: { containers: [{ name: "web" }] } },
    ],
    [
      "replaces a list",
      { spec: { containers: [{ $patch: "replace" }, { name: "only" }] } },
      { spec: { containers: [{ name: "only" }] } },
    ],
    [
      "replaces a map",
      { spec: { nodeSelector: { $patch: "replace", z: "2" } } },
      { spec: { nodeSelector: { z: "2" } } },
    ],
    [
      "removes primitives",
      { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } },
      { metadata: { finalizers: ["b"] } },
    ],
    [
      "adds primitives",
      { metadata: { finalizers: ["c"] } },
      { metadata: { finalizers: ["c", "a", "b"] } },
    ],
    [
      "orders a list",
      { spec: { "$setElementOrder/containers": [{ name: "log" }, { name: "web" }] } },
      { spec: { containers: [{ name: "log" }, { name: "web" }] } },
    ],
    [
      "retains keys",
      {
        spec: {
          volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/" } }],
        },
      },
      { spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } },
    ],
    ["removes by null", { spec: { nodeSelector: null } }, { spec: { volumes: [{ name: "v" }] } }],
  ] as [string, object, object][])("%s", ([, patch, expected]) => {
    expect(run(patch)).toMatchObject(expected);
  });

  test("retaining removes what is not named", () => {
    const patch = { spec: { volumes: [{ name: "v", $retainKeys: ["name"] }] } };
    expect(run(patch)).toHaveProperty("spec.volumes", [{ name: "v" }]);
  });

  test.for([
    [
      { spec: { containers: [{ image: "x" }] } },
      "map: map[image:x] does not contain declared merge key: name",
    ],
    [
      { spec: { containers: [{ name: "web", $patch: "zap" }] } },
      "unknown patch type: zap in map: map[$patch:zap name:web]",
    ],
    [
      { spec: { volumes: [{ name: "v", $retainKeys: "x" }] } },
      "invalid patch format of retainKeys",
    ],
  ] as [object, string][])("%j is refused", ([patch, message]) => {
    expect(() => run(patch)).toThrow(message);
  });
});
