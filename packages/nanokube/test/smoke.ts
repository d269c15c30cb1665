/**
 * The smoke test: what any cluster must do, whoever its components are.
 */
import { expect } from "vitest";
import { eventually, type TestCluster } from "./cluster.ts";

export const smokeManifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data: { index.html: "hello from a pod\\n" }
---
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
      initContainers:
      - { name: init, image: "busybox:1.36", command: [sh, -c, "echo prepared"] }
      containers:
      - name: httpd
        image: busybox:1.36
        command: [httpd, -f, -p, "8080", -h, /www]
        ports: [{ name: http, containerPort: 8080 }]
        readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
        volumeMounts: [{ name: page, mountPath: /www }]
      volumes: [{ name: page, configMap: { name: page } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80, targetPort: http }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: once, image: "busybox:1.36", command: [sh, -c, "echo done once"] }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: keeper }
spec:
  serviceName: keeper
  selector: { matchLabels: { app: keeper } }
  template:
    metadata: { labels: { app: keeper } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: keeper
        image: busybox:1.36
        command: [sh, -c, "echo kept >> /data/file; sleep 3600"]
        volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
`;

export async function smoke(cluster: TestCluster): Promise<void> {
  await cluster.apply(smokeManifest);
  await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=90s");
  await cluster.kubectl("rollout", "status", "statefulset/keeper", "--timeout=90s");
  await cluster.kubectl("wait", "--for=condition=complete", "job/once", "--timeout=60s");
  expect(await cluster.kubectl("logs", "job/once")).toBe("done once\n");
  const fetch = () =>
    cluster.kubectl(
      "exec",
      "keeper-0",
      "--",
      "wget",
      "-qO-",
      "http://web.default.svc.cluster.local/",
    );
  expect(await eventually(fetch, (page) => page !== "")).toBe("hello from a pod\n");

  // The volume outlives its pod, and the StatefulSet brings the pod back under its name.
  const uid = await cluster.kubectl("get", "pod", "keeper-0", "-o", "jsonpath={.metadata.uid}");
  await cluster.kubectl("delete", "pod", "keeper-0");
  await eventually(
    () =>
      cluster.kubectl("get", "pod", "keeper-0", "-o", "jsonpath={.metadata.uid} {.status.phase}"),
    (answer) => !answer.startsWith(uid) && answer.endsWith("Running"),
  );
  const file = () => cluster.kubectl("exec", "keeper-0", "--", "cat", "/data/file");
  expect(await eventually(file, (text) => text.split("\n").length > 2)).toBe("kept\nkept\n");

  await cluster.kubectl(
    "delete",
    "deployment/web",
    "service/web",
    "statefulset/keeper",
    "job/once",
    "configmap/page",
    "pvc/data-keeper-0",
  );
  const left = () => cluster.kubectl("get", "pods,pvc,pv", "-o", "name");
  expect(await eventually(left, (names) => names === "")).toBe("");
}
