/**
 * The controllers of nodes and volumes on a real API server, with pods and a driver faked by the
 * test.
 */
import {
  csiNodes,
  events,
  isNotFound,
  leases,
  microTime,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from "@nanokube/client";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { createServer, csi } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { createCsiProvisioner } from "../src/index.ts";
import { type Cluster, poll, startCluster } from "./cluster.ts";

/** A heartbeat under way while its node is deleted finds nothing. */
const isGone = (error: unknown) => {
  if (!isNotFound(error)) throw error;
};

describe.each(subjects)("nodes-and-volumes on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controllers", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(subject);
    }, 120_000);
    afterAll(() => cluster?.stop());

    test("a node gets its range; silent, it becomes Unknown, and its pods go after their toleration", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.client.resource(nodes);
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
        await cluster.of(leases, "kube-node-lease").create({
          metadata: { name, namespace: "kube-node-lease" },
          spec: {
            holderIdentity: name,
            leaseDurationSeconds: 40,
            renewTime: microTime(Date.now()),
          },
        });
      }
      const beat = (name: string) =>
        cluster
          .of(leases, "kube-node-lease")
          .patch(name, { spec: { renewTime: microTime(Date.now()) } }, { type: "merge" })
          .catch(isGone);
      const beating = setInterval(() => void beat("alive"), 300);
      let dyingBeats = setInterval(() => void beat("dying"), 300);
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
        await cluster.of(pods, ns).create({
          metadata: { name: "there" },
          spec: {
            nodeName: "dying",
            containers: [{ name: "main", image: "busybox" }],
            tolerations: [bears("unreachable", 2), bears("not-ready", 2)],
          },
        });
        await expect
          .poll(async () => (await cluster.of(pods, ns).get("there")).status?.phase, poll)
          .toBe("Running");
        clearInterval(dyingBeats);
        cluster.faked.fate = (pod) => (pod.spec?.nodeName === "dying" ? "Pending" : "Ready");
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
        await expect.poll(() => cluster.gone(pods, ns, "there"), poll).toBe(true);
        expect((await api.get("alive")).spec?.taints).toBeUndefined();
        // As a kubelet does, again and again: said once before its lease is seen, it is overruled.
        dyingBeats = setInterval(() => {
          void beat("dying");
          api.patch("dying", ready, { subresource: "status" }).catch(isGone);
        }, 300);
        await expect.poll(async () => (await api.get("dying")).spec?.taints, poll).toBeUndefined();
      } finally {
        clearInterval(beating);
        clearInterval(dyingBeats);
        cluster.faked.fate = () => "Ready";
        for (const name of ["alive", "dying"]) await api.delete(name);
      }
    });

    test("claims: bound to the volume that fits, or to one that the driver makes; deleted, it goes too", async () => {
      const ns = await cluster.newNamespace();
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
        client: cluster.client,
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
      const claims = cluster.of(persistentVolumeClaims, ns);
      const volumes = cluster.client.resource(persistentVolumes);
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

      await cluster.client.resource(storageClasses).create({
        metadata: { name: "fast" },
        provisioner: "hostpath.csi.test",
        volumeBindingMode: "WaitForFirstConsumer",
        reclaimPolicy: "Delete",
      });
      await cluster.client
        .resource(nodes)
        .create({ metadata: { name: "n9", labels: { "topology.test/node": "n9" } } });
      await cluster.client.resource(csiNodes).create({
        metadata: { name: "n9" },
        spec: {
          drivers: [
            { name: "hostpath.csi.test", nodeID: "n9", topologyKeys: ["topology.test/node"] },
          ],
        },
      });
      await claims.create(claim("dynamic", "fast"));
      await expect
        .poll(
          async () => (await cluster.of(events, ns).list()).items.map(({ message }) => message),
          poll,
        )
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
      await cluster.of(pods, ns).create({
        metadata: { name: "user" },
        spec: {
          nodeName: "n9",
          containers: [{ name: "main", image: "busybox" }],
          volumes: [{ name: "data", persistentVolumeClaim: { claimName: "dynamic" } }],
        },
      });
      await expect
        .poll(async () => (await cluster.of(pods, ns).get("user")).status?.phase, poll)
        .toBe("Running");
      await claims.delete("dynamic");
      expect((await claims.get("dynamic")).metadata?.deletionTimestamp).toBeDefined();
      await cluster.of(pods, ns).delete("user");
      await expect.poll(() => cluster.gone(persistentVolumeClaims, ns, "dynamic"), poll).toBe(true);
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
      await cluster.client.resource(nodes).delete("n9");
    });
  });
});
