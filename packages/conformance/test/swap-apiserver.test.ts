/**
 * Ours in the place of kube-apiserver: upstream's controller-manager, scheduler, kubelet and
 * kube-proxy run on it unchanged, on upstream's etcd and on etcd-lite, and pods live.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";
import { UpstreamCluster, upstreamClusterPrograms } from "../src/upstream/cluster.ts";

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const fromSource = (path: string) => [
  process.execPath,
  "--conditions=nanokube-source",
  source(path),
];
const ours = fromSource("apiserver/src/main.ts");

const notRoot = process.getuid?.() === 0 ? undefined : "namespaces need root";
const reason = notRoot ?? missingReason(...upstreamClusterPrograms, "kubectl");

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: httpd
        image: busybox:1.36
        command: [httpd, -f, -v, -p, "8080", -h, /etc]
        readinessProbe: { httpGet: { path: /hostname, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;

/** No DNS here: the kubelet tells a pod the addresses of Services in its environment. */
const job = `
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: once, image: "busybox:1.36", command: [sh, -c, "wget -qO- http://$WEB_SERVICE_HOST/hostname"] }]
`;

describe.each([
  ["upstream's etcd", {}],
  ["etcd-lite", { etcd: fromSource("etcd-lite/src/main.ts") }],
])("ours on %s under upstream's components", (_store, store) => {
  let cluster: UpstreamCluster;
  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), "nanokube-swap-"));
    if (reason === undefined) {
      cluster = new UpstreamCluster(directory, { "kube-apiserver": ours, ...store });
    }
  });
  afterEach(() => cluster?.destroy());

  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const options = input === undefined ? {} : { input };
    const argv = ["--kubeconfig", cluster.kubeconfig, ...args];
    return (await execa(findUpstream("kubectl")!, argv, options)).stdout;
  };

  test.skipIf(reason !== undefined)(
    `pods live and serve (${reason ?? "all there"})`,
    async () => {
      await cluster.prepare();
      await cluster.startControlPlane();
      await expect
        .poll(() => kubectl(["get", "--raw", "/readyz"]), { timeout: 240_000 })
        .toBe("ok");
      await Promise.all([cluster.startNode(), cluster.startControllers()]);
      // Whatever starts slowly is started again by somebody: here, by us.
      const account = async () => {
        await cluster.startControllers();
        return kubectl(["get", "serviceaccount", "default", "-o", "name"]);
      };
      await expect
        .poll(account, { timeout: 240_000, interval: 500 })
        .toBe("serviceaccount/default");
      await kubectl(["apply", "-f", "-"], manifest);
      await kubectl(["rollout", "status", "deployment/web", "--timeout=240s"]);
      await kubectl(["apply", "-f", "-"], job);
      await kubectl(["wait", "--for=condition=Complete", "job/once", "--timeout=240s"]);
      // Kubelets ask whether the server's certificate may reach into pods: an administrator binds it.
      const user = "--user=kube-apiserver-kubelet-client";
      const role = "--clusterrole=system:kubelet-api-admin";
      await kubectl(["create", "clusterrolebinding", "kubelet-client", role, user]);
      const pods = await kubectl(["get", "pods", "-l", "app=web", "-o", "name"]);
      const [first] = pods.split("\n");
      expect(await kubectl(["exec", first!, "--", "echo", "from inside"])).toBe("from inside");
      expect(await kubectl(["logs", "job/once"])).toMatch(/^web-/);
      await kubectl(["scale", "deployment/web", "--replicas=1"]);
      await kubectl(["rollout", "status", "deployment/web", "--timeout=240s"]);
      await kubectl(["delete", "deployment/web", "service/web", "job/once", "--timeout=240s"]);
      await expect
        .poll(() => kubectl(["get", "pods", "-o", "name"]), { timeout: 240_000 })
        .toBe("");
    },
    900_000,
  );
});
