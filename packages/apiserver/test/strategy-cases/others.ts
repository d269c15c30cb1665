/** Services, storage, configuration, policy, access and the rest. */
import { object, type StrategyCase, type Tree } from "./case.ts";

const service = (spec: Tree): Tree => object("v1", "Service", { spec });
const port = { port: 80 };
/** Families come with the allocation of addresses, which is not the strategy's. */
const single = { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" };
const core = (kind: string, rest: Tree): Tree => object("v1", kind, rest);

const claim = (spec: Tree): Tree =>
  core("PersistentVolumeClaim", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });

const volume = (spec: Tree): Tree =>
  core("PersistentVolume", {
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/x" },
      ...spec,
    },
  });

const services: readonly StrategyCase[] = [
  {
    name: "service",
    object: service({ clusterIP: "10.96.0.77", ...single, ports: [port], selector: { a: "b" } }),
  },
  {
    name: "service headless",
    object: service({ clusterIP: "None", ports: [port], ...single, selector: { a: "b" } }),
  },
  {
    name: "service node port",
    object: service({
      clusterIP: "10.96.0.78",
      ...single,
      type: "NodePort",
      ports: [{ port: 80, nodePort: 30123 }],
    }),
  },
  {
    name: "service balanced",
    object: service({
      clusterIP: "10.96.0.79",
      ...single,
      type: "LoadBalancer",
      ports: [
        { port: 80, name: "a", nodePort: 30124 },
        { port: 81, name: "b", nodePort: 30125 },
      ],
    }),
    status: { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } },
  },
  {
    name: "service external",
    object: service({ type: "ExternalName", externalName: "example.com" }),
  },
  {
    name: "service affinity",
    object: service({
      clusterIP: "10.96.0.80",
      ...single,
      ports: [port],
      sessionAffinity: "ClientIP",
    }),
  },
  { name: "service refused: no ports", object: service({ clusterIP: "10.96.0.81" }) },
  {
    name: "service refused: ports",
    object: service({
      clusterIP: "None",
      ports: [
        { port: 0, protocol: "X" },
        { port: 80, name: "A" },
        { port: 80, targetPort: "a_b" },
      ],
    }),
  },
  {
    name: "service refused: type",
    object: service({ clusterIP: "None", type: "X", ports: [port], sessionAffinity: "Y" }),
  },
  { name: "service refused: external name", object: service({ type: "ExternalName" }) },
  {
    name: "service refused: selector",
    object: service({ clusterIP: "None", ports: [port], selector: { "a b": "c" } }),
  },
  {
    name: "service refused: traffic policy",
    object: service({
      clusterIP: "None",
      ports: [port],
      internalTrafficPolicy: "X",
      externalTrafficPolicy: "Local",
    }),
  },
];

const storage: readonly StrategyCase[] = [
  { name: "claim", object: claim({}) },
  {
    name: "claim bound",
    object: claim({ storageClassName: "s", volumeName: "v" }),
    status: {
      status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
    },
  },
  { name: "claim refused: nothing", object: core("PersistentVolumeClaim", { spec: {} }) },
  {
    name: "claim refused: modes",
    object: claim({
      accessModes: ["X", "ReadWriteOncePod"],
      volumeMode: "Y",
      storageClassName: "A b",
    }),
  },
  {
    name: "claim update refused",
    object: claim({ storageClassName: "s" }),
    update: { spec: { storageClassName: "t" } },
  },
  { name: "volume", object: volume({}), status: { status: { phase: "Available" } } },
  {
    name: "volume csi",
    object: volume({ hostPath: null, csi: { driver: "d.example.com", volumeHandle: "h" } }),
  },
  { name: "volume refused: none", object: volume({ hostPath: null }) },
  {
    name: "volume refused",
    object: volume({
      capacity: null,
      accessModes: [],
      persistentVolumeReclaimPolicy: "X",
      nfs: { server: "", path: "a" },
    }),
  },
  {
    name: "volume update refused",
    object: volume({}),
    update: { spec: { hostPath: { path: "/y" } } },
  },
  {
    name: "storage class",
    object: object("storage.k8s.io/v1", "StorageClass", { provisioner: "p.example.com" }),
  },
  {
    name: "storage class refused",
    object: object("storage.k8s.io/v1", "StorageClass", {
      provisioner: "",
      reclaimPolicy: "X",
      volumeBindingMode: "Y",
    }),
  },
  { name: "csi driver", object: object("storage.k8s.io/v1", "CSIDriver", { spec: {} }) },
  {
    name: "csi node",
    object: object("storage.k8s.io/v1", "CSINode", {
      spec: { drivers: [{ name: "d", nodeID: "n", topologyKeys: ["a/b"] }] },
    }),
  },
  {
    name: "csi node refused",
    object: object("storage.k8s.io/v1", "CSINode", {
      spec: { drivers: [{ name: "", nodeID: "" }] },
    }),
  },
  {
    name: "volume attachment",
    object: object("storage.k8s.io/v1", "VolumeAttachment", {
      spec: { attacher: "a", nodeName: "n", source: { persistentVolumeName: "v" } },
    }),
  },
];

const settings: readonly StrategyCase[] = [
  {
    name: "config map",
    object: core("ConfigMap", { data: { a: "b" }, binaryData: { c: "AAE=" } }),
  },
  {
    name: "config map refused",
    object: core("ConfigMap", { data: { "a b": "c", d: "e" }, binaryData: { d: "AAE=" } }),
  },
  {
    name: "config map immutable",
    object: core("ConfigMap", { immutable: true, data: { a: "b" } }),
    update: { data: { a: "c" } },
  },
  { name: "secret", object: core("Secret", { stringData: { a: "b" }, data: { c: "AAE=" } }) },
  {
    name: "secret refused: tls",
    object: core("Secret", { type: "kubernetes.io/tls", data: { "tls.crt": "AAE=" } }),
  },
  {
    name: "secret refused: docker",
    object: core("Secret", {
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": "AAE=" },
    }),
  },
  { name: "secret type", object: core("Secret", { type: "a" }), update: { type: "b" } },
  { name: "service account", object: core("ServiceAccount", { secrets: [{ name: "s" }] }) },
  { name: "namespace", object: core("Namespace", { metadata: { name: "n1" } }) },
  { name: "namespace refused", object: core("Namespace", { metadata: { name: "A.b" } }) },
  {
    name: "node",
    object: core("Node", { metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } } }),
    status: {
      status: {
        capacity: { cpu: "4", memory: "8Gi", pods: "110" },
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "1.2.3.4" }],
        nodeInfo: {
          kubeletVersion: "v1.36.3",
          osImage: "Linux",
          kernelVersion: "6",
          containerRuntimeVersion: "c://1",
          machineID: "",
          systemUUID: "",
          bootID: "",
          kubeProxyVersion: "",
          operatingSystem: "linux",
          architecture: "amd64",
        },
      },
    },
  },
  { name: "node unschedulable", object: core("Node", { spec: { unschedulable: true } }) },
  {
    name: "node refused",
    object: core("Node", { spec: { podCIDR: "x", taints: [{ key: "a b", effect: "X" }] } }),
  },
  {
    name: "limit range",
    object: core("LimitRange", { spec: { limits: [{ type: "Container", max: { cpu: "1" } }] } }),
  },
  {
    name: "limit range refused",
    object: core("LimitRange", {
      spec: {
        limits: [
          { type: "Pod", default: { cpu: "1" } },
          { type: "Container", min: { cpu: "2" }, max: { cpu: "1" } },
        ],
      },
    }),
  },
  {
    name: "quota",
    object: core("ResourceQuota", { spec: { hard: { pods: "2", "requests.cpu": "1" } } }),
  },
  {
    name: "quota refused",
    object: core("ResourceQuota", { spec: { hard: { pods: "1.5", "a b": "1" }, scopes: ["X"] } }),
  },
  {
    name: "endpoints",
    object: core("Endpoints", {
      subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ port: 80 }] }],
    }),
  },
  {
    name: "endpoints refused",
    object: core("Endpoints", {
      subsets: [{ addresses: [{ ip: "127.0.0.1" }, { ip: "x" }], ports: [{ port: 0 }] }],
    }),
  },
  {
    name: "event",
    object: core("Event", {
      metadata: { namespace: "default" },
      involvedObject: { kind: "Pod", name: "p", namespace: "default" },
      reason: "R",
      message: "m",
      type: "Normal",
    }),
  },
];

const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }];
const rbac = (kind: string, rest: Tree): Tree => object("rbac.authorization.k8s.io/v1", kind, rest);
const net = (kind: string, spec: Tree): Tree => object("networking.k8s.io/v1", kind, { spec });
const backend = { service: { name: "s", port: { number: 80 } } };

const rest: readonly StrategyCase[] = [
  { name: "role", object: rbac("Role", { rules }) },
  {
    name: "role refused",
    object: rbac("Role", { rules: [{ verbs: [], nonResourceURLs: ["/x"] }] }),
  },
  {
    name: "cluster role aggregated",
    object: rbac("ClusterRole", {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
    }),
  },
  {
    name: "role binding",
    object: rbac("RoleBinding", {
      roleRef: { kind: "ClusterRole", name: "view", apiGroup: "rbac.authorization.k8s.io" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "ServiceAccount", name: "s", namespace: "default" },
      ],
    }),
    update: { roleRef: { name: "edit" } },
  },
  {
    name: "role binding refused",
    object: rbac("RoleBinding", {
      roleRef: { kind: "X", name: "" },
      subjects: [
        { kind: "Y", name: "" },
        { kind: "ServiceAccount", name: "S" },
      ],
    }),
  },
  {
    name: "ingress",
    object: net("Ingress", {
      ingressClassName: "c",
      tls: [{ hosts: ["a.example.com"], secretName: "s" }],
      rules: [
        { host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } },
      ],
    }),
    status: { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } },
  },
  {
    name: "ingress refused",
    object: net("Ingress", {
      rules: [
        { host: "1.2.3.4", http: { paths: [{ path: "x", pathType: "Exact", backend: {} }] } },
      ],
    }),
  },
  { name: "ingress refused: empty", object: net("Ingress", {}) },
  {
    name: "network policy",
    object: net("NetworkPolicy", { podSelector: { matchLabels: { a: "b" } } }),
  },
  {
    name: "network policy egress",
    object: net("NetworkPolicy", {
      podSelector: {},
      egress: [
        { ports: [{ port: 53, protocol: "UDP" }], to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] },
      ],
    }),
  },
  {
    name: "network policy refused",
    object: net("NetworkPolicy", {
      podSelector: {},
      policyTypes: ["X"],
      ingress: [{ from: [{}, { ipBlock: { cidr: "x" } }], ports: [{ port: 0, endPort: 5 }] }],
    }),
  },
  {
    name: "disruption budget",
    object: object("policy/v1", "PodDisruptionBudget", {
      spec: { minAvailable: "50%", selector: {} },
    }),
  },
  {
    name: "disruption budget refused",
    object: object("policy/v1", "PodDisruptionBudget", {
      spec: { minAvailable: -1, maxUnavailable: 1, unhealthyPodEvictionPolicy: "X" },
    }),
  },
  {
    name: "autoscaler",
    object: object("autoscaling/v2", "HorizontalPodAutoscaler", {
      spec: {
        maxReplicas: 5,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      },
    }),
  },
  {
    name: "autoscaler refused",
    object: object("autoscaling/v2", "HorizontalPodAutoscaler", {
      spec: { minReplicas: 6, maxReplicas: 5, scaleTargetRef: {}, metrics: [{ type: "X" }] },
    }),
  },
  {
    name: "lease",
    object: object("coordination.k8s.io/v1", "Lease", { spec: { holderIdentity: "h" } }),
  },
  {
    name: "lease refused",
    object: object("coordination.k8s.io/v1", "Lease", {
      spec: { leaseDurationSeconds: 0, leaseTransitions: -1 },
    }),
  },
  { name: "priority class", object: object("scheduling.k8s.io/v1", "PriorityClass", { value: 5 }) },
  {
    name: "priority class refused",
    object: object("scheduling.k8s.io/v1", "PriorityClass", {
      value: 2000000000,
      preemptionPolicy: "X",
    }),
  },
  { name: "runtime class", object: object("node.k8s.io/v1", "RuntimeClass", { handler: "h" }) },
  {
    name: "endpoint slice",
    object: object("discovery.k8s.io/v1", "EndpointSlice", {
      addressType: "IPv4",
      endpoints: [{ addresses: ["1.2.3.4"] }],
      ports: [{ port: 80 }],
    }),
  },
  {
    name: "endpoint slice refused",
    object: object("discovery.k8s.io/v1", "EndpointSlice", {
      addressType: "IPv4",
      endpoints: [{ addresses: ["x"] }, { addresses: [] }],
      ports: [{ name: "A b", port: 80, protocol: "X" }],
    }),
  },
  {
    name: "controller revision",
    object: object("apps/v1", "ControllerRevision", { revision: 1, data: { a: "b" } }),
    update: { data: { a: "c" } },
  },
  {
    name: "webhooks",
    object: object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", {
      webhooks: [
        {
          name: "a.b.example.com",
          clientConfig: { url: "https://localhost:1/x" },
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          rules: [
            {
              operations: ["CREATE"],
              apiGroups: ["none.example.com"],
              apiVersions: ["v1"],
              resources: ["x"],
            },
          ],
        },
      ],
    }),
  },
  {
    name: "webhooks refused",
    object: object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", {
      webhooks: [
        {
          name: "a",
          clientConfig: {},
          sideEffects: "Some",
          admissionReviewVersions: ["v9"],
          timeoutSeconds: 99,
        },
      ],
    }),
  },
];

export const otherCases: readonly StrategyCase[] = [...services, ...storage, ...settings, ...rest];
