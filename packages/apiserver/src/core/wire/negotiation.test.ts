import { expect, test } from "vitest";
import { negotiateInput, negotiateOutput } from "./negotiation.ts";

const builtIn = { custom: false, convertible: true };
const custom = { custom: true, convertible: true };

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const cases = [
  [undefined, "json", ""],
  ["*/*", "json", ""],
  ["application/yaml", "yaml", ""],
  ["application/vnd.kubernetes.protobuf,application/json", "protobuf", ""],
  ["application/json;q=0.2,application/vnd.kubernetes.protobuf;q=0.9", "protobuf", ""],
  [`${table},application/json`, "json", "Table"],
  ["application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "json", ""],
  ["application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "json", "PartialObjectMetadata"],
  ["application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", "json", ""],
] as const;

test.for(cases)("Accept: %s", ([accept, format, as]) => {
  expect(negotiateOutput(accept, false, builtIn)).toMatchObject({ format, as });
});

test("a review has no table", () => {
  const review = { ...builtIn, tableless: true };
  expect(() => negotiateOutput(table, false, review)).toThrow("only the following media types");
  expect(negotiateOutput(`${table},application/json`, false, review).as).toBe("");
});

test("a custom resource has no protobuf", () => {
  const accept = "application/vnd.kubernetes.protobuf,application/json";
  expect(negotiateOutput(accept, false, custom).format).toBe("json");
  expect(() => negotiateInput("application/vnd.kubernetes.protobuf", true)).toThrow(
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  );
});

test("a conversion that nobody knows is not acceptable", () => {
  const accept = "application/json;as=Foo;v=v1;g=meta.k8s.io";
  expect(() => negotiateOutput(accept, false, builtIn)).toThrow(
    "only the following media types are accepted",
  );
});
