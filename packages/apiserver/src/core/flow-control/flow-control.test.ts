import type { FlowSchema, PriorityLevelConfiguration } from "@nanokube/api/flowcontrol/v1";
import { createFakeClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { parseRequestInfo } from "../request-info.ts";
import { bootstrapLevels, bootstrapSchemas } from "./bootstrap.ts";
import { deal, FairQueues } from "./fair-queues.ts";
import { createFlowControl } from "./flow-control.ts";

const uid = (object: object) => {
  const { metadata, ...rest } = object as FlowSchema;
  return { ...rest, metadata: { ...metadata, uid: `uid-${metadata?.name}` } };
};
const schemas = bootstrapSchemas().map(uid) as FlowSchema[];
const levels = bootstrapLevels().map(uid) as PriorityLevelConfiguration[];

function control(fairness: boolean, readOnlyMax = 400, mutatingMax = 200) {
  const clock = createFakeClock();
  const options = { readOnlyMax, mutatingMax, fairness, clock, generation: () => 1 };
  const made = createFlowControl({ ...options, schemas: () => schemas, levels: () => levels });
  return { clock, made };
}

const info = (method: string, path: string) =>
  parseRequestInfo(method, path, new URLSearchParams());
const person = (name: string, ...groups: string[]) => ({
  name,
  groups: [...groups, "system:authenticated"],
});

const cases = [
  [person("a", "system:masters"), "GET", "/api/v1/pods", "exempt"],
  [person("jane"), "GET", "/healthz", "probes"],
  [person("jane"), "GET", "/healthz/ping", "global-default"],
  [person("system:node:n", "system:nodes"), "PATCH", "/api/v1/nodes/n/status", "system-node-high"],
  [person("system:node:n", "system:nodes"), "GET", "/api/v1/pods", "system-nodes"],
  [person("system:kube-scheduler"), "GET", "/api/v1/pods", "kube-scheduler"],
  [
    person("system:kube-scheduler"),
    "PUT",
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x",
    "system-leader-election",
  ],
  [
    person("system:serviceaccount:kube-system:x", "system:serviceaccounts"),
    "GET",
    "/api",
    "kube-system-service-accounts",
  ],
  [
    person("system:serviceaccount:a:x", "system:serviceaccounts"),
    "GET",
    "/api",
    "service-accounts",
  ],
] as const;

test.for(cases)("%o %s %s goes by %s", async ([user, method, path, schema]) => {
  const ticket = await control(true).made.enter(info(method, path), user);
  expect(ticket?.headers["x-kubernetes-pf-flowschema-uid"]).toBe(`uid-${schema}`);
});

test("seats are shares of both limits, rounded up", () => {
  const seats = Object.fromEntries(
    control(true)
      .made.levels()
      .map((l) => [l.name, l.seats]),
  );
  // As kube-apiserver's apiserver_flowcontrol_nominal_limit_seats with its usual limits.
  expect(seats).toEqual({
    "catch-all": 13,
    exempt: 0,
    "global-default": 49,
    "leader-election": 25,
    "node-high": 98,
    system: 74,
    "workload-high": 98,
    "workload-low": 245,
  });
});

test("with fairness off the two limits hold, and administrators pass", async () => {
  const { made } = control(false, 1, 1);
  const read = info("GET", "/api/v1/pods");
  const first = await made.enter(read, person("a"));
  expect(await made.enter(read, person("b"))).toBeUndefined();
  expect(await made.enter(read, person("c", "system:masters"))).toBeDefined();
  expect(await made.enter(info("POST", "/api/v1/nodes"), person("b"))).toBeDefined();
  expect(await made.enter(info("GET", "/api/v1/watch/pods"), person("b"))).toBeDefined();
  first?.leave();
  expect(await made.enter(read, person("b"))).toBeDefined();
});

test("a greedy flow delays a small one by its turn only", async () => {
  const queuing = { queues: 64, handSize: 4, queueLengthLimit: 50 };
  const queues = new FairQueues({ seats: 1, queuing }, createFakeClock());
  await queues.enter("greedy", 1000);
  const order: string[] = [];
  const join = (flow: string) => void queues.enter(flow, 1000).then(() => order.push(flow));
  for (let i = 0; i < 40; i++) join("greedy");
  join("small");
  for (let i = 0; i < 6; i++) {
    queues.leave();
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(order.indexOf("small")).toBeGreaterThanOrEqual(0);
  expect(order.indexOf("small")).toBeLessThan(6);
});

test("queues are full at their limit, and nobody waits for ever", async () => {
  const clock = createFakeClock();
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 2 };
  const queues = new FairQueues({ seats: 1, queuing }, clock);
  await queues.enter("a", 1000);
  const waiting = [queues.enter("a", 1000), queues.enter("a", 5000)];
  expect(await queues.enter("a", 1000)).toBe("queue-full");
  await clock.step(1000);
  expect(await waiting[0]).toBe("time-out");
  queues.leave();
  expect(await waiting[1]).toBe("executing");
  expect(queues).toMatchObject({ executing: 1, waiting: 0 });
});

test("a hand has different cards", () => {
  for (let i = 0n; i < 2000n; i++) {
    const hand = deal(i * 7_919_000_003n, 64, 8);
    expect(new Set(hand).size).toBe(8);
    expect(Math.max(...hand)).toBeLessThan(64);
  }
});
