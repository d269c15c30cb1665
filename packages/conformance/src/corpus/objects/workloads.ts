/** A valid object of every kind of apps, batch, autoscaling and policy. */
import type { Tree } from "../corpus-case.ts";
import { claimTemplate, podSpec } from "./core.ts";

const selector = {
  matchLabels: { app: "x" },
  matchExpressions: [{ key: "tier", operator: "DoesNotExist" }],
};
const template = (spec: Tree = podSpec): Tree => ({ metadata: { labels: { app: "x" } }, spec });
const jobPod: Tree = { restartPolicy: "Never", containers: [{ name: "c", image: "busybox:1" }] };

const jobSpec: Tree = {
  parallelism: 2,
  completions: 3,
  activeDeadlineSeconds: 100,
  backoffLimit: 4,
  ttlSecondsAfterFinished: 10,
  completionMode: "Indexed",
  suspend: false,
  podFailurePolicy: {
    rules: [
      { action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [1, 2] } },
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    ],
  },
  successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 1 }] },
  podReplacementPolicy: "Failed",
  template: { spec: jobPod },
};

export const workloadObjects: Readonly<Record<string, Tree>> = {
  "apps/v1/deployments": {
    spec: {
      replicas: 2,
      selector,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "30%", maxUnavailable: 1 } },
      minReadySeconds: 3,
      revisionHistoryLimit: 5,
      paused: true,
      progressDeadlineSeconds: 100,
      template: template(),
    },
  },
  "apps/v1/replicasets": {
    spec: { replicas: 2, minReadySeconds: 1, selector, template: template() },
  },
  "apps/v1/statefulsets": {
    spec: {
      replicas: 2,
      selector,
      serviceName: "svc",
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } },
      revisionHistoryLimit: 3,
      minReadySeconds: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      ordinals: { start: 1 },
      volumeClaimTemplates: [claimTemplate],
      template: template(),
    },
  },
  "apps/v1/daemonsets": {
    spec: {
      selector,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2 } },
      minReadySeconds: 1,
      revisionHistoryLimit: 2,
      template: template(),
    },
  },
  "apps/v1/controllerrevisions": { data: { a: { b: [1, "two", null] } }, revision: 3 },
  "batch/v1/jobs": { spec: jobSpec },
  "batch/v1/cronjobs": {
    spec: {
      schedule: "*/5 * * * *",
      timeZone: "Etc/UTC",
      startingDeadlineSeconds: 20,
      concurrencyPolicy: "Forbid",
      suspend: true,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 2,
      jobTemplate: {
        metadata: { labels: { a: "b" } },
        spec: { template: { spec: { ...jobPod, restartPolicy: "OnFailure" } } },
      },
    },
  },
  "autoscaling/v2/horizontalpodautoscalers": {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 5,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
        },
        {
          type: "Pods",
          pods: {
            metric: { name: "rps", selector: { matchLabels: { a: "b" } } },
            target: { type: "AverageValue", averageValue: "10" },
          },
        },
        {
          type: "Object",
          object: {
            describedObject: { kind: "Service", name: "s", apiVersion: "v1" },
            metric: { name: "hits" },
            target: { type: "Value", value: "100" },
          },
        },
        {
          type: "External",
          external: {
            metric: { name: "queue" },
            target: { type: "AverageValue", averageValue: "5" },
          },
        },
        {
          type: "ContainerResource",
          containerResource: {
            name: "memory",
            container: "c",
            target: { type: "Utilization", averageUtilization: 50 },
          },
        },
      ],
      behavior: {
        scaleDown: {
          stabilizationWindowSeconds: 60,
          selectPolicy: "Min",
          policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
        },
        scaleUp: { policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] },
      },
    },
  },
  "autoscaling/v1/horizontalpodautoscalers": {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 5,
      targetCPUUtilizationPercentage: 50,
    },
  },
  "policy/v1/poddisruptionbudgets": {
    spec: { minAvailable: "50%", selector, unhealthyPodEvictionPolicy: "AlwaysAllow" },
  },
};
