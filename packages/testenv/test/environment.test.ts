/** One environment: its kubeconfig, clients, namespaces, controllers, scripted pods. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiObject, deployments, namespaces, pods } from "@nanokube/client";
import { expect, test } from "vitest";
import { createFakeClock } from "../src/index.ts";
import { start } from "./start.ts";

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

test("apply makes an object, changes it, and writes its status", async () => {
  const env = await start();
  const node = (podCIDR: string, address: string): ApiObject =>
    ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n1" },
      spec: { podCIDR },
      status: { addresses: [{ type: "InternalIP", address }] },
    }) as ApiObject;
  await env.apply(node("10.244.1.0/24", "10.89.0.11"));
  const [changed] = await env.apply(node("10.244.1.0/24", "10.89.0.12"));
  expect(changed).toMatchObject({
    spec: { podCIDR: "10.244.1.0/24" },
    status: { addresses: [{ type: "InternalIP", address: "10.89.0.12" }] },
  });
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

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget, listKind: WidgetList }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, properties: { size: { type: integer } } }
---
apiVersion: example.com/v1
kind: Widget
metadata: { name: first, namespace: default }
spec: { size: 3 }
`;

test("definitions and objects from a file are there when start resolves", async () => {
  const folder = await mkdtemp(join(tmpdir(), "testenv-"));
  try {
    const [crd, widget] = definition.split("---\n");
    await writeFile(join(folder, "crd.yaml"), crd!);
    await writeFile(join(folder, "widget.yaml"), widget!);
    const env = await start({
      crds: [join(folder, "crd.yaml")],
      objects: [join(folder, "widget.yaml")],
    });
    const ref = { group: "example.com", version: "v1", plural: "widgets", namespaced: true };
    const found = await env.client.resource(ref).namespace("default").get("first");
    expect(found).toMatchObject({ kind: "Widget", spec: { size: 3 } });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a pod is ready when its script says, and unready while it backs off", async () => {
  const clock = createFakeClock();
  const env = await start({ nodes: 1, clock, pods: () => ({ readyAfterSeconds: 5 }) });
  const api = env.client.resource(pods).namespace("default");
  await api.create({ metadata: { name: "web" }, spec: web("default").spec.template.spec });
  const ready = async () =>
    (await api.get("web")).status?.conditions?.find(({ type }) => type === "Ready");
  await env.step(4_000);
  expect(await ready()).toMatchObject({
    status: "False",
    reason: "ContainersNotReady",
    message: "containers with unready status: [web]",
  });
  await env.step(1_500);
  expect(await ready()).toMatchObject({
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:05Z",
  });
  await api.delete("web");
  await env.step(0);
  expect((await api.list()).items).toEqual([]);
});
