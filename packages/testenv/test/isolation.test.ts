/** Several environments in one process, and one that is set back between tests. */

import {
  configMaps,
  createInformer,
  deployments,
  isReason,
  namespaces,
  pods,
} from "@nanokube/client";
import { expect, test } from "vitest";
import { start } from "./start.ts";

const configMap = (name: string, value: string) => ({
  metadata: { name, namespace: "default" },
  data: { value },
});

test("eight at once know nothing of each other", async () => {
  const envs = await Promise.all(Array.from({ length: 8 }, () => start()));
  await Promise.all(
    envs.map((env, i) => env.client.resource(configMaps).create(configMap("mine", `${i}`))),
  );
  const values = await Promise.all(
    envs.map(async (env) => {
      const found = await env.client.resource(configMaps).namespace("default").list();
      return found.items.map(({ data }) => data?.["value"]);
    }),
  );
  expect(values).toEqual(envs.map((_, i) => [`${i}`]));
  expect(new Set(envs.map((env) => env.server)).size).toBe(8);
});

test("reset brings back what was, and watches see it happen", async () => {
  const env = await start();
  const api = env.client.resource(configMaps).namespace("default");
  const kept = await api.create(configMap("kept", "before"));
  await api.create(configMap("gone", "before"));
  const before = await env.snapshot();

  const seen: string[] = [];
  const stop = new AbortController();
  const informer = createInformer({
    client: env.client,
    resource: configMaps,
    namespace: "default",
  });
  informer.onEvent({
    add: (object) => seen.push(`+${object.metadata?.name}`),
    update: (_, object) => seen.push(`${object.metadata?.name}=${object.data?.["value"]}`),
    delete: (object) => seen.push(`-${object.metadata?.name}`),
  });
  informer.start(stop.signal);
  await informer.waitForSync();
  await api.update({ ...kept, data: { value: "after" } });
  await api.delete("gone");
  await api.create(configMap("new", "after"));
  await env.eventually(() => seen.includes("+new"));
  seen.length = 0;

  await env.reset(before);
  await env.eventually(() => seen.length === 3);
  stop.abort();
  expect(seen.sort()).toEqual(["+gone", "-new", "kept=before"]);
  const { metadata, data } = await api.get("kept");
  expect(metadata?.uid).toBe(kept.metadata?.uid);
  expect(data).toEqual({ value: "before" });
  expect(Number(metadata?.resourceVersion)).toBeGreaterThan(Number(before.resourceVersion));
});

test("reset ends what controllers made meanwhile", async () => {
  const env = await start({ controllers: ["deployment", "replicaset", "namespace"], nodes: 1 });
  const before = await env.snapshot();
  const namespace = await env.createNamespace();
  const labels = { app: "web" };
  const api = env.client.resource(deployments).namespace(namespace);
  await api.create({
    metadata: { name: "web" },
    spec: {
      replicas: 5,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "web", image: "web:1" }] },
      },
    },
  });
  await env.eventually(async () => (await api.get("web")).status?.availableReplicas === 5);
  await env.reset(before);
  expect((await env.client.resource(pods).list()).items).toEqual([]);
  const names = (await env.client.resource(namespaces).list()).items.map((n) => n.metadata?.name);
  expect(names).not.toContain(namespace);
});

test("a snapshot of one environment is refused by another", async () => {
  const [one, other] = await Promise.all([start(), start()]);
  await expect(other.reset(await one.snapshot())).rejects.toThrow("not a snapshot of this");
});

test("a port in use is said so, and nothing stays behind", async () => {
  const env = await start();
  const port = Number(new URL(env.server).port);
  await expect(start({ port })).rejects.toThrow(/EADDRINUSE/);
});

test("a controller that nobody knows is refused by name", async () => {
  await expect(start({ controllers: ["deploymnet"] })).rejects.toThrow(
    '"deploymnet" is not in the list of known controllers',
  );
});

test("faults: a conflict once, a watch that breaks off, a server that is away", async () => {
  const env = await start();
  const api = env.client.resource(configMaps).namespace("default");
  const conflict = env.fault({ verb: "update", resource: "configmaps", status: 409, times: 1 });
  const created = await api.create(configMap("a", "1"));
  const refused = await api.update(created).catch((error: unknown) => error);
  expect(isReason(refused, "Conflict")).toBe(true);
  await api.update(created);
  expect(conflict.hits).toBe(1);

  env.fault({ verb: "watch", resource: "configmaps", dropWatchAfterEvents: 1, times: 1 });
  const watched = async () => {
    const seen: string[] = [];
    for await (const { object } of api.watch({ resourceVersion: "0" })) {
      seen.push(object.metadata?.name ?? "");
    }
    return seen;
  };
  await expect(watched()).rejects.toThrow("injected fault: watch dropped");

  env.fault({ resource: "configmaps", disconnect: true });
  await expect(api.list()).rejects.toThrow("connection reset");
  env.clearFaults();
  expect((await api.list()).items).toHaveLength(1);
  expect(() => env.fault({ verb: "get" })).toThrow("a fault needs one of");
});
