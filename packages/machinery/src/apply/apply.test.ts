/** Server-side apply, step by step, with the managed fields upstream writes. */
import { describe, expect, test } from "vitest";
import { canonicalize } from "../codec/canonical.ts";
import type { KubeObject } from "../object.ts";
import { StatusError } from "../status.ts";
import { apply, updateManagedFields } from "./apply.ts";

const typeName = "io.k8s.api.apps.v1.Deployment";
const apiVersion = "apps/v1";
const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const base = { typeName, apiVersion, nowMs };

function deployment(spec: object, metadata: object = {}): KubeObject {
  return { apiVersion, kind: "Deployment", metadata: { name: "d", ...metadata }, spec };
}

const created = (): KubeObject =>
  updateManagedFields({
    ...base,
    live: undefined,
    manager: "kubectl-create",
    updated: canonicalize(
      typeName,
      deployment({
        replicas: 1,
        template: { spec: { containers: [{ name: "web", image: "x" }] } },
      }),
    ),
  });

function errorOf(run: () => unknown): StatusError {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("updates", () => {
  test("a creator owns what it set, and the structs Go makes non-empty", () => {
    expect(created().metadata?.managedFields).toEqual([
      {
        manager: "kubectl-create",
        operation: "Update",
        apiVersion,
        time: "2026-01-02T03:04:05Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:spec": {
            "f:replicas": {},
            "f:template": {
              "f:spec": {
                "f:containers": {
                  'k:{"name":"web"}': { ".": {}, "f:image": {}, "f:name": {}, "f:resources": {} },
                },
              },
            },
          },
        },
      },
    ]);
  });

  test("an update takes a path from its owner", () => {
    const live = created();
    const updated = canonicalize(typeName, {
      ...live,
      spec: { ...(live.spec as object), replicas: 5 },
    });
    const after = updateManagedFields({ ...base, live, updated, manager: "scaler" });
    const entries = after.metadata?.managedFields ?? [];
    const scaler = entries.find(({ manager }) => manager === "scaler");
    const creator = entries.find(({ manager }) => manager === "kubectl-create");
    expect(scaler?.fieldsV1).toEqual({ "f:spec": { "f:replicas": {} } });
    expect(creator?.fieldsV1).not.toHaveProperty(["f:spec", "f:replicas"]);
  });

  test("an update without a change leaves the entries as they were", () => {
    const live = created();
    const after = updateManagedFields({ ...base, live, updated: live, manager: "idler" });
    expect(after.metadata?.managedFields).toEqual(live.metadata?.managedFields);
  });
});

describe("apply", () => {
  const replicas = (n: number) => deployment({ replicas: n });

  test("a contested path is a conflict, named with its owner", () => {
    const error = errorOf(() =>
      apply({ ...base, live: created(), applied: replicas(3), manager: "me" }),
    );
    expect([error.code, error.reason]).toEqual([409, "Conflict"]);
    expect(error.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
    );
    expect(error.status.details?.causes).toEqual([
      {
        reason: "FieldManagerConflict",
        message: 'conflict with "kubectl-create" using apps/v1',
        field: ".spec.replicas",
      },
    ]);
  });

  test("several conflicts are listed by owner", () => {
    const applied = deployment({
      replicas: 3,
      template: { spec: { containers: [{ name: "web", image: "y" }] } },
    });
    const error = errorOf(() => apply({ ...base, live: created(), applied, manager: "me" }));
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "kubectl-create" using apps/v1:\n- .spec.replicas\n- .spec.template.spec.containers[name="web"].image',
    );
  });

  test("force takes the path; the same value is shared", () => {
    const forced = apply({
      ...base,
      live: created(),
      applied: replicas(3),
      manager: "me",
      force: true,
    });
    expect(forced.object.spec).toMatchObject({ replicas: 3 });
    const shared = apply({ ...base, live: created(), applied: replicas(1), manager: "me" });
    expect(shared.changed).toBe(false);
    expect(shared.object.metadata?.managedFields).toHaveLength(2);
  });

  test("what is applied no longer goes away, unless somebody else owns it", () => {
    const first = apply({
      ...base,
      live: undefined,
      manager: "me",
      applied: deployment({ replicas: 2, paused: true }, { labels: { a: "1", b: "2" } }),
    }).object;
    const second = apply({
      ...base,
      live: first,
      manager: "other",
      applied: deployment({ replicas: 2 }),
    }).object;
    const third = apply({
      ...base,
      live: second,
      manager: "me",
      applied: deployment({}, { labels: { a: "1" } }),
    }).object;
    expect(third.metadata?.labels).toEqual({ a: "1" });
    expect(third.spec).toMatchObject({ replicas: 2 });
    expect(third.spec).not.toHaveProperty("paused");
  });

  test("items are matched by all their keys, defaults included", () => {
    const ports = (...list: object[]) =>
      deployment({ template: { spec: { containers: [{ name: "web", ports: list }] } } });
    const live = apply({
      ...base,
      live: undefined,
      manager: "a",
      applied: ports({ containerPort: 53, protocol: "UDP" }),
    }).object;
    const { object } = apply({
      ...base,
      live,
      manager: "b",
      applied: ports({ containerPort: 53 }),
    });
    const path = ["spec", "template", "spec", "containers", 0, "ports"];
    expect(object).toHaveProperty(path.join("."), [
      { containerPort: 53, protocol: "UDP" },
      { containerPort: 53 },
    ]);
  });

  test("kubectl takes over what its annotation says it wrote", () => {
    const annotation = "kubectl.kubernetes.io/last-applied-configuration";
    const text = JSON.stringify(deployment({ replicas: 1 }));
    const written = deployment({ replicas: 1 }, { annotations: { [annotation]: text } });
    const live = updateManagedFields({
      ...base,
      live: undefined,
      manager: "kubectl-client-side-apply",
      updated: canonicalize(typeName, written),
    });
    const { object } = apply({ ...base, live, applied: replicas(4), manager: "kubectl" });
    expect(object.spec).toMatchObject({ replicas: 4 });
    expect(object.metadata?.annotations?.[annotation]).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":4}}\n',
    );
    expect(() => apply({ ...base, live, applied: replicas(4), manager: "helm" })).toThrow(
      "conflict",
    );
  });

  test.for([
    [deployment({ bogus: 1 }), 500, ".spec.bogus: field not declared in schema"],
    [deployment({}, { managedFields: [] }), 400, "metadata.managedFields must be nil"],
    [
      { ...replicas(1), apiVersion: "apps/v1beta1" },
      400,
      "Incorrect version specified in apply patch",
    ],
    [deployment({}, { finalizers: ["a", "a"] }), 500, 'duplicate entries for key [="a"]'],
  ] as [KubeObject, number, string][])("%j is refused", ([applied, code, text]) => {
    const error = errorOf(() => apply({ ...base, live: created(), applied, manager: "me" }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });
});
