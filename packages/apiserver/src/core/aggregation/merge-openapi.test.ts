import { expect, test } from "vitest";
import { mergeOpenAPI } from "./merge-openapi.ts";

const ref = (name: string) => ({ $ref: `#/definitions/${name}` });

test("another server's own paths come with its definitions, renamed where they differ", () => {
  const own = {
    info: { title: "Kubernetes" },
    paths: { "/api/v1/pods": { get: ref("Pod") } },
    definitions: { Meta: { type: "object" }, Pod: { meta: ref("Meta") }, Status: { v: 1 } },
  };
  const document = {
    info: { title: "Other" },
    paths: {
      "/apis/g/v1/things": { get: ref("Thing") },
      "/apis/g/v1beta1/things": { get: ref("Unused") },
      "/version/": { get: ref("Unused") },
    },
    definitions: {
      Thing: { items: [ref("Meta"), ref("Status")], self: ref("Thing") },
      Meta: { type: "object" },
      Status: { v: 2 },
      Unused: {},
    },
  };
  expect(mergeOpenAPI(own, [{ prefix: "/apis/g/v1/", document }])).toEqual({
    info: { title: "Kubernetes" },
    paths: {
      "/api/v1/pods": { get: ref("Pod") },
      "/apis/g/v1/things": { get: ref("Thing") },
    },
    definitions: {
      Meta: { type: "object" },
      Pod: { meta: ref("Meta") },
      Status: { v: 1 },
      Status_v2: { v: 2 },
      Thing: { items: [ref("Meta"), ref("Status_v2")], self: ref("Thing") },
      Unused: {},
    },
  });
});
