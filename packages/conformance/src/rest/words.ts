/** What the requests of the REST conversation are made of. */
import type { RestRequest } from "../subjects/apiserver.ts";

export interface RestCase extends RestRequest {
  name: string;
  /** Compare only the status and the reason: the rest is known to differ, and why. */
  only?: { status: true; because: string };
}

export const json = "application/json";
export const merge = { "content-type": "application/merge-patch+json" };
export const strategic = { "content-type": "application/strategic-merge-patch+json" };
export const jsonPatch = { "content-type": "application/json-patch+json" };
export const apply = { "content-type": "application/apply-patch+yaml" };
export const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };
export const partial = {
  accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
};
export const partialList = {
  accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
};

export const configMap = (name: string, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
  data: { a: "1" },
});

export const ns = "/api/v1/namespaces/t";
export const maps = `${ns}/configmaps`;
export const deployments = "/apis/apps/v1/namespaces/t/deployments";

export const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "nginx:1" }] },
    },
  },
};

export const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", labels: { x: "y" } },
  spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "nginx" }] },
};

export const get = (name: string, path: string, headers?: Record<string, string>): RestCase => ({
  name,
  method: "GET",
  path,
  ...(headers === undefined ? {} : { headers }),
});
export const send = (
  name: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): RestCase => ({
  name,
  method,
  path,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
});

/** Made first and used late, so that it is established by then. */
export const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["name"],
                properties: {
                  name: { type: "string", minLength: 2, maxLength: 4, pattern: "^[a-z]+$" },
                  size: { type: "integer", minimum: 1, maximum: 5, default: 3 },
                  port: { "x-kubernetes-int-or-string": true },
                  mode: { type: "string", enum: ["a", "b"] },
                  list: { type: "array", maxItems: 2, items: { type: "string" } },
                  map: { type: "object", additionalProperties: { type: "integer" } },
                },
              },
              status: { type: "object", properties: { ready: { type: "boolean" } } },
            },
          },
        },
        subresources: {
          status: {},
        },
        additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
      },
    ],
  },
};
