/**
 * Other people's clients against ours and against kube-apiserver: client-go's informers, an operator
 * of controller-runtime's shape, @kubernetes/client-node, Python's and its operators, fabric8's.
 * What needs pods (exec, port-forward, logs) is asked of a cluster, in packages/nanokube/test.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig, makeInformer, Watch } from "@kubernetes/client-node";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";
import { fabric8Operator, hasJava } from "../src/upstream/java.ts";
import { pythonProgram, pythonWithClient } from "../src/upstream/python.ts";

const python = await pythonWithClient();
const pythonReason =
  python === undefined ? 'Python\'s client not found: run "npm run upstream"' : undefined;
if (pythonReason !== undefined && process.env["CI"] === "true") throw new Error(pythonReason);

const java = await fabric8Operator();
const javaReason =
  java === undefined ? 'fabric8\'s client not found: run "npm run upstream"' : undefined;
if (javaReason !== undefined && process.env["CI"] === "true" && (await hasJava())) {
  throw new Error(javaReason);
}

/** A kubeconfig of an account that may do everything: fabric8 reads no keys but RSA's. */
async function tokenKubeconfig(server: ApiServerInstance, directory: string): Promise<string> {
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
  const subject = { kind: "ServiceAccount", name: "java", namespace: "default" };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole" };
  const post = async (path: string, body: unknown) => {
    const answer = await server.send({ method: "POST", path, body });
    expect([path, answer.status]).toEqual([path, 201]);
    return JSON.parse(answer.text) as { status: { token: string } };
  };
  await post(accounts, { metadata: { name: "java" } });
  await post(bindings, {
    metadata: { name: "java" },
    subjects: [subject],
    roleRef: { ...roleRef, name: "cluster-admin" },
  });
  const { status } = await post(`${accounts}/java/token`, { spec: { audiences: [] } });
  const { ca } = await server.credentials();
  const cluster = {
    server: server.url,
    "certificate-authority-data": Buffer.from(ca).toString("base64"),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: { token: status.token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default" } }],
    "current-context": "x",
  };
  const file = join(directory, "kubeconfig");
  await writeFile(file, JSON.stringify(config));
  return file;
}

describe.each(apiServerSubjects())("$name", ({ open, skip }) => {
  let server: ApiServerInstance;
  beforeAll(async () => {
    if (skip === undefined) server = await open();
  }, 90_000);
  afterAll(() => server?.close());

  const program = (name: string) => skip ?? missingReason(name);

  test.skipIf(program("informers"))(
    "client-go's informers agree with what is written",
    async () => {
      const flags = ["--kubeconfig", server.kubeconfig];
      expect((await execa(findUpstream("informers")!, flags)).stdout).toBe("ok");
    },
    90_000,
  );

  test.skipIf(program("controller"))(
    "an operator of controller-runtime's shape",
    async () => {
      const flags = ["--kubeconfig-file", server.kubeconfig];
      expect((await execa(findUpstream("controller")!, flags)).stdout).toBe("ok");
    },
    120_000,
  );

  test.skipIf(skip ?? pythonReason).each([
    ["Python's client: pages, watches, apply, subresources, finalizers, a leader", "client"],
    ["kopf's operator: a kind of its own, handlers, a finalizer, a status", "kopf_operator"],
    ["kr8s: discovery, patches, waits, watches", "kr8s_client"],
  ])(
    "%s",
    async (_, name) => {
      const args = [pythonProgram(name), server.kubeconfig];
      expect((await execa(python!, args)).stdout).toBe("ok");
    },
    180_000,
  );

  test.skipIf(skip ?? javaReason)(
    "fabric8's operator: informer, finalizer, status, apply, a leader, a watch over WebSocket",
    async () => {
      const directory = await mkdtemp(join(tmpdir(), "clients-"));
      try {
        const kubeconfig = await tokenKubeconfig(server, directory);
        const [command, ...args] = java!;
        expect((await execa(command!, [...args, kubeconfig])).stdout).toBe("ok");
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    180_000,
  );

  test.skipIf(skip)(
    "@kubernetes/client-node reads, writes, watches and informs",
    async () => {
      const config = new KubeConfig();
      config.loadFromFile(server.kubeconfig);
      const api = config.makeApiClient(CoreV1Api);
      const namespace = "default";
      const body = (name: string) => ({ metadata: { name }, data: { key: name } });
      await api.createNamespacedConfigMap({ namespace, body: body("node-1") });
      const list = () => api.listNamespacedConfigMap({ namespace });
      const informer = makeInformer(config, "/api/v1/namespaces/default/configmaps", list);
      const added: (string | undefined)[] = [];
      informer.on("add", ({ metadata }) => void added.push(metadata?.name));
      await informer.start();
      try {
        await api.createNamespacedConfigMap({ namespace, body: body("node-2") });
        await expect
          .poll(() => added, { timeout: 60_000 })
          .toEqual(expect.arrayContaining(["node-1", "node-2"]));
        const events: string[] = [];
        const watched = new Watch(config).watch(
          "/api/v1/namespaces/default/configmaps",
          { fieldSelector: "metadata.name=node-2" },
          (type) => void events.push(type),
          () => undefined,
        );
        await expect.poll(() => events, { timeout: 60_000 }).toEqual(["ADDED"]);
        await api.deleteNamespacedConfigMap({ name: "node-2", namespace });
        await expect.poll(() => events, { timeout: 60_000 }).toEqual(["ADDED", "DELETED"]);
        (await watched).abort();
        await expect(
          api.readNamespacedConfigMap({ name: "node-2", namespace }),
        ).rejects.toMatchObject({
          code: 404,
        });
      } finally {
        await informer.stop();
      }
    },
    60_000,
  );
});
