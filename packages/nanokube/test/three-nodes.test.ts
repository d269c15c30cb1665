/** Three nodes on one machine: traffic between them by name, and a node that fails. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, containersReason, eventually, TestCluster } from "./cluster.ts";
import { leftovers } from "./leaks.ts";

const spread = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 2 }
      topologySpreadConstraints:
      - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: web } } }
      containers:
      - name: httpd
        image: busybox:1.36
        command: [sh, -c, "mkdir /www; echo $NODE > /www/index.html; exec httpd -f -p 8080 -h /www"]
        env: [{ name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]
        readinessProbe: { httpGet: { path: /, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;

describe.skipIf(containersReason !== undefined)(
  `three nodes (${containersReason ?? "containerd"})`,
  () => {
    const cluster = new TestCluster();
    let before: ReturnType<typeof leftovers>;

    beforeAll(async () => {
      before = leftovers();
      await cluster.up("--nodes", "3", "--node-monitor-grace-period", "20s");
      await cluster.apply(spread);
      await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=90s");
    });

    afterAll(async () => {
      await cluster.destroy();
      expect(leftovers()).toEqual(before);
    });

    const nodesOfPods = async () => {
      const path = "jsonpath={range .items[?(@.status.phase=='Running')]}{.spec.nodeName} {end}";
      const names = await cluster.kubectl("get", "pods", "-l", "app=web", "-o", path);
      return names.trim().split(" ").sort();
    };

    test("the pods are spread over the nodes", async () => {
      expect(await nodesOfPods()).toEqual(["n1", "n2", "n3"]);
    });

    test("a pod reaches the Service's pods on every node by name", async () => {
      await cluster.kubectl("run", "client", "--image=busybox:1.36", "--", "sleep", "3600");
      await cluster.kubectl("wait", "--for=condition=ready", "pod/client", "--timeout=60s");
      const script = "for i in $(seq 40); do wget -qO- http://web; done";
      const answers = await cluster.kubectl("exec", "client", "--", "sh", "-c", script);
      expect([...new Set(answers.trim().split("\n"))].sort()).toEqual(["n1", "n2", "n3"]);
    });

    test("pods of a node that failed run elsewhere after their toleration", async () => {
      const stopped = await cli("node", "stop", "n3", "--data-dir", cluster.dataDir);
      expect(stopped.stderr).toBe("");
      await eventually(
        () =>
          cluster.kubectl(
            "get",
            "node",
            "n3",
            "-o",
            "jsonpath={.status.conditions[?(@.type=='Ready')].status}",
          ),
        (status) => status === "Unknown",
        90_000,
      );
      // The old ones count as ready until they have been marked: what counts is where new ones run.
      const path = "jsonpath={range .items[*]}{.spec.nodeName}={.metadata.deletionTimestamp} {end}";
      await eventually(
        () => cluster.kubectl("get", "pods", "-l", "app=web", "-o", path),
        (pods) =>
          pods
            .trim()
            .split(" ")
            .filter((pod) => /^n[12]=$/.test(pod)).length === 3,
        60_000,
      );
      await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    });

    test("the node comes back", async () => {
      const started = await cli("node", "start", "n3", "--data-dir", cluster.dataDir);
      expect(started.stderr).toBe("");
      await cluster.kubectl("wait", "--for=condition=ready", "node/n3", "--timeout=60s");
      await eventually(
        () => cluster.kubectl("get", "pods", "-l", "app=web", "-o", "name"),
        (names) => names.trim().split("\n").length === 3,
      );
    });
  },
  300_000,
);
