/** What is asked, and what is remembered, when a request acts as somebody else. */
import { createFakeClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { AccessMetrics } from "../../access-metrics.ts";
import type { AuthorizationAttributes } from "../../authorization/authorizer.ts";
import type { UserInfo } from "../authenticator.ts";
import { Impersonator } from "./impersonator.ts";

const nodeName = "authentication.kubernetes.io/node-name";
const agentOn = (node: string): UserInfo => ({
  name: "system:serviceaccount:default:agent",
  groups: ["system:serviceaccounts"],
  extra: { [nodeName]: [node], "authentication.kubernetes.io/pod-name": [`agent-${node}`] },
});

/** Allows the verbs that begin so, and tells what it was asked. */
function start(...allowed: string[]) {
  const asked: string[] = [];
  const clock = createFakeClock();
  const access = new AccessMetrics();
  const authorize = async ({ verb, resource, name, user }: AuthorizationAttributes) => {
    asked.push(`${verb} ${resource} ${name} ${Object.keys(user.extra ?? {}).join()}`.trim());
    const isAllowed = allowed.some((lead) => `${verb} `.startsWith(lead));
    return { decision: isAllowed ? ("allow" as const) : ("noOpinion" as const), reason: "" };
  };
  const options = { authorizer: { authorize }, clock, access, isConstrained: true };
  const impersonator = new Impersonator(options);
  const act = async (user: UserInfo, wanted: string, verb = "get") => {
    asked.length = 0;
    const attributes: AuthorizationAttributes = {
      user,
      verb,
      resourceRequest: true,
      namespace: "default",
      apiGroup: "",
      apiVersion: "v1",
      resource: "pods",
      subresource: "",
      name: "p",
      path: "",
    };
    const headers = { "impersonate-user": wanted };
    const found = await impersonator.impersonate({ headers }, () => attributes);
    return { asked: [...asked], name: found?.user.name, constraint: found?.constraint };
  };
  return { act, clock, access };
}

const caller: UserInfo = { name: "caller", groups: [] };

test("a constrained mode remembers for ten seconds: the request whole, or who it acts as", async () => {
  const { act, clock } = start("impersonate:user-info", "impersonate-on:user-info:");
  const user = { name: "jane", constraint: "impersonate:user-info" };
  const on = "impersonate-on:user-info:get pods p";
  const be = "impersonate:user-info users jane";
  expect(await act(caller, "jane")).toEqual({ ...user, asked: [on, be] });
  expect(await act(caller, "jane")).toEqual({ ...user, asked: [] });
  const list = "impersonate-on:user-info:list pods p";
  expect(await act(caller, "jane", "list")).toEqual({ ...user, asked: [list] });
  expect((await act({ ...caller, groups: ["other"] }, "jane")).asked).toEqual([on, be]);
  await clock.step(10_000);
  expect(await act(caller, "jane")).toEqual({ ...user, asked: [on, be] });
});

test("the legacy mode remembers only that it succeeded last: it is asked first", async () => {
  const { act } = start("impersonate ");
  const jane = { name: "jane", constraint: "" };
  const be = "impersonate users jane";
  const on = "impersonate-on:user-info:get pods p";
  expect(await act(caller, "jane")).toEqual({ ...jane, asked: [on, be] });
  expect(await act(caller, "jane")).toEqual({ ...jane, asked: [be] });
});

test("whom nothing allows is told what the first mode said", async () => {
  await expect(start().act(caller, "jane")).rejects.toThrow(
    'User "caller" cannot impersonate-on:user-info:get resource "pods" in API group "" in the namespace "default"',
  );
});

test("an agent is found allowed once for all nodes, and becomes the node it is on", async () => {
  const { act } = start("impersonate:associated-node", "impersonate-on:associated-node:");
  const keys = "authentication.kubernetes.io/associated-node-keys";
  const constraint = "impersonate:associated-node";
  expect(await act(agentOn("a"), "system:node:a")).toEqual({
    name: "system:node:a",
    constraint,
    asked: [
      `impersonate-on:associated-node:get pods p ${keys}`,
      `impersonate:associated-node nodes * ${keys}`,
    ],
  });
  const other = await act(agentOn("b"), "system:node:b");
  expect(other).toEqual({ name: "system:node:b", constraint, asked: [] });
  await expect(act(agentOn("b"), "system:node:a")).rejects.toThrow("arbitrary-node");
});

test("attempts are counted by mode", async () => {
  const { act, access } = start("impersonate:user-info", "impersonate-on:user-info:");
  await act(caller, "jane");
  await act(caller, "system:node:a").catch(() => undefined);
  const counted = access
    .lines()
    .filter((line) => /^apiserver_impersonation_\w+_total\{/.test(line));
  expect(counted).toEqual([
    'apiserver_impersonation_attempts_total{decision="allowed",mode="user-info"} 1',
    'apiserver_impersonation_attempts_total{decision="denied",mode=""} 1',
    'apiserver_impersonation_authorization_attempts_total{decision="allowed",mode="user-info"} 2',
    'apiserver_impersonation_authorization_attempts_total{decision="denied",mode="arbitrary-node"} 1',
    'apiserver_impersonation_authorization_attempts_total{decision="denied",mode="legacy"} 1',
  ]);
});
