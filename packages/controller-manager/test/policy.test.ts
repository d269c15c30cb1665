/**
 * The controllers of limits, budgets, times and names on a real API server, with pods faked by the
 * test.
 */
import { X509Certificate } from "node:crypto";
import {
  certificateSigningRequests,
  clusterRoles,
  cronJobs,
  deployments,
  endpointSlices,
  endpoints,
  jobs,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  replicationControllers,
  resourceQuotas,
  secrets,
  services,
} from "@nanokube/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { createRequest } from "./authority.ts";
import { type Cluster, deployment, poll, startCluster, template } from "./cluster.ts";

describe.each(subjects)("policy on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controllers", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(subject);
    }, 120_000);
    afterAll(() => cluster?.stop());

    test("a budget says how many pods may be evicted, and gives back what was taken", async () => {
      const ns = await cluster.newNamespace();
      await cluster.of(deployments, ns).create(deployment("web", 4));
      const api = cluster.of(podDisruptionBudgets, ns);
      await api.create({
        metadata: { name: "web" },
        spec: { maxUnavailable: "25%", selector: { matchLabels: { app: "web" } } },
      });
      const full = { expectedPods: 4, currentHealthy: 4, desiredHealthy: 3, disruptionsAllowed: 1 };
      await expect.poll(() => api.get("web"), poll).toMatchObject({ status: full });
      const [first, second] = await cluster.names(pods, ns);
      const evict = (name: string) =>
        cluster.of(pods, ns).createSubresource(name, "eviction", {
          apiVersion: "policy/v1",
          kind: "Eviction",
          metadata: { name, namespace: ns },
        });
      // No kubelet lets go of pods for a moment.
      cluster.faked.fate = () => "Pending";
      await evict(first!);
      await expect(evict(second!)).rejects.toThrow(
        "Cannot evict pod as it would violate the pod's disruption budget.",
      );
      cluster.faked.fate = () => "Ready";
      cluster.faked.again();
      await expect.poll(() => api.get("web"), poll).toMatchObject({ status: full });
      expect((await api.get("web")).status?.disruptedPods).toBeUndefined();
    });

    test("a pod that is evicted says so while it goes", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(pods, ns);
      // No kubelet writes conditions of its own over these.
      cluster.faked.fate = () => "Pending";
      const metadata = { name: "stays", finalizers: ["example.com/stays"] };
      await api.create({ metadata, spec: template("x").spec });
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "stays" } };
      await api.createSubresource("stays", "eviction", eviction);
      const evicted = await api.get("stays");
      expect(evicted.metadata?.deletionTimestamp).toBeDefined();
      expect(evicted.status?.conditions?.find(({ type }) => type === "DisruptionTarget")).toEqual({
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        lastProbeTime: null,
        lastTransitionTime: expect.any(String),
      });
      const owned = (evicted.metadata?.managedFields ?? []).map(({ fieldsV1 }) => fieldsV1);
      expect(JSON.stringify(owned)).not.toContain("DisruptionTarget");
      await api.patch("stays", { metadata: { finalizers: null } });
      await expect.poll(() => cluster.gone(pods, ns, "stays"), poll).toBe(true);
      cluster.faked.fate = () => "Ready";
      cluster.faked.again();
    });

    test("a quota counts what only the server knows, and what goes of it at once", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(resourceQuotas, ns);
      const names = ["replicationcontrollers", "configmaps", "secrets", "count/cronjobs.batch"];
      const hard = Object.fromEntries(names.map((name) => [name, "9"]));
      await api.create({ metadata: { name: "q" }, spec: { hard } });
      const used = async () => (await api.get("q")).status?.used;
      await expect.poll(used, poll).toMatchObject({ replicationcontrollers: "0" });
      const meta = { metadata: { name: "x" } };
      const pod = { metadata: { labels: { a: "b" } }, spec: template("x").spec };
      await cluster
        .of(replicationControllers, ns)
        .create({ ...meta, spec: { replicas: 0, selector: { a: "b" }, template: pod } });
      await cluster.of(secrets, ns).create({ ...meta, data: {} });
      await expect
        .poll(used, poll)
        .toMatchObject({ replicationcontrollers: "1", secrets: "1", "count/cronjobs.batch": "0" });
      await cluster.of(replicationControllers, ns).delete("x");
      await cluster.of(secrets, ns).delete("x");
      await expect.poll(used, poll).toMatchObject({ replicationcontrollers: "0", secrets: "0" });
    });

    test("a quota is recounted when something goes", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(resourceQuotas, ns);
      await api.create({
        metadata: { name: "q" },
        spec: {
          hard: {
            pods: "5",
            "requests.cpu": "2",
            "limits.memory": "1Gi",
            services: "3",
            "count/deployments.apps": "2",
          },
        },
      });
      const container = {
        name: "main",
        image: "busybox",
        resources: { requests: { cpu: "250m" }, limits: { cpu: "1", memory: "64Mi" } },
      };
      await expect
        .poll(async () => (await api.get("q")).status?.used, poll)
        .toMatchObject({ pods: "0" });
      await cluster.of(deployments, ns).create({
        metadata: { name: "web" },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: "web" } },
          template: { metadata: { labels: { app: "web" } }, spec: { containers: [container] } },
        },
      });
      const used = async () => (await api.get("q")).status?.used;
      await expect.poll(() => cluster.names(pods, ns), poll).toHaveLength(3);
      await cluster
        .of(services, ns)
        .create({ metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } });
      await expect.poll(used, poll).toMatchObject({
        pods: "3",
        "requests.cpu": "750m",
        "limits.memory": "192Mi",
        services: "1",
      });
      await cluster.of(deployments, ns).patch("web", { spec: { replicas: 1 } });
      await cluster.of(services, ns).delete("s");
      await expect.poll(used, poll).toEqual({
        pods: "1",
        "requests.cpu": "250m",
        "limits.memory": "64Mi",
        services: "0",
        "count/deployments.apps": "1",
      });
    });

    test("a cluster role gathers the rules of those it selects", async () => {
      const api = cluster.client.resource(clusterRoles);
      const rule = (resource: string) => ({
        apiGroups: [""],
        resources: [resource],
        verbs: ["get"],
      });
      const part = (name: string, resource: string) => ({
        metadata: { name, labels: { "gathers.test/into": "whole" } },
        rules: [rule(resource)],
      });
      await api.create(part("part-b", "secrets"));
      await api.create({
        metadata: { name: "whole" },
        aggregationRule: {
          clusterRoleSelectors: [{ matchLabels: { "gathers.test/into": "whole" } }],
        },
      });
      await api.create(part("part-a", "pods"));
      await expect
        .poll(async () => (await api.get("whole")).rules, poll)
        .toEqual([rule("pods"), rule("secrets")]);
      await api.delete("part-b");
      await expect.poll(async () => (await api.get("whole")).rules, poll).toEqual([rule("pods")]);
      for (const name of ["whole", "part-a"]) await api.delete(name);
    });

    test("a CronJob that is due starts one Job, for the last time missed", async () => {
      const ns = await cluster.newNamespace();
      cluster.faked.fate = (pod) => (pod.metadata?.namespace === ns ? "Succeeded" : "Ready");
      const api = cluster.of(cronJobs, ns);
      const made = await api.create({
        metadata: { name: "tick" },
        spec: {
          schedule: "* * * * *",
          jobTemplate: {
            spec: {
              template: {
                spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
              },
            },
          },
        },
      });
      expect(await cluster.names(jobs, ns)).toEqual([]);
      // As if it had last run ten minutes ago.
      const past = new Date(Date.now() - 600_000).toISOString().replace(/\.\d+Z$/, "Z");
      await api.patch(
        "tick",
        { status: { lastScheduleTime: past } },
        { type: "merge", subresource: "status" },
      );
      await expect.poll(() => cluster.names(jobs, ns), poll).toHaveLength(1);
      const [job] = (await cluster.of(jobs, ns).list()).items;
      const scheduled =
        job?.metadata?.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? "";
      expect(job?.metadata?.name).toBe(`tick-${Date.parse(scheduled) / 60_000}`);
      expect(job?.metadata?.ownerReferences).toMatchObject([
        { kind: "CronJob", uid: made.metadata?.uid },
      ]);
      await expect
        .poll(() => api.get("tick"), poll)
        .toMatchObject({
          status: { lastScheduleTime: scheduled, lastSuccessfulTime: expect.any(String) },
        });
      expect((await api.get("tick")).status?.active).toBeUndefined();
      cluster.faked.fate = () => "Ready";
      await api.delete("tick");
      await expect.poll(() => cluster.names(jobs, ns), poll).toEqual([]);
    });

    test("a ReplicationController keeps its pods; an ephemeral volume is its pod's", async () => {
      const ns = await cluster.newNamespace();
      const api = cluster.of(replicationControllers, ns);
      await api.create({
        metadata: { name: "old" },
        spec: { replicas: 2, selector: { app: "old" }, template: template("old") },
      });
      await expect.poll(() => api.get("old"), poll).toMatchObject({ status: { readyReplicas: 2 } });
      await api.delete("old", { propagationPolicy: "Background" });
      await cluster.of(pods, ns).create({
        metadata: { name: "scratch" },
        spec: {
          containers: [{ name: "main", image: "busybox" }],
          volumes: [
            {
              name: "tmp",
              ephemeral: {
                volumeClaimTemplate: {
                  spec: {
                    accessModes: ["ReadWriteOnce"],
                    resources: { requests: { storage: "1Mi" } },
                  },
                },
              },
            },
          ],
        },
      });
      await expect
        .poll(() => cluster.names(persistentVolumeClaims, ns), poll)
        .toEqual(["scratch-tmp"]);
      await cluster.of(pods, ns).delete("scratch");
      await expect.poll(() => cluster.names(persistentVolumeClaims, ns), poll).toEqual([]);
      await expect.poll(() => cluster.names(pods, ns), poll).toEqual([]);
    });

    test("Endpoints that a user wrote are mirrored as slices", async () => {
      const ns = await cluster.newNamespace();
      await cluster
        .of(services, ns)
        .create({ metadata: { name: "db" }, spec: { ports: [{ port: 5432 }] } });
      const api = cluster.of(endpoints, ns);
      await api.create({
        metadata: { name: "db" },
        subsets: [
          {
            addresses: [{ ip: "10.1.2.3" }],
            notReadyAddresses: [{ ip: "10.1.2.4" }],
            ports: [{ port: 5432 }],
          },
        ],
      });
      const slices = async () => (await cluster.of(endpointSlices, ns).list()).items;
      await expect.poll(slices, poll).toMatchObject([
        {
          addressType: "IPv4",
          metadata: {
            labels: {
              "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
            },
          },
          endpoints: [
            { addresses: ["10.1.2.3"], conditions: { ready: true } },
            { addresses: ["10.1.2.4"], conditions: { ready: false } },
          ],
          ports: [{ port: 5432, protocol: "TCP" }],
        },
      ]);
      await api.delete("db");
      await expect.poll(slices, poll).toEqual([]);
    });

    test("a kubelet's request is approved and signed; one that is not a kubelet's fails", async () => {
      const api = cluster.client.resource(certificateSigningRequests);
      const request = async (name: string, subject: string) =>
        api.create({
          metadata: { name },
          spec: {
            request: await createRequest(subject),
            signerName: "kubernetes.io/kube-apiserver-client-kubelet",
            usages: ["digital signature", "client auth"],
            expirationSeconds: 3600,
          },
        });
      await request("kubelet", "O=system:nodes, CN=system:node:n1");
      await expect
        .poll(async () => (await api.get("kubelet")).status?.certificate, poll)
        .toBeDefined();
      const { status } = await api.get("kubelet");
      expect(status?.conditions).toMatchObject([{ type: "Approved", reason: "AutoApproved" }]);
      const certificate = new X509Certificate(atob(status?.certificate ?? ""));
      expect(certificate.subject.split("\n").sort()).toEqual([
        "CN=system:node:n1",
        "O=system:nodes",
      ]);
      expect(certificate.issuer).toBe("CN=test-ca");
      expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
      const lifeMs = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
      expect(lifeMs).toBe(3_600_000);

      const other = await request("other", "O=system:nodes, CN=somebody");
      const condition = { type: "Approved", status: "True", reason: "Test", message: "by hand" };
      await api.updateSubresource("other", "approval", {
        ...other,
        status: { conditions: [condition] },
      });
      await expect
        .poll(async () => (await api.get("other")).status?.conditions, poll)
        .toMatchObject([
          { type: "Approved" },
          {
            type: "Failed",
            reason: "SignerValidationFailure",
            message: "subject common name does not begin with system:node:",
          },
        ]);
    });
  });
});
