import { expect, test } from "vitest";
import { askedFor, checkedRule, faultStatus, ruleMatches } from "./faults.ts";

test.for([
  ["GET", "/api/v1/namespaces/a/pods?limit=1", "list", "pods", "a", ""],
  ["GET", "/api/v1/pods?watch=true", "watch", "pods", "", ""],
  ["GET", "/api/v1/namespaces/a/pods/web/log", "get", "pods/log", "a", "web"],
  [
    "PUT",
    "/apis/apps/v1/namespaces/a/deployments/web/scale",
    "update",
    "deployments/scale",
    "a",
    "web",
  ],
  ["PUT", "/api/v1/namespaces/a/finalize", "update", "namespaces/finalize", "", "a"],
  ["DELETE", "/api/v1/namespaces/a", "delete", "namespaces", "", "a"],
  ["DELETE", "/apis/batch/v1/namespaces/a/jobs", "deletecollection", "jobs", "a", ""],
  ["PATCH", "/api/v1/nodes/n1/status", "patch", "nodes/status", "", "n1"],
  ["POST", "/api/v1/namespaces/a/pods/web/binding", "create", "pods/binding", "a", "web"],
] as const)("%s %s is %s %s", ([method, path, verb, resource, namespace, name]) => {
  expect(askedFor(method, path)).toEqual({ verb, resource, namespace, name });
});

test("health and discovery are nobody's resource", () => {
  expect(askedFor("GET", "/readyz")).toBeUndefined();
  expect(askedFor("GET", "/apis/apps/v1")).toBeUndefined();
});

test("absent fields and stars match all", () => {
  const asked = { verb: "get", resource: "pods", namespace: "a", name: "web" };
  expect(ruleMatches({ verb: "*", name: "web" }, asked)).toBe(true);
  expect(ruleMatches({ resource: "pods/status" }, asked)).toBe(false);
});

test("a rule that could do nothing is refused", () => {
  expect(() => checkedRule({ verb: "get" })).toThrow("a fault needs one of: status, disconnect");
  expect(() => checkedRule({ status: 200 })).toThrow("a fault's status is 400 to 599, not 200");
});

test("the answer carries the reason of its code", () => {
  expect(faultStatus({ status: 429, retryAfterSeconds: 3 })).toMatchObject({
    reason: "TooManyRequests",
    code: 429,
    details: { retryAfterSeconds: 3 },
  });
});
