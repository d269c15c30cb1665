/** Pods: what is filled in, what is refused, and how kubectl shows them. */
import { container, object, podSpec, type StrategyCase, type Tree } from "./case.ts";

const pod = (spec: Tree, metadata: Tree = {}): Tree => object("v1", "Pod", { metadata, spec });

const withContainer = (more: Tree, spec: Tree = {}): Tree =>
  pod(podSpec({ containers: [container(more)], ...spec }));

const valid: Readonly<Record<string, Tree>> = {
  plain: pod(podSpec()),
  "image with tag": withContainer({ image: "nginx:1.25" }),
  "image with latest": withContainer({ image: "reg.example.com:5000/a/nginx:latest" }),
  "image with digest": withContainer({
    image: "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  }),
  probes: withContainer({
    livenessProbe: { httpGet: { port: 80 } },
    readinessProbe: { tcpSocket: { port: "http" }, periodSeconds: 3 },
    startupProbe: { grpc: { port: 9000 } },
    lifecycle: {
      postStart: { exec: { command: ["true"] } },
      preStop: { httpGet: { port: 1, path: "x" } },
    },
  }),
  ports: withContainer({ ports: [{ containerPort: 80, name: "http" }] }),
  "host network": withContainer({ ports: [{ containerPort: 80 }] }, { hostNetwork: true }),
  resources: withContainer({ resources: { limits: { cpu: "1", memory: "1.5Gi" } } }),
  "fine quantities": withContainer({ resources: { requests: { cpu: "0.0001" } } }),
  "pod resources": pod(podSpec({ resources: { limits: { cpu: "2" } } })),
  environment: withContainer({
    env: [
      { name: "A", value: "" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "K", valueFrom: { configMapKeyRef: { name: "m", key: "k" } } },
    ],
    envFrom: [{ secretRef: { name: "s" }, prefix: "P_" }],
  }),
  volumes: withContainer(
    { volumeMounts: [{ name: "a", mountPath: "/a" }] },
    {
      volumes: [
        { name: "a" },
        { name: "b", configMap: { name: "m" } },
        { name: "c", secret: { secretName: "s" } },
        { name: "d", hostPath: { path: "/d" } },
        { name: "e", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } },
        {
          name: "f",
          downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.name" } }] },
        },
        {
          name: "g",
          ephemeral: {
            volumeClaimTemplate: {
              spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
              },
            },
          },
        },
        { name: "h", emptyDir: { medium: "Memory", sizeLimit: "1Gi" } },
        { name: "i", image: { reference: "quay.io/x:v1" } },
      ],
      serviceAccountName: "sa",
    },
  ),
  "init containers and sidecars": pod(
    podSpec({
      initContainers: [
        { name: "i", image: "busybox:1" },
        { name: "s", image: "busybox:1", restartPolicy: "Always" },
      ],
    }),
  ),
  tolerations: pod(podSpec({ tolerations: [{ key: "a", operator: "Exists" }, { key: "b" }] })),
  affinity: pod(
    podSpec({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { a: "b" } } },
          ],
        },
      },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" },
      ],
    }),
  ),
  gates: pod(podSpec({ schedulingGates: [{ name: "example.com/g" }] })),
  "service account": pod(
    podSpec({ serviceAccountName: "sa", automountServiceAccountToken: false }),
  ),
};

const invalid: Readonly<Record<string, Tree>> = {
  "no containers": pod({ containers: [] }),
  "no spec": object("v1", "Pod", {}),
  "bad name": pod(podSpec(), { name: "X_1" }),
  "no name": pod(podSpec(), { name: null }),
  "bad labels": pod(podSpec(), { labels: { "a/b/c": "x", ok: "-" } }),
  "same container twice": pod(podSpec({ containers: [container(), container()] })),
  "container name": withContainer({ name: "C_" }),
  "no image": withContainer({ image: "" }),
  "space in image": withContainer({ image: " nginx" }),
  "pull policy": withContainer({ imagePullPolicy: "Sometimes" }),
  "termination policy": withContainer({ terminationMessagePolicy: "X" }),
  "ports out of range": withContainer({
    ports: [{ containerPort: 0 }, { containerPort: 70000, name: "A", protocol: "tcp" }],
  }),
  "host port twice": withContainer({
    ports: [
      { containerPort: 1, hostPort: 5 },
      { containerPort: 2, hostPort: 5 },
    ],
  }),
  "host network port": withContainer(
    { ports: [{ containerPort: 80, hostPort: 81 }] },
    { hostNetwork: true },
  ),
  "two handlers": withContainer({
    livenessProbe: { httpGet: { port: 80 }, exec: { command: ["a"] } },
  }),
  "no handler": withContainer({ livenessProbe: {} }),
  "probe numbers": withContainer({
    livenessProbe: { exec: { command: ["a"] }, periodSeconds: -1, successThreshold: 2 },
    readinessProbe: { httpGet: { port: 0, path: "", scheme: "ftp" } },
    startupProbe: { exec: {}, terminationGracePeriodSeconds: 0 },
  }),
  "limit below request": withContainer({
    resources: { limits: { cpu: "1" }, requests: { cpu: "2", memory: "-1" } },
  }),
  "resource names": withContainer({
    resources: { limits: { "a b": "1", foo: "1", "example.com/gpu": "1500m" } },
  }),
  "huge pages alone": withContainer({ resources: { limits: { "hugepages-2Mi": "2Mi" } } }),
  "environment names": withContainer({
    env: [{ name: "" }, { name: "a=b" }, { name: "X", value: "1", valueFrom: { fieldRef: {} } }],
  }),
  "environment sources": withContainer({
    env: [
      { name: "A", valueFrom: {} },
      { name: "B", valueFrom: { fieldRef: { fieldPath: "spec.x" } } },
      { name: "C", valueFrom: { secretKeyRef: { name: "s", key: "" } } },
    ],
    envFrom: [{}],
  }),
  mounts: withContainer(
    {
      volumeMounts: [
        { name: "absent", mountPath: "/a" },
        { name: "v", mountPath: "" },
        { name: "v", mountPath: "/b", subPath: "../x" },
        { name: "v", mountPath: "/b" },
      ],
    },
    { volumes: [{ name: "v", emptyDir: {} }] },
  ),
  "volume sources": pod(
    podSpec({
      volumes: [
        { name: "a", emptyDir: {}, hostPath: { path: "/x" } },
        { name: "a", configMap: { name: "" } },
        { name: "B", secret: { secretName: "s", defaultMode: 1000 } },
        { name: "c", hostPath: { path: "a/../b", type: "Odd" } },
        { name: "d", persistentVolumeClaim: { claimName: "" } },
        {
          name: "e",
          projected: { sources: [{ serviceAccountToken: { path: "", expirationSeconds: 5 } }] },
        },
        { name: "f", downwardAPI: { items: [{ path: "/abs" }] } },
        { name: "g", csi: { driver: "bad_driver" } },
      ],
    }),
  ),
  "restart policy": pod(podSpec({ restartPolicy: "Sometimes" })),
  "dns policy": pod(podSpec({ dnsPolicy: "X", dnsConfig: { nameservers: ["a"] } })),
  "dns none": pod(podSpec({ dnsPolicy: "None" })),
  "node name": pod(podSpec({ nodeName: "N_" })),
  "node selector": pod(podSpec({ nodeSelector: { "a b": "c", d: "e f" } })),
  "grace period": pod(podSpec({ terminationGracePeriodSeconds: -1, activeDeadlineSeconds: 0 })),
  "host name": pod(podSpec({ hostname: "a.b", subdomain: "A" })),
  "host aliases": pod(podSpec({ hostAliases: [{ ip: "1.2.3", hostnames: ["A_"] }] })),
  tolerations: pod(
    podSpec({
      tolerations: [
        { key: "a", operator: "Exists", value: "v" },
        { operator: "Equal", value: "v" },
        { key: "b", effect: "No", tolerationSeconds: 1 },
      ],
    }),
  ),
  affinity: pod(
    podSpec({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
        },
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "" }] },
      },
    }),
  ),
  "spread constraints": pod(
    podSpec({
      topologySpreadConstraints: [
        { maxSkew: 0, topologyKey: "", whenUnsatisfiable: "X", minDomains: 0 },
      ],
    }),
  ),
  "security context": pod(
    podSpec({
      hostPID: true,
      shareProcessNamespace: true,
      securityContext: {
        runAsUser: -1,
        fsGroup: -2,
        sysctls: [{ name: "A" }],
        seccompProfile: { type: "X" },
      },
    }),
  ),
  "container security": withContainer({
    securityContext: {
      privileged: true,
      allowPrivilegeEscalation: false,
      runAsUser: -1,
      procMount: "X",
    },
  }),
  "status set on creation": object("v1", "Pod", { spec: podSpec(), status: { phase: "Running" } }),
  "gates with node": pod(podSpec({ nodeName: "n", schedulingGates: [{ name: "a" }] })),
  "ephemeral on creation": pod(podSpec({ ephemeralContainers: [{ name: "e", image: "i" }] })),
  "init container probes": pod(
    podSpec({
      initContainers: [
        { name: "c", image: "i", livenessProbe: { exec: { command: ["x"] } }, lifecycle: {} },
      ],
    }),
  ),
  "os windows": pod(
    podSpec({ os: { name: "windows" }, hostPID: true, securityContext: { fsGroup: 1 } }),
  ),
  overhead: pod(podSpec({ overhead: { cpu: "1" }, priorityClassName: "A b" })),
  "readiness gates": pod(podSpec({ readinessGates: [{ conditionType: "a b" }] })),
  "service account name": pod(podSpec({ serviceAccountName: "A B" })),
  "pull secrets": pod(podSpec({ imagePullSecrets: [{ name: "" }], runtimeClassName: "A b" })),
};

const running = (state: Tree, more: Tree = {}): Tree => ({
  name: "c",
  image: "nginx",
  imageID: "x",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});

const statuses: Readonly<Record<string, Tree>> = {
  pending: { phase: "Pending" },
  running: {
    phase: "Running",
    podIP: "10.0.0.1",
    podIPs: [{ ip: "10.0.0.1" }],
    hostIP: "1.2.3.4",
    containerStatuses: [
      running({ running: { startedAt: "2020-01-01T00:00:00Z" } }, { ready: true, restartCount: 2 }),
    ],
    conditions: [{ type: "Ready", status: "True" }],
  },
  "crash loop": {
    phase: "Running",
    containerStatuses: [running({ waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3 })],
  },
  completed: {
    phase: "Succeeded",
    containerStatuses: [running({ terminated: { exitCode: 0, reason: "Completed" } })],
  },
  "exit code": { phase: "Failed", containerStatuses: [running({ terminated: { exitCode: 3 } })] },
  signal: {
    phase: "Failed",
    containerStatuses: [running({ terminated: { exitCode: 137, signal: 9 } })],
  },
  evicted: { phase: "Failed", reason: "Evicted" },
  "one address": { phase: "Running", podIP: "10.0.0.9", hostIP: "1.2.3.4" },
  gated: {
    phase: "Pending",
    conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }],
  },
};

const initStatuses: Readonly<Record<string, Tree>> = {
  "first init waits": {
    phase: "Pending",
    initContainerStatuses: [
      { ...running({ waiting: { reason: "PodInitializing" } }), name: "i" },
      { ...running({ waiting: { reason: "PodInitializing" } }), name: "s" },
    ],
  },
  "init failed": {
    phase: "Pending",
    initContainerStatuses: [
      { ...running({ terminated: { exitCode: 1, reason: "Error" } }), name: "i" },
    ],
  },
  "init pull": {
    phase: "Pending",
    initContainerStatuses: [{ ...running({ waiting: { reason: "ImagePullBackOff" } }), name: "i" }],
  },
};

const updates: Readonly<Record<string, Tree>> = {
  "change image": { spec: { containers: [{ name: "c", image: "nginx:2" }] } },
  "change command": { spec: { containers: [container({ command: ["x"] })] } },
  "change labels": { metadata: { labels: { a: "b" } } },
  "drop toleration": { spec: { tolerations: [] } },
  "add toleration": { spec: { tolerations: [{ key: "z", operator: "Exists" }] } },
  "set deadline": { spec: { activeDeadlineSeconds: 5 } },
  "other name": { metadata: { generateName: "y" } },
};

function cases(): StrategyCase[] {
  const list: StrategyCase[] = [];
  for (const [name, tree] of Object.entries(valid))
    list.push({ name: `pod ${name}`, object: tree });
  for (const [name, tree] of Object.entries(invalid)) {
    list.push({ name: `pod refused: ${name}`, object: tree });
  }
  for (const [name, status] of Object.entries(statuses)) {
    list.push({ name: `pod status: ${name}`, object: pod(podSpec()), status: { status } });
  }
  const init = valid["init containers and sidecars"] ?? {};
  for (const [name, status] of Object.entries(initStatuses)) {
    list.push({ name: `pod status: ${name}`, object: init, status: { status } });
  }
  for (const [name, update] of Object.entries(updates)) {
    list.push({ name: `pod update: ${name}`, object: pod(podSpec()), update });
  }
  return list;
}

export const podCases = cases();
