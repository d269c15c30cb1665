import { describe, expect, test } from "vitest";
import { applySchemaOf } from "./apply-schema.ts";
import { FieldSet } from "./fields-v1.ts";
import { unowned } from "./managers.ts";
import { type Exempt, ownedByCreator } from "./owned-by-creator.ts";
import type { Tree } from "./typed-tree.ts";
import { compareTrees, TypedTreeError } from "./typed-tree.ts";

const schema = applySchemaOf("io.k8s.api.core.v1.Pod");
const nothing: Tree = {
  metadata: { creationTimestamp: null },
  spec: { containers: null },
  status: {},
};
const exempt: Exempt = { reset: FieldSet.ofFields([["status"]]), unowned };

const container = (name: string, more: object = {}): Tree => ({ name, image: "web", ...more });
const pod = (spec: object, more: object = {}): Tree => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name: "web", namespace: "shop", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec,
  status: { phase: "Pending" },
  ...more,
});

/** The same by sets, which every other write compares. */
function bySets(before: Tree, after: Tree): unknown {
  const { added, modified } = compareTrees(before, after, schema);
  const set = added.union(modified).recursiveDifference(exempt.reset).difference(unowned);
  return set.isEmpty() ? undefined : set.toFieldsV1();
}

// Upstream's library is asked about many more by test/oracle.test.ts.
const cases: [name: string, after: Tree, fieldsV1: unknown][] = [
  ["nothing but its identity", pod({ containers: null }), undefined],
  [
    "a container with ports",
    pod({ containers: [container("main", { ports: [{ containerPort: 80, protocol: "TCP" }] })] }),
    {
      "f:spec": {
        "f:containers": {
          'k:{"name":"main"}': {
            ".": {},
            "f:image": {},
            "f:name": {},
            "f:ports": {
              ".": {},
              'k:{"containerPort":80,"protocol":"TCP"}': {
                ".": {},
                "f:containerPort": {},
                "f:protocol": {},
              },
            },
          },
        },
      },
    },
  ],
  [
    "labels, an empty struct, an atomic one, a set",
    pod(
      { containers: [container("a", { resources: {} })], nodeSelector: { disk: "ssd" } },
      { metadata: { name: "web", labels: { "b,c": "1", a: "2" }, finalizers: ["x/y", "a/b"] } },
    ),
    {
      "f:metadata": {
        "f:finalizers": { ".": {}, 'v:"a/b"': {}, 'v:"x/y"': {} },
        "f:labels": { ".": {}, "f:a": {}, "f:b,c": {} },
      },
      "f:spec": {
        "f:containers": {
          'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {}, "f:resources": {} },
        },
        "f:nodeSelector": {},
      },
    },
  ],
];

describe("what the creator of a pod owns", () => {
  test.for(cases)("%s", ([, after, fieldsV1]) => {
    const owned = ownedByCreator(nothing, after, schema, exempt);
    expect(owned).toEqual(fieldsV1);
    // The order of members is that of the stored bytes.
    expect(JSON.stringify(owned)).toBe(JSON.stringify(bySets(nothing, after)));
  });

  test("items that look alike are owned as one", () => {
    const twice = pod({ containers: [container("a"), container("a"), container("b")] });
    expect(ownedByCreator(nothing, twice, schema, exempt)).toEqual(bySets(nothing, twice));
    expect(bySets(nothing, twice)).toMatchObject({
      "f:spec": { "f:containers": { 'k:{"name":"a"}': {} } },
    });
  });

  test("items that cannot be told apart are an error", () => {
    const nameless = pod({ containers: [{ image: "web" }] });
    expect(() => ownedByCreator(nothing, nameless, schema, exempt)).toThrow(TypedTreeError);
  });

  test("a custom resource begins with nothing, and its metadata is still not owned", () => {
    const after = pod({ containers: [container("a")] });
    const owned = ownedByCreator({}, after, schema, exempt);
    expect(JSON.stringify(owned)).toBe(JSON.stringify(bySets({}, after)));
    expect(owned).not.toHaveProperty("f:metadata");
    expect(owned).toHaveProperty(["f:spec", "."]);
  });
});
