/** Who may do what on a fresh cluster: users and actions, every user with every action. */

export interface Action {
  verb: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  path?: string;
}

const controllers = [
  "attachdetach-controller",
  "clusterrole-aggregation-controller",
  "cronjob-controller",
  "daemon-set-controller",
  "deployment-controller",
  "disruption-controller",
  "endpoint-controller",
  "endpointslice-controller",
  "endpointslicemirroring-controller",
  "ephemeral-volume-controller",
  "expand-controller",
  "generic-garbage-collector",
  "horizontal-pod-autoscaler",
  "job-controller",
  "namespace-controller",
  "node-controller",
  "persistent-volume-binder",
  "pod-garbage-collector",
  "replicaset-controller",
  "resourcequota-controller",
  "root-ca-cert-publisher",
  "service-account-controller",
  "statefulset-controller",
  "ttl-after-finished-controller",
  "token-cleaner",
  "bootstrap-signer",
];

export const users: readonly { name: string; groups: readonly string[] }[] = [
  { name: "root", groups: ["system:masters", "system:authenticated"] },
  { name: "alice", groups: ["system:authenticated"] },
  { name: "system:anonymous", groups: ["system:unauthenticated"] },
  { name: "monitor", groups: ["system:monitoring", "system:authenticated"] },
  { name: "system:kube-scheduler", groups: ["system:authenticated"] },
  { name: "system:kube-controller-manager", groups: ["system:authenticated"] },
  { name: "system:kube-proxy", groups: ["system:authenticated"] },
  { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] },
  { name: "system:node:n2", groups: ["system:authenticated"] },
  ...controllers.map((name) => ({
    name: `system:serviceaccount:kube-system:${name}`,
    groups: [
      "system:serviceaccounts",
      "system:serviceaccounts:kube-system",
      "system:authenticated",
    ],
  })),
];

const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

const resources: readonly Action[] = [
  { verb: "", resource: "pods", namespace: "default" },
  { verb: "", resource: "pods", subresource: "status", namespace: "default" },
  { verb: "", resource: "pods", subresource: "binding", namespace: "default" },
  { verb: "", resource: "pods", subresource: "eviction", namespace: "default" },
  { verb: "", resource: "secrets", namespace: "kube-system" },
  { verb: "", resource: "secrets", namespace: "default", name: "s" },
  { verb: "", resource: "configmaps", namespace: "kube-system", name: "a" },
  { verb: "", resource: "configmaps", namespace: "kube-public", name: "cluster-info" },
  { verb: "", resource: "nodes", name: "n1" },
  { verb: "", resource: "nodes", name: "n2" },
  { verb: "", resource: "nodes", subresource: "status", name: "n1" },
  { verb: "", resource: "namespaces" },
  { verb: "", resource: "namespaces", subresource: "finalize" },
  { verb: "", resource: "services", namespace: "default" },
  { verb: "", resource: "endpoints", namespace: "default" },
  { verb: "", resource: "events", namespace: "default" },
  { verb: "", resource: "serviceaccounts", subresource: "token", namespace: "default", name: "d" },
  { verb: "", resource: "persistentvolumes" },
  { verb: "", resource: "persistentvolumeclaims", namespace: "default" },
  { verb: "", resource: "resourcequotas", subresource: "status", namespace: "default" },
  { verb: "", group: "apps", resource: "deployments", namespace: "default" },
  { verb: "", group: "apps", resource: "replicasets", subresource: "scale", namespace: "default" },
  { verb: "", group: "batch", resource: "jobs", namespace: "default" },
  {
    verb: "",
    group: "coordination.k8s.io",
    resource: "leases",
    namespace: "kube-system",
    name: "kube-scheduler",
  },
  {
    verb: "",
    group: "coordination.k8s.io",
    resource: "leases",
    namespace: "kube-node-lease",
    name: "n1",
  },
  {
    verb: "",
    group: "coordination.k8s.io",
    resource: "leases",
    namespace: "kube-node-lease",
    name: "n2",
  },
  { verb: "", group: "storage.k8s.io", resource: "csinodes", name: "n1" },
  { verb: "", group: "storage.k8s.io", resource: "volumeattachments", name: "v" },
  { verb: "", group: "discovery.k8s.io", resource: "endpointslices", namespace: "default" },
  { verb: "", group: "rbac.authorization.k8s.io", resource: "clusterroles" },
  { verb: "", group: "certificates.k8s.io", resource: "certificatesigningrequests" },
  { verb: "", group: "authentication.k8s.io", resource: "tokenreviews" },
  { verb: "", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews" },
  { verb: "", group: "authorization.k8s.io", resource: "subjectaccessreviews" },
  { verb: "", group: "example.com", resource: "things", namespace: "default" },
];

const paths = [
  "/",
  "/api",
  "/apis/apps/v1",
  "/version",
  "/healthz",
  "/livez",
  "/metrics",
  "/openapi/v3",
  "/other",
];

export const actions: readonly Action[] = [
  ...resources.flatMap((resource) => verbs.map((verb) => ({ ...resource, verb }))),
  {
    verb: "approve",
    group: "certificates.k8s.io",
    resource: "signers",
    name: "kubernetes.io/kubelet-serving",
  },
  {
    verb: "sign",
    group: "certificates.k8s.io",
    resource: "signers",
    name: "kubernetes.io/legacy-unknown",
  },
  { verb: "impersonate", resource: "users", name: "x" },
  ...paths.flatMap((path) => ["get", "post"].map((verb) => ({ verb, path }))),
];
