/** What server-side apply is tried on, beside the workloads. */
import { type Appliable, metadataFragments, metadataPatches, workloads } from "./fragments.ts";

const services: Appliable = {
  apiVersion: "v1",
  kind: "Service",
  plural: "services",
  base: { spec: { ports: [{ port: 80, name: "http" }] } },
  fragments: [
    ...metadataFragments,
    (pick) => ({ spec: { selector: { app: pick(["x", "y"]) } } }),
    (pick) => ({ spec: { ports: [{ port: pick([81, 82]), name: pick(["p", "q"]) }] } }),
    (pick) => ({
      spec: { ports: [{ port: 80, name: "http", targetPort: pick([8080, "web"]) }] },
    }),
    (pick) => ({
      spec: { ports: [{ port: 80, name: pick(["http", "dns"]), protocol: pick(["TCP", "UDP"]) }] },
    }),
    (pick) => ({ spec: { sessionAffinity: pick(["None", "ClientIP"]) } }),
    (pick) => ({ spec: { type: pick(["ClusterIP", "NodePort"]) } }),
    (pick) => ({ spec: { externalIPs: [pick(["192.0.2.1", "192.0.2.2"])] } }),
  ],
  patches: [...metadataPatches, (pick) => ({ spec: { selector: { app: pick(["x", "z"]) } } })],
};

const pods: Appliable = {
  apiVersion: "v1",
  kind: "Pod",
  plural: "pods",
  base: {
    spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "i:1" }] },
  },
  fragments: [
    ...metadataFragments,
    (pick) => ({ spec: { containers: [{ name: "c", image: pick(["i:1", "i:2"]) }] } }),
    (pick) => ({ spec: { tolerations: [{ key: pick(["k", "j"]), operator: "Exists" }] } }),
    (pick) => ({ spec: { activeDeadlineSeconds: pick([50, 40]) } }),
    (pick) => ({ spec: { containers: [{ name: "c", env: [{ name: "A", value: pick(["1"]) }] }] } }),
  ],
  patches: metadataPatches,
  status: (pick) => ({
    status: {
      phase: pick(["Pending", "Running"]),
      conditions: [{ type: pick(["Ready", "X"]), status: pick(["True", "False"]) }],
      podIPs: [{ ip: "10.1.1.1" }],
    },
  }),
};

const configMaps: Appliable = {
  apiVersion: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  base: {},
  fragments: [
    ...metadataFragments,
    (pick) => ({ data: { [pick(["a", "b"])]: pick(["1", "2"]) } }),
    (pick) => ({ data: { c: pick(["1", "2"]), d: "x" } }),
    (pick) => ({ binaryData: { e: pick(["AAE=", "AAI="]) } }),
    () => ({ data: {} }),
  ],
  patches: [...metadataPatches, (pick) => ({ data: { [pick(["a", "c"])]: pick(["9", null]) } })],
};

const secrets: Appliable = {
  apiVersion: "v1",
  kind: "Secret",
  plural: "secrets",
  base: {},
  fragments: [
    ...metadataFragments,
    (pick) => ({ data: { a: pick(["AAE=", "AAI="]) } }),
    (pick) => ({ stringData: { [pick(["a", "b"])]: pick(["1", "2"]) } }),
  ],
  patches: [...metadataPatches, (pick) => ({ stringData: { a: pick(["1", "3"]) } })],
};

const accounts: Appliable = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  base: {},
  fragments: [
    ...metadataFragments,
    (pick) => ({ imagePullSecrets: [{ name: pick(["a", "b"]) }] }),
    (pick) => ({ secrets: [{ name: pick(["a", "b"]) }] }),
    (pick) => ({ automountServiceAccountToken: pick([true, false]) }),
  ],
  patches: metadataPatches,
};

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

const ingresses: Appliable = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  plural: "ingresses",
  base: { spec: { defaultBackend: backend("s") } },
  fragments: [
    ...metadataFragments,
    (pick) => ({ spec: { defaultBackend: backend(pick(["s", "t"])) } }),
    (pick) => ({ spec: { tls: [{ hosts: [pick(["a.b", "c.d"])], secretName: "x" }] } }),
    (pick) => ({
      spec: {
        rules: [
          {
            host: pick(["a.b", "c.d"]),
            http: { paths: [{ path: "/", pathType: "Prefix", backend: backend("s") }] },
          },
        ],
      },
    }),
    (pick) => ({ spec: { ingressClassName: pick(["n", "m"]) } }),
  ],
  patches: metadataPatches,
  status: (pick) => ({
    status: { loadBalancer: { ingress: [{ ip: pick(["1.2.3.4", "1.2.3.5"]) }] } },
  }),
};

const policies: Appliable = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  base: { spec: { podSelector: {} } },
  fragments: [
    ...metadataFragments,
    (pick) => ({
      spec: { podSelector: { matchLabels: { [pick(["a", "b"])]: pick(["1", "2"]) } } },
    }),
    (pick) => ({ spec: { policyTypes: pick([["Ingress"], ["Ingress", "Egress"]]) } }),
    (pick) => ({ spec: { ingress: [{ ports: [{ port: pick([80, "http"]) }] }] } }),
  ],
  patches: metadataPatches,
};

const autoscalers: Appliable = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  base: {
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
      maxReplicas: 5,
    },
  },
  fragments: [
    ...metadataFragments,
    (pick) => ({ spec: { minReplicas: pick([1, 2]) } }),
    (pick) => ({ spec: { maxReplicas: pick([5, 6]) } }),
    (pick) => ({
      spec: {
        metrics: [
          {
            type: "Resource",
            resource: {
              name: pick(["cpu", "memory"]),
              target: { type: "Utilization", averageUtilization: pick([50, 60]) },
            },
          },
        ],
      },
    }),
    (pick) => ({
      spec: { behavior: { scaleDown: { stabilizationWindowSeconds: pick([10, 20]) } } },
    }),
  ],
  patches: metadataPatches,
};

const claims: Appliable = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  base: {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  },
  fragments: [
    ...metadataFragments,
    (pick) => ({ spec: { resources: { requests: { storage: pick(["1Gi", "1024Mi"]) } } } }),
    (pick) => ({ spec: { volumeMode: pick(["Filesystem"]) } }),
  ],
  patches: metadataPatches,
};

export const appliables: readonly Appliable[] = [
  ...workloads,
  services,
  pods,
  configMaps,
  secrets,
  accounts,
  ingresses,
  policies,
  autoscalers,
  claims,
];
