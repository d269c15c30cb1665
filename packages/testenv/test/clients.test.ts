/** Clients of others against an environment, over its HTTPS port. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  type V1Pod,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findUpstream, missingReason } from "../../conformance/src/upstream/cache.ts";
import { TestEnvironment } from "../src/index.ts";

const kubectl = findUpstream("kubectl");
missingReason("kubectl");

let env: TestEnvironment;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "testenv-"));
  env = await TestEnvironment.start({
    controllers: ["deployment-controller", "replicaset-controller", "garbage-collector-controller"],
    nodes: ["alpha"],
  });
});

afterAll(async () => {
  await env?.stop();
  await rm(folder, { recursive: true, force: true });
});

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: "web:1", ports: [{ containerPort: 80 }] }] }
`;

const noKubectl = "kubectl is neither on PATH nor in ~/.cache/nanokube/upstream/bin";

describe("kubectl", () => {
  const run = async (...args: string[]) => {
    const kubeconfig = await env.writeKubeconfig(join(folder, "kubeconfig"));
    const cacheDir = join(folder, "cache");
    const all = ["--kubeconfig", kubeconfig, "--cache-dir", cacheDir, ...args];
    return (await promisify(execFile)(kubectl!, all)).stdout;
  };

  test("applies, waits for the rollout, deletes", async (context) => {
    if (kubectl === undefined) return context.skip(noKubectl);
    const namespace = await env.createNamespace("kubectl");
    await writeFile(join(folder, "web.yaml"), manifest);
    const applied = await run("apply", "-n", namespace, "-f", join(folder, "web.yaml"));
    expect(applied).toBe("deployment.apps/web created\n");
    const rolled = await run(
      "rollout",
      "status",
      "-n",
      namespace,
      "deployment/web",
      "--timeout=20s",
    );
    expect(rolled).toContain('deployment "web" successfully rolled out');
    const wide = await run("get", "pods", "-n", namespace, "-o", "wide", "--no-headers");
    expect(wide.trim().split("\n")).toHaveLength(2);
    expect(wide).toMatch(/1\/1\s+Running\s+0\s+\S+\s+10\.244\.\d+\.\d+\s+alpha/);
    expect(await run("get", "nodes", "--no-headers")).toMatch(/^alpha\s+Ready/);
    const deleted = await run("delete", "-n", namespace, "deployment/web", "--cascade=foreground");
    expect(deleted).toContain('deployment.apps "web" deleted');
    expect(await run("get", "pods", "-n", namespace, "-o", "name")).toBe("");
  });
});

describe("@kubernetes/client-node", () => {
  const config = (text: string) => {
    const loaded = new KubeConfig();
    loaded.loadFromString(text);
    return loaded;
  };

  test("creates a Deployment and sees its pods become Ready through an informer", async () => {
    const kubeConfig = config(env.kubeconfig);
    const core = kubeConfig.makeApiClient(CoreV1Api);
    const apps = kubeConfig.makeApiClient(AppsV1Api);
    const namespace = await env.createNamespace("node");
    const ready = new Set<string>();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const informer = makeInformer<V1Pod>(kubeConfig, path, () =>
      core.listNamespacedPod({ namespace }),
    );
    informer.on("update", (pod) => {
      const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
      if (condition?.status === "True") ready.add(pod.metadata!.name!);
    });
    await informer.start();
    const containers = [{ name: "web", image: "web:1" }];
    const labels = { app: "web" };
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { replicas: 3, selector: { matchLabels: labels }, template };
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: "web" }, spec } });
    await env.eventually(() => ready.size === 3);
    await informer.stop();
  });

  test("a user without rights is refused in the server's words", async () => {
    const core = config(await env.kubeconfigFor("jane", ["readers"])).makeApiClient(CoreV1Api);
    const refused = await core.listNamespacedPod({ namespace: "default" }).catch((error) => error);
    expect(refused.code).toBe(403);
    expect(refused.body).toContain(
      'User \\"jane\\" cannot list resource \\"pods\\" in API group \\"\\" in the namespace \\"default\\"',
    );
  });
});
