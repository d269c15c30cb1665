/** On a fresh cluster the same may do the same as with upstream's kube-apiserver (record/access.ts). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "@nanokube/machinery";
import { describe, expect, it } from "vitest";
import { createAuthorizer } from "../src/core/authorization/create-authorizer.ts";
import { reconcileBootstrapPolicy } from "../src/core/authorization/reconcile.ts";
import { type Action, actions, users } from "./strategy-cases/access.ts";

const path = join(import.meta.dirname, "testdata/access.json");
const recording = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;

async function freshPolicy() {
  const objects = new Map<string, KubeObject>();
  const key = (group: string, plural: string, namespace: string, name: string) =>
    `${group}/${plural}/${namespace}/${name}`;
  const put = async (group: string, plural: string, namespace: string, object: KubeObject) => {
    objects.set(key(group, plural, namespace, object.metadata?.name ?? ""), object);
  };
  const get = async (group: string, plural: string, namespace: string, name: string) =>
    objects.get(key(group, plural, namespace, name));
  await reconcileBootstrapPolicy({ get, create: put, update: put, delete: async () => undefined });
  const list = async (group: string, plural: string, namespace = "") => {
    const start = `${group}/${plural}/${namespace === "" ? "" : `${namespace}/`}`;
    return [...objects].filter(([name]) => name.startsWith(start)).map(([, object]) => object);
  };
  return { get, list, generation: () => 1 };
}

const showing = ({ verb, group, resource, subresource, name, namespace, path: url }: Action) =>
  url === undefined
    ? `${verb} ${group ?? ""}/${resource}/${subresource ?? ""} ${namespace ?? ""}/${name ?? ""}`
    : `${verb} ${url}`;

describe("access on a fresh cluster", () => {
  for (const user of users) {
    it(user.name, async () => {
      const authorizer = createAuthorizer({ modes: ["Node", "RBAC"], reader: await freshPolicy() });
      const wrong: string[] = [];
      for (const [index, action] of actions.entries()) {
        const { decision } = await authorizer.authorize({
          user,
          verb: action.verb,
          resourceRequest: action.path === undefined,
          namespace: action.namespace ?? "",
          apiGroup: action.group ?? "",
          apiVersion: "v1",
          resource: action.resource ?? "",
          subresource: action.subresource ?? "",
          name: action.name ?? "",
          path: action.path ?? "",
        });
        const expected = recording[user.name]?.[index] === "1";
        if ((decision === "allow") !== expected) {
          wrong.push(`${showing(action)}: ours ${decision}, upstream's ${expected}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }
});
