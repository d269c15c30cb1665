/**
 * Pieces of configurations that server-side apply puts together: each says one thing about an
 * object, with a value that differs from time to time, so that managers meet and conflict.
 *
 * Shapes  Fragment(pick)  pick(list) gives one of the list
 */
import type { Tree } from "../corpus-case.ts";

export type Pick = <T>(list: readonly T[]) => T;
export type Fragment = (pick: Pick) => Tree;

export interface Appliable {
  apiVersion: string;
  kind: string;
  plural: string;
  /** Without these the object is not valid. */
  base: Tree;
  fragments: readonly Fragment[];
  /** What updates change: merge patches. */
  patches: readonly Fragment[];
  status?: Fragment;
  scales?: true;
}

const metadata: readonly Fragment[] = [
  (pick) => ({ metadata: { labels: { tier: pick(["x", "y"]) } } }),
  (pick) => ({ metadata: { labels: { [pick(["l1", "l2"])]: "1" } } }),
  (pick) => ({ metadata: { annotations: { note: pick(["n", "m"]), "example.com/k": "v" } } }),
  (pick) => ({ metadata: { finalizers: [pick(["example.com/f", "example.com/g"])] } }),
  (pick) => ({
    metadata: {
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "o", uid: pick(["u1", "u2"]) }],
    },
  }),
];

const patches: readonly Fragment[] = [
  (pick) => ({ metadata: { labels: { tier: pick(["x", "z", null]) } } }),
  (pick) => ({ metadata: { annotations: { note: pick(["n", "p", null]) } } }),
];

const container = (more: (pick: Pick) => Tree): Fragment => {
  return (pick) => ({
    spec: { template: { spec: { containers: [{ name: "c", image: "i:1", ...more(pick) }] } } },
  });
};

const podPieces: readonly ((pick: Pick) => Tree)[] = [
  (pick) => ({ image: pick(["i:1", "i:2"]) }),
  (pick) => ({ env: [{ name: pick(["A", "B"]), value: pick(["1", "2"]) }] }),
  (pick) => ({ ports: [{ containerPort: pick([80, 81]), name: pick(["http", "web"]) }] }),
  (pick) => ({ ports: [{ containerPort: 80, protocol: pick(["TCP", "UDP"]) }] }),
  (pick) => ({ resources: { limits: { cpu: pick(["1", "1000m", "2"]), memory: "64Mi" } } }),
  (pick) => ({ resources: { requests: { cpu: pick(["0.5", "500m"]) } } }),
  (pick) => ({ args: pick([["a"], ["a", "b"]]) }),
  (pick) => ({ livenessProbe: { httpGet: { path: "/", port: pick([80, "http"]) } } }),
  (pick) => ({ imagePullPolicy: pick(["Always", "Never"]) }),
];

const templatePieces: readonly Fragment[] = [
  (pick) => ({ spec: { template: { metadata: { labels: { [pick(["a", "b"])]: "1" } } } } }),
  (pick) => ({ spec: { template: { spec: { nodeSelector: { disk: pick(["ssd", "hdd"]) } } } } }),
  (pick) => ({
    spec: { template: { spec: { tolerations: [{ key: pick(["k", "j"]), operator: "Exists" }] } } },
  }),
  (pick) => ({
    spec: { template: { spec: { containers: [{ name: "d", image: pick(["d:1", "d:2"]) }] } } },
  }),
  (pick) => ({
    spec: {
      template: { spec: { volumes: [{ name: pick(["v", "w"]), emptyDir: {} }] } },
    },
  }),
  (pick) => ({
    spec: {
      template: { spec: { terminationGracePeriodSeconds: pick([5, 30]), hostNetwork: false } },
    },
  }),
  (pick) => ({
    spec: {
      template: {
        spec: {
          topologySpreadConstraints: [
            {
              maxSkew: pick([1, 2]),
              topologyKey: "zone",
              whenUnsatisfiable: pick(["DoNotSchedule", "ScheduleAnyway"]),
            },
          ],
        },
      },
    },
  }),
];

const template: Tree = {
  selector: { matchLabels: { app: "x" } },
  template: {
    metadata: { labels: { app: "x" } },
    spec: { containers: [{ name: "c", image: "i:1" }] },
  },
};

const workload = [...metadata, ...podPieces.map(container), ...templatePieces];

export const workloads: readonly Appliable[] = [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    plural: "deployments",
    base: { spec: template },
    fragments: [
      ...workload,
      (pick) => ({ spec: { replicas: pick([1, 2]) } }),
      (pick) => ({
        spec: { strategy: { rollingUpdate: { maxSurge: pick([1, "25%"]), maxUnavailable: 0 } } },
      }),
      (pick) => ({ spec: { paused: pick([true, false]), minReadySeconds: pick([0, 5]) } }),
    ],
    patches: [...patches, (pick) => ({ spec: { replicas: pick([1, 3, null]) } })],
    status: (pick) => ({
      status: {
        replicas: pick([1, 2]),
        conditions: [{ type: pick(["Available", "Progressing"]), status: pick(["True", "False"]) }],
      },
    }),
    scales: true,
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    plural: "statefulsets",
    base: { spec: { ...template, serviceName: "s" } },
    fragments: [
      ...workload,
      (pick) => ({ spec: { replicas: pick([1, 2]) } }),
      (pick) => ({ spec: { updateStrategy: { type: pick(["OnDelete", "RollingUpdate"]) } } }),
    ],
    patches: [...patches, (pick) => ({ spec: { replicas: pick([1, 3, null]) } })],
    status: (pick) => ({ status: { replicas: pick([1, 2]), currentRevision: "a" } }),
    scales: true,
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    plural: "daemonsets",
    base: { spec: template },
    fragments: [...workload, (pick) => ({ spec: { minReadySeconds: pick([0, 4]) } })],
    patches,
    status: (pick) => ({ status: { numberReady: pick([1, 2]) } }),
  },
];

export { metadata as metadataFragments, patches as metadataPatches };
