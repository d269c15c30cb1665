/** CRDs that the recorder creates on upstream, and the same as our discovery and OpenAPI take them. */
import { createHash } from "node:crypto";
import { storageVersionHash } from "../src/core/discovery/storage-version-hash.ts";
import type { CustomResource } from "../src/core/openapi/custom-resources.ts";
import { customTypeName } from "../src/core/openapi/custom-resources.ts";

const keepsUnknown = { "x-kubernetes-preserve-unknown-fields": true };

const cronTabSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", pattern: "^a", default: "a" },
        image: { type: "string", nullable: true },
        replicas: { type: "integer", minimum: 1, maximum: 10 },
        port: { "x-kubernetes-int-or-string": true },
        any: { type: "object", ...keepsUnknown },
        template: { type: "object", "x-kubernetes-embedded-resource": true, ...keepsUnknown },
        items: {
          type: "array",
          items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
        },
        map: { type: "object", additionalProperties: { type: "integer" } },
        mode: { type: "string", enum: ["a", "b"] },
        one: { type: "string", anyOf: [{ minLength: 1 }, { maxLength: 3 }] },
      },
    },
    status: { type: "object", properties: { replicas: { type: "integer" } } },
  },
};
const gadgetSchema = { type: "object", properties: { size: { type: "integer" } } };

export const definitions = [
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "crontabs.stable.example.com" },
    spec: {
      group: "stable.example.com",
      names: { plural: "crontabs", kind: "CronTab", shortNames: ["ct"], categories: ["all"] },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: ".spec.replicas",
              statusReplicasPath: ".status.replicas",
            },
          },
          schema: { openAPIV3Schema: cronTabSchema },
        },
        {
          name: "v1beta1",
          served: true,
          storage: false,
          schema: { openAPIV3Schema: { type: "object", ...keepsUnknown } },
        },
      ],
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "gadgets.acme.io" },
    spec: {
      group: "acme.io",
      names: { plural: "gadgets", kind: "Gadget" },
      scope: "Cluster",
      versions: [
        {
          name: "v1alpha1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: gadgetSchema },
        },
      ],
    },
  },
];

const all = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const some = ["get", "patch", "update"];
const sha256 = (text: string) => createHash("sha256").update(text).digest();

function resource(group: string, version: string, kind: string, storage: string) {
  return {
    group,
    version,
    kind,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    verbs: all,
    type: customTypeName(group, version, kind),
    listType: customTypeName(group, version, `${kind}List`),
    storageVersionHash: storageVersionHash({ group, version: storage, kind }, sha256),
  };
}

const cronTab = { namespaced: true, shortNames: ["ct"], categories: ["all"] };
const scale = { group: "autoscaling", version: "v1", kind: "Scale" };

export const customResources: readonly CustomResource[] = [
  {
    resource: {
      ...resource("stable.example.com", "v1", "CronTab", "v1"),
      ...cronTab,
      subresources: [
        { name: "status", verbs: some },
        { name: "scale", verbs: some, kind: scale },
      ],
    },
    schema: cronTabSchema,
  },
  {
    resource: { ...resource("stable.example.com", "v1beta1", "CronTab", "v1"), ...cronTab },
    schema: { type: "object", ...keepsUnknown },
  },
  {
    resource: { ...resource("acme.io", "v1alpha1", "Gadget", "v1alpha1"), namespaced: false },
    schema: gadgetSchema,
  },
];
