/** The clock behind the API: leases, TTLs and back-offs pass in milliseconds. */

import { events, jobs, nodes, pods } from "@nanokube/client";
import { afterEach, expect, test } from "vitest";
import { createFakeClock, TestEnvironment, type TestEnvironmentOptions } from "../src/index.ts";

let env: TestEnvironment;
afterEach(() => env?.stop());

async function start(options: TestEnvironmentOptions): Promise<void> {
  env = await TestEnvironment.start({ clock: createFakeClock(), ...options });
}

const minute = 60_000;

const pod = (name: string, spec: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "main", image: "main:1" }], ...spec },
});

test("a Job runs its pod for an hour and is gone when its TTL has passed", async () => {
  await start({
    controllers: ["job", "ttl-after-finished", "garbagecollector"],
    nodes: 1,
    pods: () => ({ exitAfterSeconds: 3600 }),
  });
  const api = env.client.resource(jobs).namespace("default");
  const template = { spec: { ...pod("x").spec, restartPolicy: "Never" } };
  await api.create({
    metadata: { name: "report" },
    spec: { template, ttlSecondsAfterFinished: 600 },
  });
  await env.step(59 * minute);
  expect((await api.get("report")).status).toMatchObject({ active: 1, ready: 1 });
  await env.step(2 * minute);
  const { status } = await api.get("report");
  expect(status).toMatchObject({ succeeded: 1, completionTime: "2026-01-01T01:00:00Z" });
  await env.step(8 * minute);
  expect((await api.list()).items).toHaveLength(1);
  await env.step(2 * minute);
  expect((await api.list()).items).toEqual([]);
  expect((await env.client.resource(pods).list()).items).toEqual([]);
});

test("a node whose lease runs out is unreachable; its pod is evicted after the toleration", async () => {
  await start({
    controllers: ["node-lifecycle-controller", "taint-eviction-controller"],
    nodes: 2,
  });
  const api = env.client.resource(pods).namespace("default");
  const tolerations = [
    {
      key: "node.kubernetes.io/unreachable",
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 300,
    },
  ];
  await api.create(pod("web", { tolerations }));
  await env.step(minute);
  const { spec, status } = await api.get("web");
  expect(status?.phase).toBe("Running");
  const name = spec?.nodeName ?? "";
  env.silenceNode(name);
  await env.step(30_000);
  const ready = async () => {
    const node = await env.client.resource(nodes).get(name);
    return node.status?.conditions?.find(({ type }) => type === "Ready")?.status;
  };
  expect(await ready()).toBe("True");
  await env.step(30_000);
  expect(await ready()).toBe("Unknown");
  await env.step(4 * minute);
  expect((await api.get("web")).metadata?.deletionTimestamp).toBeUndefined();
  await env.step(2 * minute);
  expect((await api.get("web")).metadata?.deletionTimestamp).toBeDefined();
});

test("a container that fails is started again after 0, 10, 20, 40 seconds", async () => {
  await start({ nodes: 1, pods: () => ({ exitAfterSeconds: 1, exitCode: 3 }) });
  const api = env.client.resource(pods).namespace("default");
  await api.create(pod("web"));
  const restarts = async () => (await api.get("web")).status?.containerStatuses?.[0]?.restartCount;
  const seen: unknown[] = [];
  for (const seconds of [0.5, 1, 1, 9, 2, 19, 2]) {
    await env.step(seconds * 1000);
    seen.push(await restarts());
  }
  expect(seen).toEqual([0, 1, 1, 1, 2, 2, 3]);
});

test("events are forgotten after an hour, by etcd's own lease", async () => {
  await start({});
  const api = env.client.resource(events).namespace("default");
  const involvedObject = { kind: "Pod", namespace: "default", name: "web" };
  await api.create({ metadata: { name: "web.1" }, involvedObject, type: "Normal", reason: "Seen" });
  await env.step(59 * minute);
  expect((await api.list()).items).toHaveLength(1);
  await env.step(5 * minute);
  expect((await api.list()).items).toEqual([]);
});

test("the machine's clock does not step", async () => {
  env = await TestEnvironment.start();
  await expect(env.step(1)).rejects.toThrow("start it with a fake clock");
});
