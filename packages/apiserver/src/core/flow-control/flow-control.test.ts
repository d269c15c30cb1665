import type { FlowSchema, PriorityLevelConfiguration } from "@nanokube/api/flowcontrol/v1";
import { createFakeClock } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { parseRequestInfo } from "../request-info.ts";
import { bootstrapLevels, bootstrapSchemas } from "./bootstrap.ts";
import { deal } from "./deal.ts";
import { FairQueues, type Refusal, type Seated } from "./fair-queues.ts";
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

const narrow = { initialSeats: 1, finalSeats: 0, additionalMs: 0 };
const asked = (flow: string, work = narrow) => ({ flow, work, details: flow });
const leaving = (outcome: Seated<string> | Refusal) => {
  if (typeof outcome === "string") throw new Error(outcome);
  outcome.leave();
};

test("a greedy flow delays a small one by its turn only", async () => {
  const queuing = { queues: 64, handSize: 4, queueLengthLimit: 50 };
  const queues = new FairQueues<string>({ seats: 1, queuing }, createFakeClock());
  const first = queues.enter(asked("greedy"), 1000) as Seated<string>;
  const order: string[] = [];
  const running: Seated<string>[] = [first];
  const join = async (flow: string) => {
    const seated = await queues.enter(asked(flow), 1000);
    order.push(flow);
    running.push(seated as Seated<string>);
  };
  for (let i = 0; i < 40; i++) void join("greedy");
  void join("small");
  for (let i = 0; i < 6; i++) {
    running.shift()!.leave();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
  expect(order.indexOf("small")).toBeGreaterThanOrEqual(0);
  expect(order.indexOf("small")).toBeLessThan(6);
});

test("queues are full at their limit, and nobody waits for ever", async () => {
  const clock = createFakeClock();
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 2 };
  const queues = new FairQueues<string>({ seats: 1, queuing }, clock);
  const first = queues.enter(asked("a"), 1000) as Seated<string>;
  const waiting = [queues.enter(asked("a"), 1000), queues.enter(asked("a"), 5000)];
  expect(await queues.enter(asked("a"), 1000)).toBe("queue-full");
  await clock.step(1000);
  expect(await waiting[0]).toBe("time-out");
  first.leave();
  expect(await waiting[1]).toMatchObject({ details: "a" });
  expect(queues).toMatchObject({ executing: 1, waiting: 0 });
});

test("a wide request waits for its seats, and nobody overtakes it", async () => {
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 9 };
  const queues = new FairQueues<string>({ seats: 4, queuing }, createFakeClock());
  const narrows = [queues.enter(asked("a"), 1000), queues.enter(asked("a"), 1000)];
  const wide = queues.enter(asked("a", { ...narrow, initialSeats: 3 }), 1000);
  const behind = queues.enter(asked("a"), 1000);
  expect(queues).toMatchObject({ executing: 2, seatsInUse: 2, waiting: 2 });
  leaving((await narrows[0])!);
  await wide;
  expect(queues).toMatchObject({ executing: 2, seatsInUse: 4, waiting: 1 });
  leaving((await narrows[1])!);
  await behind;
  expect(queues).toMatchObject({ executing: 2, seatsInUse: 4, waiting: 0 });
});

test("a change that many watch holds its seats for a moment more", async () => {
  const clock = createFakeClock();
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 9 };
  const queues = new FairQueues<string>({ seats: 4, queuing }, clock);
  const work = { initialSeats: 1, finalSeats: 8, additionalMs: 5 };
  const change = queues.enter(asked("a", work), 1000) as Seated<string>;
  // Narrower than it wanted, for twice as long.
  expect(change.work).toEqual({ initialSeats: 1, finalSeats: 4, additionalMs: 10 });
  const next = queues.enter(asked("a"), 1000);
  change.leave();
  await clock.step(9);
  expect(queues).toMatchObject({ executing: 0, seatsInUse: 4, waiting: 1 });
  await clock.step(1);
  await next;
  expect(queues).toMatchObject({ executing: 1, seatsInUse: 1 });
});

test("a hand has different cards", () => {
  for (let i = 0n; i < 2000n; i++) {
    const hand = deal(i * 7_919_000_003n, 64, 8);
    expect(new Set(hand).size).toBe(8);
    expect(Math.max(...hand)).toBeLessThan(64);
  }
});
