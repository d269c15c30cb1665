/** Pods (and claims) under namespaces' rules: what admission adds, and what it refuses. */
import { container, object, podSpec, type Tree } from "./case.ts";

export interface AdmissionCase {
  name: string;
  /** Labels of the namespace "x". */
  labels?: Tree;
  /** Already there; in the namespace unless cluster-wide. */
  given?: readonly Tree[];
  object: Tree;
}

const pod = (spec: Tree = {}): Tree => object("v1", "Pod", { spec: podSpec(spec) });
const one = (more: Tree, spec: Tree = {}): Tree => pod({ containers: [container(more)], ...spec });
const level = (name: string, version = "latest"): Tree => ({
  "pod-security.kubernetes.io/enforce": name,
  "pod-security.kubernetes.io/enforce-version": version,
});

const safe = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

const wild = pod({
  hostNetwork: true,
  hostPID: true,
  securityContext: {
    runAsUser: 0,
    runAsNonRoot: false,
    seccompProfile: { type: "Unconfined" },
    seLinuxOptions: { type: "x", user: "u" },
    sysctls: [{ name: "kernel.msgmax", value: "1" }],
  },
  volumes: [
    { name: "h", hostPath: { path: "/" } },
    { name: "n", nfs: { server: "s", path: "/" } },
  ],
  containers: [
    container({
      ports: [{ containerPort: 5, hostPort: 5 }],
      securityContext: { privileged: true, runAsUser: 0, capabilities: { add: ["NET_ADMIN"] } },
      livenessProbe: { httpGet: { port: 1, host: "h" } },
    }),
    container({
      name: "d",
      securityContext: { runAsNonRoot: false, capabilities: { add: ["X"] } },
    }),
  ],
});

const limits = (item: Tree): Tree => object("v1", "LimitRange", { spec: { limits: [item] } });

const quota = (hard: Tree, used: Tree, spec: Tree = {}): Tree =>
  object("v1", "ResourceQuota", { spec: { hard, ...spec }, status: { hard, used } });

const standing = object("v1", "Pod", { metadata: { name: "a-standing" }, spec: podSpec() });

export const admissionCases: readonly AdmissionCase[] = [
  { name: "plain", object: pod() },
  { name: "no token", object: pod({ automountServiceAccountToken: false }) },
  { name: "absent account", object: pod({ serviceAccountName: "absent" }) },
  { name: "own tolerations", object: pod({ tolerations: [{ operator: "Exists" }] }) },
  { name: "baseline plain", labels: level("baseline"), object: pod() },
  { name: "baseline wild", labels: level("baseline"), object: wild },
  { name: "restricted plain", labels: level("restricted"), object: pod() },
  { name: "restricted wild", labels: level("restricted"), object: wild },
  { name: "restricted wild 1.18", labels: level("restricted", "v1.18"), object: wild },
  { name: "restricted wild 1.24", labels: level("restricted", "v1.24"), object: wild },
  { name: "restricted safe", labels: level("restricted"), object: one({ securityContext: safe }) },
  {
    name: "level with typing error",
    labels: { "pod-security.kubernetes.io/warn": "x" },
    object: pod(),
  },
  {
    name: "restricted own users",
    labels: level("restricted"),
    object: pod({ hostUsers: false }),
  },
  {
    name: "limit range defaults",
    given: [
      limits({
        type: "Container",
        default: { cpu: "2" },
        defaultRequest: { cpu: "1", memory: "1Gi" },
      }),
    ],
    object: pod(),
  },
  {
    name: "limit range exceeded",
    given: [limits({ type: "Container", max: { cpu: "1", memory: "1Gi" }, min: { cpu: "500m" } })],
    object: one({ resources: { limits: { cpu: "2" }, requests: { cpu: "100m" } } }),
  },
  {
    name: "limit range ratio",
    given: [limits({ type: "Container", maxLimitRequestRatio: { cpu: "2" } })],
    object: one({ resources: { limits: { cpu: "4" }, requests: { cpu: "1" } } }),
  },
  {
    name: "limit range of pods",
    given: [limits({ type: "Pod", max: { cpu: "1" } })],
    object: one({ resources: { limits: { cpu: "3" } } }),
  },
  {
    name: "limit range of claims",
    given: [limits({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } })],
    object: object("v1", "PersistentVolumeClaim", {
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
    }),
  },
  {
    name: "quota left",
    given: [standing, quota({ pods: "2" }, { pods: "1" })],
    object: pod(),
  },
  {
    name: "quota exceeded",
    given: [
      standing,
      quota({ pods: "1", "requests.cpu": "1" }, { pods: "1", "requests.cpu": "0" }),
    ],
    object: one({ resources: { requests: { cpu: "2" } } }),
  },
  {
    name: "quota unsaid",
    given: [quota({ "limits.cpu": "1", memory: "1Gi" }, { "limits.cpu": "0", memory: "0" })],
    object: pod(),
  },
  {
    name: "quota of another scope",
    given: [quota({ pods: "0" }, { pods: "0" }, { scopes: ["Terminating"] })],
    object: pod(),
  },
  {
    name: "quota of objects",
    given: [quota({ "count/configmaps": "0" }, { "count/configmaps": "0" })],
    object: object("v1", "ConfigMap", {}),
  },
  {
    name: "quota of node ports",
    given: [quota({ "services.nodeports": "1" }, { "services.nodeports": "0" })],
    object: object("v1", "Service", {
      spec: {
        type: "NodePort",
        clusterIP: "10.96.0.99",
        ports: [
          { port: 1, name: "a" },
          { port: 2, name: "b" },
        ],
      },
    }),
  },
  { name: "priority of the system", object: pod({ priorityClassName: "system-node-critical" }) },
  { name: "absent priority", object: pod({ priorityClassName: "absent" }) },
  { name: "priority against class", object: pod({ priority: 5 }) },
  { name: "absent runtime class", object: pod({ runtimeClassName: "absent" }) },
  {
    name: "runtime class",
    given: [
      object("node.k8s.io/v1", "RuntimeClass", {
        metadata: { name: "deep" },
        handler: "h",
        overhead: { podFixed: { cpu: "1" } },
        scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "t", operator: "Exists" }] },
      }),
    ],
    object: pod({ runtimeClassName: "deep" }),
  },
  {
    name: "default storage class",
    given: [
      object("storage.k8s.io/v1", "StorageClass", {
        metadata: {
          name: "usual",
          annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        provisioner: "p",
      }),
    ],
    object: object("v1", "PersistentVolumeClaim", {
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    }),
  },
];
