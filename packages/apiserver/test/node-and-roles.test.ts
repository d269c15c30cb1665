/** Nodes see what their pods need; nobody grants what they do not hold; the texts of refusals. */

import { resources } from "@nanokube/api";
import type { KubeObject } from "@nanokube/machinery";
import { describe, expect, it } from "vitest";
import { createNodeRestriction } from "../src/core/admission/node-restriction/node-restriction.ts";
import type { AuthorizationAttributes } from "../src/core/authorization/authorizer.ts";
import { createAuthorizer, forbiddenMessage } from "../src/core/authorization/create-authorizer.ts";
import { checkEscalation } from "../src/core/authorization/escalation.ts";
import { usualGates } from "../src/core/feature-gates.ts";
import { objectMap } from "./object-map.ts";

const node = { name: "system:node:m", groups: ["system:nodes", "system:authenticated"] };

const asking = (more: Partial<AuthorizationAttributes>): AuthorizationAttributes => ({
  user: node,
  verb: "get",
  resourceRequest: true,
  namespace: "n",
  apiGroup: "",
  apiVersion: "v1",
  resource: "",
  subresource: "",
  name: "",
  path: "",
  ...more,
});

const pod = (name: string, spec: object): KubeObject =>
  ({ metadata: { name, namespace: "n", uid: name }, spec }) as KubeObject;

function cluster() {
  const reader = objectMap();
  const volumes = [
    { name: "a", secret: { secretName: "mine" } },
    { name: "b", persistentVolumeClaim: { claimName: "claim" } },
  ];
  reader.put("", "pods", pod("p", { nodeName: "m", serviceAccountName: "s", volumes }));
  const others = [{ name: "a", configMap: { name: "theirs" } }];
  reader.put("", "pods", pod("q", { nodeName: "other", volumes: others }));
  const claim = { metadata: { name: "claim", namespace: "n" }, spec: { volumeName: "v" } };
  reader.put("", "persistentvolumeclaims", claim as KubeObject);
  const volume = { metadata: { name: "v" }, spec: { claimRef: { namespace: "n", name: "claim" } } };
  reader.put("", "persistentvolumes", volume as KubeObject);
  const authorizer = createAuthorizer({ modes: ["Node", "RBAC"], reader });
  return { reader, authorizer };
}

describe("the Node authorizer", () => {
  it.each([
    ["its pod's secret", { resource: "secrets", name: "mine" }, true],
    ["another node's config map", { resource: "configmaps", name: "theirs" }, false],
    ["all secrets", { verb: "list", resource: "secrets" }, false],
    ["its pod's claim", { resource: "persistentvolumeclaims", name: "claim" }, true],
    ["its pod's volume", { resource: "persistentvolumes", name: "v", namespace: "" }, true],
    ["another volume", { resource: "persistentvolumes", name: "w", namespace: "" }, false],
    [
      "a token of its pod's account",
      { verb: "create", resource: "serviceaccounts", subresource: "token", name: "s" },
      true,
    ],
    [
      "a token of another account",
      { verb: "create", resource: "serviceaccounts", subresource: "token", name: "t" },
      false,
    ],
  ])("%s", async (_name, more, expected) => {
    const { decision } = await cluster().authorizer.authorize(asking(more));
    expect(decision === "allow").toBe(expected);
  });
});

describe("NodeRestriction", () => {
  const info = resources.find(({ group, plural }) => group === "" && plural === "nodes");
  const own = (name: string, labels: Record<string, string>, taints: object[] = []) =>
    ({ metadata: { name, labels }, spec: { taints } }) as KubeObject;

  it.each([
    ["own label", own("m", { "kubernetes.io/os": "linux", mine: "1" }), undefined],
    [
      "restricted label",
      own("m", { "node-restriction.kubernetes.io/a": "b", "x.k8s.io/y": "z" }),
      'nodes "m" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a, x.k8s.io/y',
    ],
    [
      "taint",
      own("m", {}, [{ key: "a", effect: "NoSchedule" }]),
      'nodes "m" is forbidden: node "m" is not allowed to modify taints',
    ],
    [
      "another node",
      own("o", {}),
      'nodes "o" is forbidden: node "m" is not allowed to modify node "o"',
    ],
  ])("%s", async (_name, object, refusal) => {
    const { reader, authorizer } = cluster();
    const name = object.metadata?.name ?? "";
    const answer = createNodeRestriction(authorizer, usualGates).admit?.(
      {
        operation: "UPDATE",
        resource: info!,
        subresource: "",
        namespace: "",
        name,
        user: node,
        dryRun: false,
        object,
        oldObject: own(name, {}),
        options: {},
        warn: () => undefined,
      },
      reader,
      undefined as never,
    );
    if (refusal === undefined) await expect(answer).resolves.toBeUndefined();
    else await expect(answer).rejects.toThrow(refusal);
  });
});

describe("role writes", () => {
  const group = "rbac.authorization.k8s.io";
  const alice = { name: "alice", groups: ["system:authenticated"] };
  const reads = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }];
  const role = (rules: object[]) =>
    ({ metadata: { name: "r", namespace: "n" }, rules }) as KubeObject;

  function withAlice() {
    const parts = cluster();
    parts.reader.put(group, "roles", role(reads));
    const binding = {
      metadata: { name: "b", namespace: "n" },
      roleRef: { kind: "Role", name: "r", apiGroup: group },
      subjects: [{ kind: "User", name: "alice", apiGroup: group }],
    };
    parts.reader.put(group, "rolebindings", binding as unknown as KubeObject);
    const { authorizer } = parts;
    const write = (rules: object[]) =>
      checkEscalation(
        { authorizer, rbac: authorizer.rbac! },
        { user: alice, plural: "roles", namespace: "n", object: role(rules) },
      );
    return { ...parts, write };
  }

  it("may grant what is held, or part of it", async () => {
    await expect(withAlice().write(reads)).resolves.toBeUndefined();
    const less = [{ apiGroups: [""], resources: ["pods"], resourceNames: ["x"], verbs: ["get"] }];
    await expect(withAlice().write(less)).resolves.toBeUndefined();
  });

  it("may not grant more", async () => {
    const more = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "delete"] }];
    await expect(withAlice().write(more)).rejects.toThrow(
      'user "alice" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}',
    );
  });

  it("says what was refused as upstream does", () => {
    const list = asking({ user: alice, verb: "list", resource: "pods" });
    expect(forbiddenMessage(list)).toBe(
      'User "alice" cannot list resource "pods" in API group "" in the namespace "n"',
    );
    const nodes = asking({ user: alice, verb: "get", resource: "nodes", namespace: "" });
    expect(forbiddenMessage(nodes)).toBe(
      'User "alice" cannot get resource "nodes" in API group "" at the cluster scope',
    );
    expect(forbiddenMessage(asking({ user: alice, resourceRequest: false, path: "/x" }))).toBe(
      'User "alice" cannot get path "/x"',
    );
  });
});
