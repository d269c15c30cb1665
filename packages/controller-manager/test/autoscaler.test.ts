/** The autoscaler on a real API server, where nobody serves metrics: bounds are kept, the rest told. */
import { deployments, events, horizontalPodAutoscalers } from "@nanokube/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../client/test/upstream.ts";
import { type Cluster, deployment, poll, startCluster } from "./cluster.ts";

describe.each(subjects)("autoscaler on $name", ({ subject, missing }) => {
  describe.skipIf(missing !== undefined)("controller", () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster(subject);
    }, 120_000);
    afterAll(() => cluster?.stop());

    test("bounds move a Deployment; a metric that is not served is said in upstream's words", async () => {
      const ns = await cluster.newNamespace();
      await cluster.of(deployments, ns).create(deployment("web", 1));
      const api = cluster.of(horizontalPodAutoscalers, ns);
      await api.create({
        metadata: { name: "web" },
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          minReplicas: 3,
          maxReplicas: 5,
          metrics: [
            {
              type: "Resource",
              resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
            },
          ],
        },
      });
      await expect
        .poll(async () => (await cluster.of(deployments, ns).get("web")).spec?.replicas, poll)
        .toBe(3);
      const told = async () =>
        (await cluster.of(events, ns).list()).items
          .filter((event) => event.involvedObject?.kind === "HorizontalPodAutoscaler")
          .map(({ reason, message }) => `${reason}: ${message}`);
      await expect
        .poll(told, poll)
        .toContain(
          "SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas",
        );
      await api.patch("web", { metadata: { labels: { look: "again" } } });
      const active = async () =>
        (await api.get("web")).status?.conditions?.find(({ type }) => type === "ScalingActive");
      await expect.poll(active, poll).toMatchObject({
        status: "False",
        reason: "FailedGetResourceMetric",
        message:
          "the HPA was unable to compute the replica count: failed to get cpu utilization: unable " +
          "to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the " +
          "server could not find the requested resource (get pods.metrics.k8s.io)",
      });
    });
  });
});
