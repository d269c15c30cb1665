/** The controllers on upstream's kube-apiserver, with pods faked by the test. */
import type { Deployment } from "@nanokube/api/apps/v1";
import type { Pod } from "@nanokube/api/core/v1";
import {
  type ApiObject,
  type ClosableTransport,
  configMaps,
  controllerRevisions,
  createClient,
  createHttpTransport,
  csiNodes,
  daemonSets,
  deployments,
  endpointSlices,
  endpoints,
  events,
  isNotFound,
  jobs,
  leases,
  microTime,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type ResourceRef,
  replicaSets,
  serviceAccounts,
  services,
  statefulSets,
  storageClasses,
} from "@nanokube/client";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { createServer, csi } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  missingUpstream,
  startUpstream,
  type UpstreamApiServer,
} from "../../client/test/upstream.ts";
import { createControllerManager, createCsiProvisioner } from "../src/index.ts";
import { type FakedPods, fakePods } from "./faked-pods.ts";

const missing = missingUpstream();
const poll = { timeout: 20_000, interval: 25 };

const template = (app: string, image = "busybox") => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image, ports: [{ name: "http", containerPort: 8080 }] }] },
});

const deployment = (name: string, replicas: number, spec: object = {}): Deployment => ({
  metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...spec },
});

describe.skipIf(missing !== undefined)(
  `controllers on kube-apiserver${missing ? ` (skipped: ${missing})` : ""}`,
  () => {
    let upstream: UpstreamApiServer;
    let transport: ClosableTransport;
    let client: ReturnType<typeof createClient>;
    let faked: FakedPods;
    let running: Promise<void>;
    const stop = new AbortController();
    let count = 0;

    const newNamespace = async () => {
      const name = `t${++count}`;
      await client.resource(namespaces).create({ metadata: { name } });
      await expect
        .poll(async () => client.resource(serviceAccounts).namespace(name).list(), poll)
        .toMatchObject({ items: [{ metadata: { name: "default" } }] });
      return name;
    };
    const in_ = <T extends ApiObject>(ref: ResourceRef<T>, namespace: string) =>
      client.resource(ref).namespace(namespace);
    const listNames = async (ref: ResourceRef, namespace: string) =>
      (await in_(ref, namespace).list()).items.map((item) => item.metadata?.name ?? "").sort();
    const gone = async (ref: ResourceRef, namespace: string, name: string) =>
      in_(ref, namespace)
        .get(name)
        .then(
          () => false,
          (error) => isNotFound(error),
        );

    beforeAll(async () => {
      upstream = await startUpstream([
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
      ]);
      transport = createHttpTransport(upstream.config);
      client = createClient({ transport });
      const manager = createControllerManager({
        client,
        clock: systemClock,
        random: systemRandom,
        log: nullLog,
        rootCA: "PEM of the CA",
        clusterCIDR: "10.244.0.0/16",
        nodeMonitorGracePeriodMs: 1500,
        nodeMonitorPeriodMs: 200,
        leaderElection: { identity: "test" },
      });
      running = manager.start(stop.signal);
      faked = fakePods(client);
    }, 120_000);
    afterAll(async () => {
      stop.abort();
      await faked?.stop();
      await running;
      transport?.close();
      await upstream?.stop();
    });

    test("a namespace gets its default service account and the root CA; deleted, all in it goes", async () => {
      const ns = await newNamespace();
      await expect
        .poll(
          () =>
            in_(configMaps, ns)
              .get("kube-root-ca.crt")
              .catch(() => undefined),
          poll,
        )
        .toMatchObject({ data: { "ca.crt": "PEM of the CA" } });
      await in_(deployments, ns).create(deployment("web", 2));
      await expect.poll(() => listNames(pods, ns), poll).toHaveLength(2);
      await client.resource(namespaces).delete(ns);
      await expect
        .poll(
          () =>
            client
              .resource(namespaces)
              .get(ns)
              .then(
                () => "there",
                (e) => e.reason,
              ),
          { ...poll, timeout: 60_000 },
        )
        .toBe("NotFound");
      expect(await listNames(pods, ns)).toEqual([]);
    });

    test("a Deployment rolls out, rolls over within its bounds, goes back, and is cleaned up", async () => {
      const ns = await newNamespace();
      const api = in_(deployments, ns);
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
      const sets = await in_(replicaSets, ns).list();
      expect(sets.items).toHaveLength(2);
      const back = sets.items.find((rs) => rs.spec?.replicas === 4);
      expect(back?.metadata?.annotations).toMatchObject({
        "deployment.kubernetes.io/revision": "3",
        "deployment.kubernetes.io/revision-history": "1",
        "deployment.kubernetes.io/desired-replicas": "4",
        "deployment.kubernetes.io/max-replicas": "5",
      });
      const told = await in_(events, ns).list({ fieldSelector: "involvedObject.kind=Deployment" });
      expect(told.items.map(({ message }) => message)).toContain(
        `Scaled up replica set ${back?.metadata?.name} from 0 to 4`,
      );

      await api.patch("web", { spec: { revisionHistoryLimit: 0 } });
      await expect.poll(() => listNames(replicaSets, ns), poll).toEqual([back?.metadata?.name]);
      await api.patch("web", { spec: { replicas: 1 } });
      await expect.poll(() => listNames(pods, ns), poll).toHaveLength(1);
      await api.delete("web", { propagationPolicy: "Foreground" });
      await expect.poll(() => gone(deployments, ns, "web"), poll).toBe(true);
      expect(await listNames(pods, ns)).toEqual([]);
      expect(await listNames(replicaSets, ns)).toEqual([]);
    });

    test("owners: orphan leaves dependents, background takes them", async () => {
      const ns = await newNamespace();
      await in_(deployments, ns).create(deployment("web", 1));
      await expect.poll(() => listNames(pods, ns), poll).toHaveLength(1);
      await in_(deployments, ns).delete("web", { propagationPolicy: "Orphan" });
      await expect.poll(() => gone(deployments, ns, "web"), poll).toBe(true);
      const [orphan] = (await in_(replicaSets, ns).list()).items;
      expect(orphan?.metadata?.ownerReferences).toBeUndefined();
      await in_(replicaSets, ns).delete(orphan?.metadata?.name ?? "", {
        propagationPolicy: "Background",
      });
      await expect.poll(() => listNames(pods, ns), poll).toEqual([]);
    });

    test("a Service has the addresses of its pods, ready or not", async () => {
      const ns = await newNamespace();
      await in_(services, ns).create({
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
      });
      const slices = async () =>
        (await in_(endpointSlices, ns).list({ labelSelector: "kubernetes.io/service-name=web" }))
          .items;
      await expect.poll(slices, poll).toMatchObject([{ endpoints: null }]);
      await in_(deployments, ns).create(deployment("web", 3));
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
      expect(await in_(endpoints, ns).get("web")).toMatchObject({
        subsets: [
          { addresses: [{}, {}, {}], ports: [{ name: "http", port: 8080, protocol: "TCP" }] },
        ],
      });
      faked.fate = (pod) => (pod.metadata?.namespace === ns ? "Running" : "Ready");
      faked.again();
      await expect
        .poll(async () => (await slices())[0]?.endpoints?.map((e) => e.conditions?.ready), poll)
        .toEqual([false, false, false]);
      faked.fate = () => "Ready";
      await in_(deployments, ns).delete("web");
      await expect.poll(async () => (await slices())[0]?.endpoints ?? null, poll).toBe(null);
      await in_(services, ns).delete("web");
      await expect.poll(slices, poll).toEqual([]);
    });

    test("a StatefulSet makes its pods in order, with claims, and updates down to the partition", async () => {
      const ns = await newNamespace();
      const api = in_(statefulSets, ns);
      const order: string[] = [];
      const watching = new AbortController();
      const watch = (async () => {
        for await (const { type, object } of in_(pods, ns).watch({ signal: watching.signal })) {
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
      expect(await listNames(persistentVolumeClaims, ns)).toEqual([
        "data-db-0",
        "data-db-1",
        "data-db-2",
      ]);
      const pod = await in_(pods, ns).get("db-1");
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
        (await in_(pods, ns).list()).items
          .sort((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1))
          .map((p: Pod) => p.spec?.containers?.[0]?.image);
      await expect.poll(images, poll).toEqual(["busybox", "busybox:2", "busybox:2"]);
      expect(order.slice(3)).toEqual(["db-2", "db-1"]);
      expect(await listNames(controllerRevisions, ns)).toHaveLength(2);
      await api.patch("db", { spec: { replicas: 1 } });
      await expect.poll(() => listNames(pods, ns), poll).toEqual(["db-0"]);
      watching.abort();
      await watch;
    });

    test("a DaemonSet has a pod on each node that fits, and replaces them one by one", async () => {
      const ns = await newNamespace();
      const node = (name: string, taint = false) => ({
        metadata: { name, labels: { "kubernetes.io/hostname": name } },
        spec: taint ? { taints: [{ key: "dedicated", value: "db", effect: "NoSchedule" }] } : {},
      });
      for (const name of ["n1", "n2"]) await client.resource(nodes).create(node(name));
      await client.resource(nodes).create(node("n3", true));
      const api = in_(daemonSets, ns);
      await api.create({
        metadata: { name: "agent" },
        spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent") },
      });
      const onNodes = async () =>
        (await in_(pods, ns).list()).items.map((p) => p.spec?.nodeName).sort();
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
          async () => (await in_(pods, ns).list()).items.map((p) => p.spec?.containers?.[0]?.image),
          poll,
        )
        .toEqual(["busybox:2", "busybox:2"]);
      await client.resource(nodes).patch("n3", { spec: { taints: null } }, { type: "merge" });
      await expect.poll(onNodes, poll).toEqual(["n1", "n2", "n3"]);
      for (const name of ["n1", "n2", "n3"]) await client.resource(nodes).delete(name);
    });

    test("a Job completes, fails at its limit, and is gone after its TTL", async () => {
      const ns = await newNamespace();
      const api = in_(jobs, ns);
      faked.fate = (pod) => {
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
      const good = await api.get("good");
      expect(
        good.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
      ).toEqual([
        ["SuccessCriteriaMet", "True", "CompletionsReached"],
        ["Complete", "True", "CompletionsReached"],
      ]);
      expect(good.status?.completionTime).toBeDefined();
      const ended = (await in_(pods, ns).list()).items;
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
      await expect.poll(() => gone(jobs, ns, "bad"), poll).toBe(true);
      await api.create(job("paused", { suspend: true }));
      await expect
        .poll(
          async () =>
            (await api.get("paused")).status?.conditions?.map(({ type, status }) => [type, status]),
          poll,
        )
        .toEqual([["Suspended", "True"]]);
      expect((await in_(pods, ns).list({ labelSelector: "job-name=paused" })).items).toEqual([]);
      await api.patch("paused", { spec: { suspend: false } });
      await expect.poll(() => api.get("paused"), poll).toMatchObject({ status: { succeeded: 1 } });
      faked.fate = () => "Ready";
    });

    test("a node gets its range; silent, it becomes Unknown, and its pods go after their toleration", async () => {
      const ns = await newNamespace();
      const api = client.resource(nodes);
      const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");
      const ready = {
        status: {
          conditions: [
            {
              type: "Ready",
              status: "True",
              reason: "KubeletReady",
              lastHeartbeatTime: now(),
              lastTransitionTime: now(),
            },
          ],
        },
      };
      for (const name of ["alive", "dying"]) {
        await api.create({ metadata: { name } });
        await api.patch(name, ready, { subresource: "status" });
        await in_(leases, "kube-node-lease").create({
          metadata: { name, namespace: "kube-node-lease" },
          spec: {
            holderIdentity: name,
            leaseDurationSeconds: 40,
            renewTime: microTime(Date.now()),
          },
        });
      }
      const beat = (name: string) =>
        in_(leases, "kube-node-lease").patch(
          name,
          { spec: { renewTime: microTime(Date.now()) } },
          { type: "merge" },
        );
      const beating = setInterval(() => void beat("alive"), 300);
      const dyingBeats = setInterval(() => void beat("dying"), 300);
      try {
        await expect
          .poll(async () => (await api.list()).items.map(({ spec }) => spec?.podCIDR).sort(), poll)
          .toEqual(["10.244.0.0/24", "10.244.1.0/24"]);
        const bears = (key: string, tolerationSeconds: number) => ({
          key: `node.kubernetes.io/${key}`,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds,
        });
        await in_(pods, ns).create({
          metadata: { name: "there" },
          spec: {
            nodeName: "dying",
            containers: [{ name: "main", image: "busybox" }],
            tolerations: [bears("unreachable", 2), bears("not-ready", 2)],
          },
        });
        await expect
          .poll(async () => (await in_(pods, ns).get("there")).status?.phase, poll)
          .toBe("Running");
        clearInterval(dyingBeats);
        await expect
          .poll(
            async () =>
              (await api.get("dying")).spec?.taints
                ?.map(({ key, effect }) => `${key}:${effect}`)
                .sort(),
            poll,
          )
          .toEqual([
            "node.kubernetes.io/unreachable:NoExecute",
            "node.kubernetes.io/unreachable:NoSchedule",
          ]);
        const silent = await api.get("dying");
        expect(silent.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
        });
        await expect.poll(() => gone(pods, ns, "there"), poll).toBe(true);
        expect((await api.get("alive")).spec?.taints).toBeUndefined();
        await beat("dying");
        await api.patch("dying", ready, { subresource: "status" });
        await expect.poll(async () => (await api.get("dying")).spec?.taints, poll).toBeUndefined();
      } finally {
        clearInterval(beating);
        clearInterval(dyingBeats);
        for (const name of ["alive", "dying"]) await api.delete(name);
      }
    });

    test("claims: bound to the volume that fits, or to one that the driver makes; deleted, it goes too", async () => {
      const ns = await newNamespace();
      const driver = createServer();
      const asked: unknown[] = [];
      driver.add(csi.Controller, {
        createVolume: (request) => {
          asked.push({ create: request.name, bytes: request.capacityRange?.requiredBytes });
          const topology = request.accessibilityRequirements?.preferred[0];
          return {
            volume: {
              volumeId: `v-${request.name}`,
              capacityBytes: request.capacityRange?.requiredBytes ?? 0,
              volumeContext: { kind: "fast" },
              accessibleTopology: topology === undefined ? [] : [topology],
            },
          };
        },
        deleteVolume: ({ volumeId }) => {
          asked.push({ delete: volumeId });
          return {};
        },
      });
      const provisioner = createCsiProvisioner({
        client,
        csi: driver.memory(),
        driverName: "hostpath.csi.test",
        clock: systemClock,
        random: systemRandom,
        log: nullLog,
      });
      const stopProvisioner = new AbortController();
      const provisioning = provisioner.start(stopProvisioner.signal);
      const claim = (name: string, storageClassName: string, storage = "1Gi") => ({
        metadata: { name },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName,
          resources: { requests: { storage } },
        },
      });
      const volume = (name: string, storage: string) => ({
        metadata: { name },
        spec: {
          accessModes: ["ReadWriteOnce"],
          capacity: { storage },
          storageClassName: "manual",
          hostPath: { path: "/tmp/none" },
        },
      });
      const claims = in_(persistentVolumeClaims, ns);
      const volumes = client.resource(persistentVolumes);
      for (const [name, size] of [
        ["big", "10Gi"],
        ["fit", "2Gi"],
        ["small", "500Mi"],
      ] as const) {
        await volumes.create(volume(name, size));
      }
      await claims.create(claim("static", "manual"));
      await expect
        .poll(() => claims.get("static"), poll)
        .toMatchObject({
          spec: { volumeName: "fit" },
          status: { phase: "Bound", capacity: { storage: "2Gi" } },
        });
      await claims.delete("static");
      await expect
        .poll(async () => (await volumes.get("fit")).status?.phase, poll)
        .toBe("Released");

      await client.resource(storageClasses).create({
        metadata: { name: "fast" },
        provisioner: "hostpath.csi.test",
        volumeBindingMode: "WaitForFirstConsumer",
        reclaimPolicy: "Delete",
      });
      await client
        .resource(nodes)
        .create({ metadata: { name: "n9", labels: { "topology.test/node": "n9" } } });
      await client.resource(csiNodes).create({
        metadata: { name: "n9" },
        spec: {
          drivers: [
            { name: "hostpath.csi.test", nodeID: "n9", topologyKeys: ["topology.test/node"] },
          ],
        },
      });
      await claims.create(claim("dynamic", "fast"));
      await expect
        .poll(async () => (await in_(events, ns).list()).items.map(({ message }) => message), poll)
        .toContain("waiting for first consumer to be created before binding");
      await claims.patch("dynamic", {
        metadata: { annotations: { "volume.kubernetes.io/selected-node": "n9" } },
      });
      await expect
        .poll(async () => (await claims.get("dynamic")).status?.phase, poll)
        .toBe("Bound");
      const bound = await claims.get("dynamic");
      const made = await volumes.get(bound.spec?.volumeName ?? "");
      expect(made).toMatchObject({
        metadata: {
          name: `pvc-${bound.metadata?.uid}`,
          annotations: { "pv.kubernetes.io/provisioned-by": "hostpath.csi.test" },
        },
        spec: {
          capacity: { storage: "1Gi" },
          persistentVolumeReclaimPolicy: "Delete",
          storageClassName: "fast",
          csi: { driver: "hostpath.csi.test", volumeHandle: `v-pvc-${bound.metadata?.uid}` },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [{ key: "topology.test/node", operator: "In", values: ["n9"] }],
                },
              ],
            },
          },
        },
      });
      // In use: it stays until the pod is gone.
      await in_(pods, ns).create({
        metadata: { name: "user" },
        spec: {
          nodeName: "n9",
          containers: [{ name: "main", image: "busybox" }],
          volumes: [{ name: "data", persistentVolumeClaim: { claimName: "dynamic" } }],
        },
      });
      await expect
        .poll(async () => (await in_(pods, ns).get("user")).status?.phase, poll)
        .toBe("Running");
      await claims.delete("dynamic");
      expect((await claims.get("dynamic")).metadata?.deletionTimestamp).toBeDefined();
      await in_(pods, ns).delete("user");
      await expect.poll(() => gone(persistentVolumeClaims, ns, "dynamic"), poll).toBe(true);
      await expect
        .poll(
          () =>
            volumes.get(made.metadata?.name ?? "").then(
              () => "there",
              (e) => e.reason,
            ),
          poll,
        )
        .toBe("NotFound");
      expect(asked).toEqual([
        { create: made.metadata?.name, bytes: 2 ** 30 },
        { delete: `v-${made.metadata?.name}` },
      ]);
      stopProvisioner.abort();
      await provisioning;
      await driver.close();
      await client.resource(nodes).delete("n9");
    });
  },
);
