/** The controllers of workloads on a real API server, with pods faked by the test. */
import type { Pod } from "@nanokube/api/core/v1";
import {
  configMaps,
  controllerRevisions,
  daemonSets,
  deployments,
  endpointSlices,
  endpoints,
  events,
  jobs,
  namespaces,
  nodes,
  persistentVolumeClaims,
  pods,
  replicaSets,
  services,
  statefulSets,
} from "@nanokube/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { type Cluster, deployment, poll, startCluster, template } from "./cluster.ts";

describe.each(subjects)("workloads on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controllers", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(subject);
    }, 120_000);
    afterAll(() => cluster?.stop());

    test("a namespace gets its default service account and the root CA; deleted, all in it goes", async () => {
      const ns = await cluster.newNamespace();
      await expect
        .poll(
          () =>
            cluster
              .of(configMaps, ns)
              .get("kube-root-ca.crt")
              .catch(() => undefined),
          poll,
        )
        .toMatchObject({ data: { "ca.crt": "PEM of the CA" } });
      await cluster.of(deployments, ns).create(deployment("web", 2));
      await expect.poll(() => cluster.names(pods, ns), poll).toHaveLength(2);
      await cluster.client.resource(namespaces).delete(ns);
      await expect
        .poll(
          () =>
            cluster.client
              .resource(namespaces)
              .get(ns)
              .then(
                () => "there",
                (e) => e.reason,
              ),
          { ...poll, timeout: 60_000 },
        )
        .toBe("NotFound");
      expect(await cluster.names(pods, ns)).toEqual([]);
    });

    test("a Deployment rolls out, rolls over within its bounds, goes back, and is cleaned up", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(deployments, ns);
      await api.create(deployment("web", 4));
      const complete = (revision: string, generation: number) => ({
        metadata: { annotations: { "deployment.kubernetes.io/revision": revision } },
        status: {
          observedGeneration: generation,
          replicas: 4,
          updatedReplicas: 4,
          availableReplicas: 4,
        },
      });
      await expect.poll(() => api.get("web"), poll).toMatchObject(complete("1", 1));
      const first = await api.get("web");
      expect(first.status?.conditions).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
          }),
          expect.objectContaining({
            type: "Progressing",
            status: "True",
            reason: "NewReplicaSetAvailable",
          }),
        ]),
      );
      expect(first.status?.unavailableReplicas).toBeUndefined();

      // maxSurge 25% of 4 is 1 more, maxUnavailable 25% is 1 less.
      const bounds: string[] = [];
      const watching = new AbortController();
      const watch = (async () => {
        for await (const { object } of api.watch({ signal: watching.signal })) {
          const { replicas = 0, availableReplicas = 0 } = object.status ?? {};
          if (replicas > 5 || availableReplicas < 3)
            bounds.push(`${replicas}/${availableReplicas}`);
        }
      })().catch(() => {});
      await api.patch("web", { spec: { template: template("web", "busybox:2") } });
      await expect.poll(() => api.get("web"), poll).toMatchObject(complete("2", 2));
      watching.abort();
      await watch;
      expect(bounds).toEqual([]);

      await api.patch("web", { spec: { template: template("web", "busybox") } });
      await expect.poll(() => api.get("web"), poll).toMatchObject(complete("3", 3));
      const sets = await cluster.of(replicaSets, ns).list();
      expect(sets.items).toHaveLength(2);
      const back = sets.items.find((rs) => rs.spec?.replicas === 4);
      expect(back?.metadata?.annotations).toMatchObject({
        "deployment.kubernetes.io/revision": "3",
        "deployment.kubernetes.io/revision-history": "1",
        "deployment.kubernetes.io/desired-replicas": "4",
        "deployment.kubernetes.io/max-replicas": "5",
      });
      const told = await cluster
        .of(events, ns)
        .list({ fieldSelector: "involvedObject.kind=Deployment" });
      expect(told.items.map(({ message }) => message)).toContain(
        `Scaled up replica set ${back?.metadata?.name} from 0 to 4`,
      );

      await api.patch("web", { spec: { revisionHistoryLimit: 0 } });
      await expect.poll(() => cluster.names(replicaSets, ns), poll).toEqual([back?.metadata?.name]);
      await api.patch("web", { spec: { replicas: 1 } });
      await expect.poll(() => cluster.names(pods, ns), poll).toHaveLength(1);
      await api.delete("web", { propagationPolicy: "Foreground" });
      await expect.poll(() => cluster.gone(deployments, ns, "web"), poll).toBe(true);
      expect(await cluster.names(pods, ns)).toEqual([]);
      expect(await cluster.names(replicaSets, ns)).toEqual([]);
    });

    test("owners: orphan leaves dependents, background takes them", async () => {
      const ns = await cluster.newNamespace();
      await cluster.of(deployments, ns).create(deployment("web", 1));
      await expect.poll(() => cluster.names(pods, ns), poll).toHaveLength(1);
      await cluster.of(deployments, ns).delete("web", { propagationPolicy: "Orphan" });
      await expect.poll(() => cluster.gone(deployments, ns, "web"), poll).toBe(true);
      const [orphan] = (await cluster.of(replicaSets, ns).list()).items;
      expect(orphan?.metadata?.ownerReferences).toBeUndefined();
      await cluster.of(replicaSets, ns).delete(orphan?.metadata?.name ?? "", {
        propagationPolicy: "Background",
      });
      await expect.poll(() => cluster.names(pods, ns), poll).toEqual([]);
    });

    test("a Service has the addresses of its pods, ready or not", async () => {
      const ns = await cluster.newNamespace();
      await cluster.of(services, ns).create({
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
      });
      const slices = async () =>
        (
          await cluster
            .of(endpointSlices, ns)
            .list({ labelSelector: "kubernetes.io/service-name=web" })
        ).items;
      await expect.poll(slices, poll).toMatchObject([{ addressType: "IPv4" }]);
      await cluster.of(deployments, ns).create(deployment("web", 3));
      await expect
        .poll(async () => (await slices())[0]?.endpoints?.map((e) => e.conditions?.ready), poll)
        .toEqual([true, true, true]);
      const [slice] = await slices();
      expect(slice).toMatchObject({
        addressType: "IPv4",
        metadata: {
          labels: { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
        },
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      });
      expect(await cluster.of(endpoints, ns).get("web")).toMatchObject({
        subsets: [
          { addresses: [{}, {}, {}], ports: [{ name: "http", port: 8080, protocol: "TCP" }] },
        ],
      });
      cluster.faked.fate = (pod) => (pod.metadata?.namespace === ns ? "Running" : "Ready");
      cluster.faked.again();
      await expect
        .poll(async () => (await slices())[0]?.endpoints?.map((e) => e.conditions?.ready), poll)
        .toEqual([false, false, false]);
      cluster.faked.fate = () => "Ready";
      await cluster.of(deployments, ns).delete("web");
      await expect.poll(async () => (await slices())[0]?.endpoints ?? [], poll).toEqual([]);
      await cluster.of(services, ns).delete("web");
      await expect.poll(slices, poll).toEqual([]);
    });

    test("a StatefulSet makes its pods in order, with claims, and updates down to the partition", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(statefulSets, ns);
      const order: string[] = [];
      const watching = new AbortController();
      const watch = (async () => {
        for await (const { type, object } of cluster
          .of(pods, ns)
          .watch({ signal: watching.signal })) {
          if (type === "ADDED") order.push(object.metadata?.name ?? "");
        }
      })().catch(() => {});
      await api.create({
        metadata: { name: "db" },
        spec: {
          replicas: 3,
          serviceName: "db",
          selector: { matchLabels: { app: "db" } },
          template: template("db"),
          volumeClaimTemplates: [
            {
              metadata: { name: "data" },
              spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
            },
          ],
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } },
          persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" },
        },
      });
      await expect
        .poll(() => api.get("db"), poll)
        .toMatchObject({
          status: { replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 },
        });
      expect(order).toEqual(["db-0", "db-1", "db-2"]);
      expect(await cluster.names(persistentVolumeClaims, ns)).toEqual([
        "data-db-0",
        "data-db-1",
        "data-db-2",
      ]);
      const pod = await cluster.of(pods, ns).get("db-1");
      expect(pod).toMatchObject({
        metadata: {
          labels: {
            "statefulset.kubernetes.io/pod-name": "db-1",
            "apps.kubernetes.io/pod-index": "1",
          },
        },
        spec: { hostname: "db-1", subdomain: "db" },
      });
      await api.patch("db", { spec: { template: template("db", "busybox:2") } });
      const images = async () =>
        (await cluster.of(pods, ns).list()).items
          .sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1))
          .map((p: Pod) => p.spec?.containers?.[0]?.image);
      await expect.poll(images, poll).toEqual(["busybox", "busybox:2", "busybox:2"]);
      expect(order.slice(3)).toEqual(["db-2", "db-1"]);
      expect(await cluster.names(controllerRevisions, ns)).toHaveLength(2);
      await api.patch("db", { spec: { replicas: 1 } });
      await expect.poll(() => cluster.names(pods, ns), poll).toEqual(["db-0"]);
      watching.abort();
      await watch;
    });

    test("a DaemonSet has a pod on each node that fits, and replaces them one by one", async () => {
      const ns = await cluster.newNamespace();
      const node = (name: string, taint = false) => ({
        metadata: { name, labels: { "kubernetes.io/hostname": name } },
        spec: taint ? { taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] } : {},
      });
      for (const name of ["n1", "n2"]) await cluster.client.resource(nodes).create(node(name));
      await cluster.client.resource(nodes).create(node("n3", true));
      const api = cluster.of(daemonSets, ns);
      await api.create({
        metadata: { name: "agent" },
        spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent") },
      });
      const onNodes = async () =>
        (await cluster.of(pods, ns).list()).items.map((p) => p.spec?.nodeName).sort();
      await expect.poll(onNodes, poll).toEqual(["n1", "n2"]);
      await expect
        .poll(() => api.get("agent"), poll)
        .toMatchObject({
          status: {
            desiredNumberScheduled: 2,
            numberReady: 2,
            updatedNumberScheduled: 2,
            numberAvailable: 2,
          },
        });
      await api.patch("agent", { spec: { template: template("agent", "busybox:2") } });
      await expect
        .poll(
          async () =>
            (await cluster.of(pods, ns).list()).items.map((p) => p.spec?.containers?.[0]?.image),
          poll,
        )
        .toEqual(["busybox:2", "busybox:2"]);
      await cluster.client
        .resource(nodes)
        .patch("n3", { spec: { taints: null } }, { type: "merge" });
      await expect.poll(onNodes, poll).toEqual(["n1", "n2", "n3"]);
      for (const name of ["n1", "n2", "n3"]) await cluster.client.resource(nodes).delete(name);
    });

    test("a Job completes, fails at its limit, and is gone after its TTL", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(jobs, ns);
      cluster.faked.fate = (pod) => {
        if (pod.metadata?.namespace !== ns) return "Ready";
        return pod.metadata?.labels?.fails ? "Failed" : "Succeeded";
      };
      const job = (name: string, spec: object, labels = {}) => ({
        metadata: { name },
        spec: {
          template: {
            metadata: { labels },
            spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
          },
          ...spec,
        },
      });
      await api.create(job("good", { completions: 5, parallelism: 2, completionMode: "Indexed" }));
      await expect
        .poll(() => api.get("good"), poll)
        .toMatchObject({
          status: { succeeded: 5, completedIndexes: "0-4", uncountedTerminatedPods: {} },
        });
      await expect
        .poll(
          async () =>
            (await api.get("good")).status?.conditions?.map(({ type, status, reason }) => [
              type,
              status,
              reason,
            ]),
          poll,
        )
        .toEqual([
          ["SuccessCriteriaMet", "True", "CompletionsReached"],
          ["Complete", "True", "CompletionsReached"],
        ]);
      const good = await api.get("good");
      expect(good.status?.completionTime).toBeDefined();
      const ended = (await cluster.of(pods, ns).list()).items;
      expect(ended.every((pod) => pod.metadata?.finalizers === undefined)).toBe(true);
      expect(ended.map((pod) => pod.spec?.hostname).sort()).toEqual(
        [0, 1, 2, 3, 4].map((i) => `good-${i}`),
      );

      await api.create(
        job("bad", { backoffLimit: 0, ttlSecondsAfterFinished: 1 }, { fails: "yes" }),
      );
      await expect
        .poll(
          async () =>
            (await api.get("bad")).status?.conditions?.map(({ type, reason }) => [type, reason]),
          poll,
        )
        .toEqual([
          ["FailureTarget", "BackoffLimitExceeded"],
          ["Failed", "BackoffLimitExceeded"],
        ]);
      await expect.poll(() => cluster.gone(jobs, ns, "bad"), poll).toBe(true);
      await api.create(job("paused", { suspend: true }));
      await expect
        .poll(
          async () =>
            (await api.get("paused")).status?.conditions?.map(({ type, status }) => [type, status]),
          poll,
        )
        .toEqual([["Suspended", "True"]]);
      expect((await cluster.of(pods, ns).list({ labelSelector: "job-name=paused" })).items).toEqual(
        [],
      );
      await api.patch("paused", { spec: { suspend: false } });
      await expect.poll(() => api.get("paused"), poll).toMatchObject({ status: { succeeded: 1 } });
      cluster.faked.fate = () => "Ready";
    });
  });
});
