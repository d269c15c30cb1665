/** What a controller would write into the status of a kind. */
import type { Tree } from "../corpus-case.ts";

const time = "2026-01-01T00:00:00Z";
const condition = (type: string, more: Tree = {}): Tree => ({
  type,
  status: "True",
  reason: "Because",
  message: "m",
  lastTransitionTime: time,
  ...more,
});

export const statuses: Readonly<Record<string, Tree>> = {
  namespaces: { phase: "Active", conditions: [condition("X")] },
  nodes: {
    capacity: { cpu: "4", memory: "8Gi", pods: "110" },
    conditions: [condition("Ready")],
    addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    nodeInfo: { kubeletVersion: "v1.36.3" },
  },
  persistentvolumeclaims: {
    phase: "Bound",
    capacity: { storage: "1Gi" },
    conditions: [condition("Resizing")],
  },
  persistentvolumes: { phase: "Available", message: "m" },
  pods: {
    phase: "Running",
    conditions: [condition("Ready"), condition("PodScheduled")],
    podIP: "10.1.1.1",
    hostIP: "10.0.0.1",
    startTime: time,
    containerStatuses: [
      {
        name: "main",
        ready: true,
        restartCount: 1,
        image: "nginx",
        imageID: "x",
        state: { running: { startedAt: time } },
      },
    ],
  },
  replicationcontrollers: { replicas: 2, readyReplicas: 1, observedGeneration: 1 },
  resourcequotas: { hard: { pods: "10" }, used: { pods: "1" } },
  services: {
    loadBalancer: { ingress: [{ ip: "1.2.3.4", ports: [{ port: 80, protocol: "TCP" }] }] },
  },
  apiservices: { conditions: [condition("Available")] },
  daemonsets: {
    currentNumberScheduled: 1,
    numberMisscheduled: 0,
    desiredNumberScheduled: 2,
    numberReady: 1,
    observedGeneration: 1,
  },
  deployments: {
    replicas: 2,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
    conditions: [condition("Available", { lastUpdateTime: time })],
  },
  replicasets: { replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 1, observedGeneration: 1 },
  statefulsets: { replicas: 2, readyReplicas: 1, currentRevision: "a", updateRevision: "b" },
  horizontalpodautoscalers: { currentReplicas: 1, desiredReplicas: 2, observedGeneration: 1 },
  cronjobs: { lastScheduleTime: time, active: [{ kind: "Job", name: "j" }] },
  jobs: { active: 1, startTime: time, ready: 0, uncountedTerminatedPods: {} },
  certificatesigningrequests: { certificate: "bm90IGEgY2VydA==" },
  ingresses: { loadBalancer: { ingress: [{ hostname: "lb.example.com" }] } },
  servicecidrs: { conditions: [condition("Ready")] },
  poddisruptionbudgets: {
    disruptionsAllowed: 1,
    currentHealthy: 2,
    desiredHealthy: 1,
    expectedPods: 2,
    observedGeneration: 1,
    conditions: [condition("DisruptionAllowed")],
  },
  volumeattachments: { attached: true, attachmentMetadata: { a: "b" } },
  validatingadmissionpolicies: { observedGeneration: 1, conditions: [condition("X")] },
  customresourcedefinitions: { conditions: [condition("NamesAccepted")], storedVersions: ["v1"] },
  resourceclaims: { reservedFor: [{ resource: "pods", name: "p", uid: "u" }] },
  flowschemas: { conditions: [condition("Dangling", { status: "False" })] },
  prioritylevelconfigurations: { conditions: [condition("X")] },
};
