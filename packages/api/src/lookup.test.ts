import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Pod } from "./generated/types/core/v1.ts";
import {
  groups,
  jsonFields,
  kubernetesVersion,
  resourceOf,
  resources,
  typeInfo,
  typeNames,
  typeOf,
} from "./index.ts";

/** "[]ref X" and "map ref X" → X; a leaf → undefined. */
const target = (word: string) => word.split("ref ")[1];

describe("lookup", () => {
  test("finds a type by kind, and its fields in Go's order", () => {
    const name = typeOf("v1", "Pod");
    expect(name).toBe("io.k8s.api.core.v1.Pod");
    expect(Object.keys(typeInfo(name!)!.fields)).toEqual([
      "kind",
      "apiVersion",
      "metadata",
      "spec",
      "status",
    ]);
  });

  test.each([
    ["a kind that is not built in", typeOf("example.com/v1", "Pod")],
    ["a name that every object has", typeOf("v1", "constructor")],
    ["a package that does not exist", typeInfo("io.example.v1.Pod")],
    ["a type that does not exist", typeInfo("io.k8s.api.core.v1.toString")],
    ["a path", typeInfo("../resources.x")],
  ])("knows nothing of %s", (_, answer) => expect(answer).toBeUndefined());

  test("opens up inline fields at their place", () => {
    const names = Object.keys(jsonFields("io.k8s.api.core.v1.EphemeralContainer")!);
    expect(names[0]).toBe("name");
    expect(names.at(-1)).toBe("targetContainerName");
    expect(names.some((name) => name.startsWith("+"))).toBe(false);
  });

  test("the preferred version stands first", () => {
    expect(groups.find(({ group }) => group === "autoscaling")?.versions).toEqual(["v2", "v1"]);
    expect(groups[0]).toMatchObject({ group: "", versions: ["v1"] });
  });

  test("a subresource has its own kind", () => {
    const scale = resourceOf("apps", "v1", "deployments")!.subresources![0];
    expect(scale).toEqual({
      name: "scale",
      verbs: ["get", "patch", "update"],
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    });
  });
});

describe("the table is whole", () => {
  test("it is made from the release that upstream.json names", () => {
    const versions = new URL("../../../upstream.json", import.meta.url);
    expect(JSON.parse(readFileSync(versions, "utf8")).kubernetes).toBe(kubernetesVersion);
  });

  test("every type that a field names is in it", () => {
    const missing = typeNames().flatMap((name) =>
      Object.values(typeInfo(name)!.fields)
        .map((field) => target(field.type))
        .filter((type) => type !== undefined && typeInfo(type) === undefined),
    );
    expect(missing).toEqual([]);
  });

  test("no protobuf number stands twice in a message", () => {
    const doubled = typeNames().filter((name) => {
      const numbers = Object.values(typeInfo(name)!.fields).flatMap(({ num }) => num ?? []);
      return new Set(numbers).size !== numbers.length;
    });
    expect(doubled).toEqual([]);
  });

  test("every resource has its type, a list when it can be listed, and its subresources' kinds", () => {
    const broken = resources.filter((r) => {
      const kinds = (r.subresources ?? []).flatMap(({ kind }) => kind ?? []);
      const apiVersion = (k: { group: string; version: string }) =>
        k.group === "" ? k.version : `${k.group}/${k.version}`;
      return (
        typeInfo(r.type)?.typeMeta !== true ||
        typeOf(apiVersion(r), r.kind) !== r.type ||
        (r.verbs.includes("list") && typeInfo(r.listType ?? "")?.fields.items === undefined) ||
        kinds.some((k) => typeOf(apiVersion(k), k.kind) === undefined)
      );
    });
    expect(broken).toEqual([]);
  });
});

test("a Pod is an object of any fields to code that handles all kinds", () => {
  const pod: Pod = { metadata: { name: "web" }, spec: { containers: [{ name: "c" }] } };
  const any: { [field: string]: unknown } = pod; // Compiles only as long as types are aliases.
  expect(Object.keys(any)).toEqual(["metadata", "spec"]);
});
