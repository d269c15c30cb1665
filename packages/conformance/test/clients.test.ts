/**
 * Other people's clients against ours and against kube-apiserver: client-go's informers, an operator
 * of controller-runtime's shape, @kubernetes/client-node, Python's.
 */
import { CoreV1Api, KubeConfig, makeInformer, Watch } from "@kubernetes/client-node";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";
import { pythonWithClient } from "../src/upstream/python.ts";

const python = await pythonWithClient();
const pythonReason =
  python === undefined ? 'Python\'s client not found: run "npm run upstream"' : undefined;
if (pythonReason !== undefined && process.env["CI"] === "true") throw new Error(pythonReason);

const pythonScript = `
import sys
from kubernetes import client, config, watch
config.load_kube_config(sys.argv[1])
api = client.CoreV1Api()
body = lambda name: client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "1"})
for name in ("py-1", "py-2", "py-3"):
    api.create_namespaced_config_map("default", body(name))
page = api.list_namespaced_config_map("default", limit=2)
assert page.metadata._continue, "a page goes on"
listed = api.list_namespaced_config_map("default")
api.patch_namespaced_config_map("py-1", "default", {"data": {"b": "2"}})
seen = []
for event in watch.Watch().stream(api.list_namespaced_config_map, "default",
        resource_version=listed.metadata.resource_version, timeout_seconds=10):
    seen.append((event["type"], event["object"].metadata.name, event["object"].data))
    break
assert seen == [("MODIFIED", "py-1", {"a": "1", "b": "2"})], seen
try:
    api.create_namespaced_config_map("default", body("py-1"))
    raise AssertionError("created twice")
except client.ApiException as error:
    assert error.status == 409, error
for name in ("py-1", "py-2", "py-3"):
    api.delete_namespaced_config_map(name, "default")
print("ok")
`;

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

  test.skipIf(skip ?? pythonReason)(
    "Python's client",
    async () => {
      const { stdout } = await execa(python!, ["-c", pythonScript, server.kubeconfig]);
      expect(stdout).toBe("ok");
    },
    60_000,
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
          .poll(() => added, { timeout: 10_000 })
          .toEqual(expect.arrayContaining(["node-1", "node-2"]));
        const events: string[] = [];
        const watched = new Watch(config).watch(
          "/api/v1/namespaces/default/configmaps",
          { fieldSelector: "metadata.name=node-2" },
          (type) => void events.push(type),
          () => undefined,
        );
        await expect.poll(() => events, { timeout: 10_000 }).toEqual(["ADDED"]);
        await api.deleteNamespacedConfigMap({ name: "node-2", namespace });
        await expect.poll(() => events, { timeout: 10_000 }).toEqual(["ADDED", "DELETED"]);
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
