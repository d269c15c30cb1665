/** Deployments, replica sets, stateful sets, daemon sets, jobs, cron jobs. */
import { container, object, podSpec, type StrategyCase, type Tree } from "./case.ts";

const selector = { matchLabels: { app: "x" } };
const template = (spec: Tree = {}): Tree => ({
  metadata: { labels: { app: "x" } },
  spec: podSpec(spec),
});

const app = (kind: string, spec: Tree = {}): Tree =>
  object("apps/v1", kind, { spec: { selector, template: template(), ...spec } });

const job = (spec: Tree = {}): Tree =>
  object("batch/v1", "Job", {
    spec: { template: { spec: podSpec({ restartPolicy: "Never" }) }, ...spec },
  });

const cronJob = (spec: Tree = {}): Tree =>
  object("batch/v1", "CronJob", {
    spec: {
      schedule: "*/5 * * * *",
      jobTemplate: { spec: { template: { spec: podSpec({ restartPolicy: "OnFailure" }) } } },
      ...spec,
    },
  });

const claim = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

export const workloadCases: readonly StrategyCase[] = [
  { name: "deployment", object: app("Deployment") },
  {
    name: "deployment scaled",
    object: app("Deployment"),
    update: { spec: { replicas: 5 } },
    status: {
      status: {
        replicas: 5,
        updatedReplicas: 3,
        readyReplicas: 2,
        availableReplicas: 2,
        observedGeneration: 2,
      },
    },
  },
  {
    name: "deployment labels only",
    object: app("Deployment"),
    update: { metadata: { labels: { a: "b" } } },
  },
  {
    name: "deployment recreate",
    object: app("Deployment", { strategy: { type: "Recreate" }, paused: true, replicas: 0 }),
  },
  {
    name: "deployment percentages",
    object: app("Deployment", {
      strategy: { rollingUpdate: { maxSurge: "10%", maxUnavailable: 0 } },
      minReadySeconds: 5,
    }),
  },
  {
    name: "deployment refused: selector differs",
    object: app("Deployment", { selector: { matchLabels: { a: "b" } } }),
  },
  { name: "deployment refused: no selector", object: app("Deployment", { selector: null }) },
  { name: "daemon set refused: no selector", object: app("DaemonSet", { selector: null }) },
  { name: "stateful set refused: no selector", object: app("StatefulSet", { selector: null }) },
  { name: "replica set refused: no selector", object: app("ReplicaSet", { selector: null }) },
  { name: "daemon set refused: empty selector", object: app("DaemonSet", { selector: {} }) },
  { name: "deployment refused: empty selector", object: app("Deployment", { selector: {} }) },
  {
    name: "deployment refused: strategy",
    object: app("Deployment", {
      strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } },
      replicas: -1,
      minReadySeconds: -1,
      revisionHistoryLimit: -1,
      progressDeadlineSeconds: -1,
    }),
  },
  {
    name: "deployment refused: nothing may move",
    object: app("Deployment", {
      strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
      minReadySeconds: 700,
    }),
  },
  {
    name: "deployment refused: percentage",
    object: app("Deployment", {
      strategy: { type: "X", rollingUpdate: { maxSurge: "abc", maxUnavailable: "200%" } },
    }),
  },
  {
    name: "deployment refused: restart policy",
    object: app("Deployment", { template: template({ restartPolicy: "Never" }) }),
  },
  {
    name: "deployment refused: deadline",
    object: app("Deployment", { template: template({ activeDeadlineSeconds: 4 }) }),
  },
  {
    name: "deployment update refused: selector",
    object: app("Deployment"),
    update: {
      spec: {
        selector: { matchLabels: { app: "y" } },
        template: { metadata: { labels: { app: "y" } } },
      },
    },
  },
  {
    name: "deployment status refused",
    object: app("Deployment"),
    status: {
      status: { replicas: 1, readyReplicas: 2, availableReplicas: 3, observedGeneration: 1 },
    },
  },
  { name: "replica set", object: app("ReplicaSet") },
  {
    name: "replica set status",
    object: app("ReplicaSet", { replicas: 3 }),
    status: { status: { replicas: 3, readyReplicas: 1, observedGeneration: 1 } },
  },
  { name: "replica set refused", object: app("ReplicaSet", { replicas: -2, template: {} }) },
  {
    name: "stateful set",
    object: app("StatefulSet", { serviceName: "s", volumeClaimTemplates: [claim] }),
    status: {
      status: { replicas: 1, readyReplicas: 1, currentRevision: "a", observedGeneration: 1 },
    },
  },
  {
    name: "stateful set update refused",
    object: app("StatefulSet", { serviceName: "s" }),
    update: { spec: { serviceName: "t" } },
  },
  {
    name: "stateful set refused",
    object: app("StatefulSet", {
      serviceName: "S_",
      podManagementPolicy: "X",
      updateStrategy: { type: "OnDelete", rollingUpdate: { partition: -1 } },
      replicas: -1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "X" },
    }),
  },
  {
    name: "daemon set",
    object: app("DaemonSet", { template: template({ nodeSelector: { a: "b" } }) }),
    status: {
      status: {
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        numberReady: 2,
        updatedNumberScheduled: 3,
        numberAvailable: 2,
        numberMisscheduled: 0,
      },
    },
  },
  {
    name: "daemon set refused",
    object: app("DaemonSet", {
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    }),
  },
  { name: "job", object: job() },
  {
    name: "job running",
    object: job({ parallelism: 2, completions: 4 }),
    status: {
      status: { active: 2, succeeded: 1, startTime: "2020-01-01T00:00:00Z", ready: 1 },
    },
  },
  { name: "job work queue", object: job({ parallelism: 3 }) },
  {
    name: "job indexed",
    object: job({ completionMode: "Indexed", completions: 3, backoffLimitPerIndex: 1 }),
  },
  { name: "job suspended", object: job({ suspend: true, ttlSecondsAfterFinished: 1 }) },
  {
    name: "job manual selector",
    object: job({
      manualSelector: true,
      selector,
      template: { metadata: { labels: { app: "x" } }, spec: podSpec({ restartPolicy: "Never" }) },
    }),
  },
  { name: "job refused: restart policy", object: job({ template: { spec: podSpec() } }) },
  {
    name: "job refused: numbers",
    object: job({
      parallelism: -1,
      completions: -1,
      backoffLimit: -1,
      activeDeadlineSeconds: -1,
      ttlSecondsAfterFinished: -1,
      completionMode: "X",
    }),
  },
  { name: "job refused: selector given", object: job({ selector }) },
  {
    name: "job refused: failure policy",
    object: job({
      podFailurePolicy: {
        rules: [
          { action: "X", onExitCodes: { operator: "In", values: [0] } },
          { action: "FailJob" },
        ],
      },
    }),
  },
  { name: "job update refused", object: job(), update: { spec: { completions: 9 } } },
  {
    name: "job template update refused",
    object: job(),
    update: { spec: { template: { spec: { containers: [container({ image: "other" })] } } } },
  },
  { name: "cron job", object: cronJob({ timeZone: "Etc/UTC" }) },
  {
    name: "cron job running",
    object: cronJob({ suspend: true, concurrencyPolicy: "Forbid" }),
    status: {
      status: { active: [{ kind: "Job", name: "j" }], lastScheduleTime: "2020-01-01T00:00:00Z" },
    },
  },
  {
    name: "cron job refused",
    object: cronJob({
      schedule: "x",
      concurrencyPolicy: "X",
      startingDeadlineSeconds: -1,
      successfulJobsHistoryLimit: -1,
      timeZone: "Nowhere/At all",
    }),
  },
  { name: "cron job refused: zone in schedule", object: cronJob({ schedule: "TZ=UTC 0 * * * *" }) },
  {
    name: "cron job refused: long name",
    object: { ...cronJob(), metadata: { name: "a".repeat(53) } },
  },
];
