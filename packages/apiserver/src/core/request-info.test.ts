import { expect, test } from "vitest";
import { parseRequestInfo } from "./request-info.ts";

const cases = [
  // method, path, verb, group/version, namespace, resource/name/subresource
  ["GET", "/api/v1/pods", "list", "/v1", "", "pods//"],
  ["GET", "/api/v1/namespaces/n/pods?watch=true", "watch", "/v1", "n", "pods//"],
  ["GET", "/api/v1/namespaces/n/pods/p", "get", "/v1", "n", "pods/p/"],
  ["POST", "/api/v1/namespaces/n/pods/p/binding", "create", "/v1", "n", "pods/p/binding"],
  ["PUT", "/api/v1/namespaces/n/finalize", "update", "/v1", "n", "namespaces/n/finalize"],
  ["GET", "/api/v1/namespaces/n", "get", "/v1", "n", "namespaces/n/"],
  [
    "DELETE",
    "/apis/apps/v1/namespaces/n/deployments",
    "deletecollection",
    "apps/v1",
    "n",
    "deployments//",
  ],
  [
    "PATCH",
    "/apis/apps/v1/namespaces/n/deployments/d/scale",
    "patch",
    "apps/v1",
    "n",
    "deployments/d/scale",
  ],
  ["GET", "/api/v1/watch/namespaces/n/pods/p", "watch", "/v1", "n", "pods/p/"],
  ["GET", "/api/v1/pods?fieldSelector=metadata.name%3Dx", "list", "/v1", "", "pods/x/"],
  ["HEAD", "/api/v1/nodes/a%2Fb", "get", "/v1", "", "nodes/a/b"],
] as const;

test.for(cases)("%s %s", ([method, url, verb, gv, namespace, rest]) => {
  const [path = "", query = ""] = url.split("?");
  const info = parseRequestInfo(method, path, new URLSearchParams(query));
  expect(info.isResourceRequest).toBe(true);
  expect({
    verb: info.verb,
    gv: `${info.apiGroup}/${info.apiVersion}`.replace(/^\/v1$/, "/v1"),
    namespace: info.namespace,
    rest: `${info.resource}/${info.name}/${info.subresource}`,
  }).toEqual({ verb, gv, namespace, rest });
});

test.for(["/", "/healthz", "/api", "/api/v1", "/apis/apps/v1", "/apis/apps", "/openapi/v3/api/v1"])(
  "%s is no resource",
  (path) => {
    const info = parseRequestInfo("GET", path, new URLSearchParams());
    expect(info).toMatchObject({ isResourceRequest: false, verb: "get", path });
  },
);

test("a watch path without a resource is a bad URL", () => {
  const info = parseRequestInfo("GET", "/api/v1/watch", new URLSearchParams());
  expect(info.badURL).toContain("unable to determine kind and namespace from url");
});
