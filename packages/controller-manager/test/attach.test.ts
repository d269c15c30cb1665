/** Attaching and detaching on a real API server; the external attacher and the kubelet are faked. */
import { createHash } from "node:crypto";
import {
  csiDrivers,
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from "@nanokube/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { type Cluster, poll, startCluster } from "./cluster.ts";

const unique = "kubernetes.io/csi/disks.example.com^h1";
const annotations = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };
const nameOn = (node: string) =>
  `csi-${createHash("sha256").update(`h1disks.example.com${node}`).digest("hex")}`;

describe.each(subjects)("attach-detach on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controller", () => {
    let cluster: Cluster;
    let ns = "";
    beforeAll(async () => {
      cluster = await startCluster(subject);
    }, 120_000);
    afterAll(() => cluster?.stop());

    const prepare = async () => {
      ns = await cluster.newNamespace();
      for (const name of ["n1", "n2"]) {
        await cluster.client.resource(nodes).create({ metadata: { name, annotations } });
      }
      await cluster.client.resource(csiDrivers).create({
        metadata: { name: "disks.example.com" },
        spec: { attachRequired: true },
      });
      await cluster.client.resource(persistentVolumes).create({
        metadata: { name: "disk" },
        spec: {
          capacity: { storage: "1Gi" },
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          persistentVolumeReclaimPolicy: "Retain",
          csi: { driver: "disks.example.com", volumeHandle: "h1" },
        },
      });
      await cluster.of(persistentVolumeClaims, ns).create({
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          volumeName: "disk",
          resources: { requests: { storage: "1Gi" } },
        },
      });
    };
    const podOn = (name: string, nodeName: string) =>
      cluster.of(pods, ns).create({
        metadata: { name },
        spec: {
          nodeName,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: "main", image: "busybox" }],
          volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
        },
      });
    const attached = async (node: string) =>
      (await cluster.client.resource(nodes).get(node)).status?.volumesAttached?.map((v) => v.name);
    const messages = async (pod: string) =>
      (await cluster.of(events, ns).list()).items
        .filter((event) => event.involvedObject?.name === pod)
        .map(({ reason, message }) => `${reason}: ${message}`);

    test("a volume follows its pod: attached, told to the node, kept while in use, detached", async () => {
      await prepare();
      const api = cluster.client.resource(volumeAttachments);
      const node = cluster.client.resource(nodes);
      await podOn("first", "n1");
      await expect
        .poll(async () => (await api.list()).items, poll)
        .toMatchObject([
          {
            metadata: { name: nameOn("n1") },
            spec: {
              attacher: "disks.example.com",
              nodeName: "n1",
              source: { persistentVolumeName: "disk" },
            },
          },
        ]);
      expect(await attached("n1")).toBeUndefined();
      await api.patch(nameOn("n1"), { status: { attached: true } }, { subresource: "status" });
      await expect.poll(() => attached("n1"), poll).toEqual([unique]);
      await expect
        .poll(() => messages("first"), poll)
        .toContain('SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "disk" ');

      await podOn("second", "n2");
      await expect
        .poll(() => messages("second"), poll)
        .toContain(
          'FailedAttachVolume: Multi-Attach error for volume "disk" Volume is already used by pod(s) first',
        );

      await node.patch("n1", { status: { volumesInUse: [unique] } }, { subresource: "status" });
      await cluster.of(pods, ns).delete("first", { gracePeriodSeconds: 0 });
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(await attached("n1")).toEqual([unique]);
      expect((await api.list()).items).toHaveLength(1);

      await node.patch("n1", { status: { volumesInUse: null } }, { subresource: "status" });
      await expect
        .poll(async () => (await api.list()).items.map(({ spec }) => spec?.nodeName), poll)
        .toEqual(["n2"]);
      expect(await attached("n1")).toBeUndefined();
    });
  });
});
