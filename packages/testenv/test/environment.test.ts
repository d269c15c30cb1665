/** One environment: its kubeconfig, clients, namespaces, controllers, scripted pods. */

import { deployments, namespaces, pods } from "@nanokube/client";
import { afterEach, expect, test } from "vitest";
import { TestEnvironment, type TestEnvironmentOptions } from "../src/index.ts";

const running: TestEnvironment[] = [];

async function start(options?: TestEnvironmentOptions): Promise<TestEnvironment> {
  const env = await TestEnvironment.start(options);
  running.push(env);
  return env;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((env) => env.stop()));
});

const web = (namespace: string, replicas = 2) => ({
  metadata: { name: "web", namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:1" }] },
    },
  },
});

test("an environment without controllers keeps what it is given", async () => {
  const env = await start();
  const namespace = await env.createNamespace();
  const created = await env.client.resource(deployments).create(web(namespace));
  expect(created.metadata).toMatchObject({ namespace, generation: 1 });
  expect((await env.client.resource(pods).list()).items).toEqual([]);
});

test("a Deployment becomes Available on scripted nodes", async () => {
  const env = await start({
    controllers: ["deployment-controller", "replicaset-controller"],
    nodes: 2,
  });
  const namespace = await env.createNamespace();
  const api = env.client.resource(deployments).namespace(namespace);
  await api.create(web(namespace));
  await env.eventually(async () => (await api.get("web")).status?.availableReplicas === 2);
  const { items } = await env.client.resource(pods).namespace(namespace).list();
  expect(items.map((pod) => pod.status?.phase)).toEqual(["Running", "Running"]);
});

test("a namespace ends with all that is in it", async () => {
  const env = await start({ controllers: ["namespace-controller"] });
  const name = await env.createNamespace();
  await env.client.resource(deployments).create(web(name));
  await env.client.resource(namespaces).delete(name);
  await env.eventually(async () => {
    const { items } = await env.client.resource(namespaces).list();
    return items.every((namespace) => namespace.metadata?.name !== name);
  });
});
