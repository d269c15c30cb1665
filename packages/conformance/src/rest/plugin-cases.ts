/** Admission plugins that are off by default, and those about nodes' labels and sizes: in order. */
import type { RestRequest } from "../subjects/apiserver.ts";

export const pluginFlags = [
  `--enable-admission-plugins=${[
    "AlwaysAdmit",
    "AlwaysPullImages",
    "DenyServiceExternalIPs",
    "ExtendedResourceToleration",
    "LimitPodHardAntiAffinityTopology",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "OwnerReferencesPermissionEnforcement",
    "PodNodeSelector",
    "PodTolerationRestriction",
  ].join()}`,
  "--etcd-prefix=elsewhere/",
  "--disable-admission-plugins=ServiceAccount",
];

const pods = "/api/v1/namespaces/default/pods";
const maps = "/api/v1/namespaces/default/configmaps";
const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
const merge = { "content-type": "application/merge-patch+json" };
const strategic = { "content-type": "application/strategic-merge-patch+json" };

const post = (path: string, body: unknown, headers?: Record<string, string>): RestRequest => ({
  method: "POST",
  path,
  body,
  ...(headers === undefined ? {} : { headers }),
});
const patch = (
  path: string,
  body: unknown,
  headers: Record<string, string> = merge,
): RestRequest => ({
  method: "PATCH",
  path,
  headers,
  body,
});
const container = (more: object = {}) => ({ name: "c", image: "a:1", ...more });
const pod = (name: string, spec: object): RestRequest =>
  post(pods, { apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
const node = (name: string, labels: object, cpu = "2"): readonly [string, RestRequest][] => [
  [
    `the node ${name}`,
    post("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name, labels } }),
  ],
  [
    `what ${name} has`,
    patch(`/api/v1/nodes/${name}/status`, {
      status: { allocatable: { cpu, memory: "1Gi", pods: "10" } },
    }),
  ],
];
const topology = {
  "topology.kubernetes.io/zone": "z1",
  "topology.kubernetes.io/region": "r1",
  "topology.kubernetes.io/rack": "k1",
};
const service = (name: string, externalIPs: string[]): RestRequest =>
  post("/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { clusterIP: "None", ports: [{ port: 80 }], externalIPs },
  });
const apart = (topologyKey: string) => ({
  containers: [container()],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey, labelSelector: { matchLabels: { a: "b" } } },
      ],
    },
  },
});
const bind = (name: string, target: object): RestRequest =>
  post(`${pods}/${name}/binding`, {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name },
    target,
  });
const resize = (name: string, requests: object): RestRequest =>
  patch(
    `${pods}/${name}/resize`,
    { spec: { containers: [{ name: "c", resources: { requests } }] } },
    strategic,
  );
const sized = {
  containers: [container({ resources: { requests: { cpu: "1", memory: "64Mi" } } })],
};

/** Somebody who may write config maps, and delete none. */
const ann = { "impersonate-user": "ann", "content-type": "application/json" };
const owned = (name: string, owner: object) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name,
    ownerReferences: [{ uid: "u-1", name: "o", ...owner }],
  },
});
const configMap = { apiVersion: "v1", kind: "ConfigMap" };
const blocking = { ...configMap, blockOwnerDeletion: true };

const picky = "/api/v1/namespaces/picky/pods";
const lead = "scheduler.alpha.kubernetes.io";
const asked = { key: "a", operator: "Exists", effect: "NoSchedule" };
const other = {
  key: "b",
  operator: "Equal",
  value: "1",
  effect: "NoExecute",
  tolerationSeconds: 9,
};
const picked = (name: string, spec: object): RestRequest =>
  post(picky, { apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
const privileged = container({ securityContext: { privileged: true } });

/** What a namespace says of its pods. */
const pickyCases: readonly (readonly [string, RestRequest])[] = [
  [
    "a namespace that says where its pods go",
    post("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: "picky",
        annotations: {
          [`${lead}/node-selector`]: "disk=ssd, env=test",
          [`${lead}/defaultTolerations`]: JSON.stringify([asked]),
          [`${lead}/tolerationsWhitelist`]: JSON.stringify([
            asked,
            { ...other, tolerationSeconds: 20 },
            { key: "node.kubernetes.io/not-ready", operator: "Exists" },
            { key: "node.kubernetes.io/unreachable", operator: "Exists" },
            { key: "node.kubernetes.io/memory-pressure", operator: "Exists" },
          ]),
        },
      },
    }),
  ],
  ["a pod there", picked("plain", { containers: [container()] })],
  [
    "one that tolerates",
    picked("patient", { ...sized, tolerations: [other, { ...asked, effect: "NoSchedule" }] }),
  ],
  [
    "one that tolerates too long",
    picked("slow", {
      containers: [container()],
      tolerations: [{ ...other, tolerationSeconds: 30 }],
    }),
  ],
  [
    "one that tolerates anything",
    picked("hardy", { containers: [container()], tolerations: [{ operator: "Exists" }] }),
  ],
  ["one elsewhere", picked("lost", { containers: [container()], nodeSelector: { disk: "hdd" } })],
  [
    "one nearer",
    picked("near", { containers: [container()], nodeSelector: { disk: "ssd", zone: "a" } }),
  ],
  ["a privileged pod", pod("strong", { containers: [container(), { ...privileged, name: "d" }] })],
  [
    "a privileged init container of a template",
    post("/apis/apps/v1/namespaces/default/deployments", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "strong" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: {
          metadata: { labels: { a: "b" } },
          spec: { initContainers: [{ ...privileged, name: "i" }], containers: [container()] },
        },
      },
    }),
  ],
  [
    "a pod with its own size",
    pod("whole", {
      nodeName: "n1",
      containers: [container()],
      resources: { requests: { cpu: "1" } },
    }),
  ],
  [
    "resized where the node does not say it can",
    patch(`${pods}/whole/resize`, { spec: { resources: { requests: { cpu: "2" } } } }, strategic),
  ],
];

const claims = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims";
const claimStatus = (status: object, by = "ann"): RestRequest =>
  patch(`${claims}/claim/status`, { status }, { ...merge, "impersonate-user": by });
const clusterRole = (name: string, resources: string[], verbs: string[]) =>
  ["clusterroles", "clusterrolebindings"].map((plural): readonly [string, RestRequest] => [
    `${plural} ${name}`,
    post(`/apis/rbac.authorization.k8s.io/v1/${plural}`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: plural === "clusterroles" ? "ClusterRole" : "ClusterRoleBinding",
      metadata: { name },
      ...(plural === "clusterroles"
        ? { rules: [{ apiGroups: ["resource.k8s.io"], resources, verbs }] }
        : {
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
            subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ann" }],
          }),
    }),
  ]);
const allocation = {
  devices: { results: [{ request: "r", driver: "d.example.com", pool: "p", device: "x" }] },
};
const deviceOf = (conditions: object[]) => ({
  devices: [{ driver: "d.example.com", pool: "p", device: "x", conditions }],
});
const ready = {
  type: "Ready",
  status: "True",
  reason: "Because",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

/** Who may write which part of a claim's status. */
const claimCases: readonly (readonly [string, RestRequest])[] = [
  [
    "a claim",
    post(claims, {
      apiVersion: "resource.k8s.io/v1",
      kind: "ResourceClaim",
      metadata: { name: "claim" },
      spec: {
        devices: { requests: [{ name: "r", exactly: { deviceClassName: "c.example.com" } }] },
      },
    }),
  ],
  ...clusterRole("statuses", ["resourceclaims/status"], ["update", "patch"]),
  ["allocated by who may not bind", claimStatus({ allocation })],
  ...clusterRole("binders", ["resourceclaims/binding"], ["patch"]),
  ["allocated by who may bind", claimStatus({ allocation })],
  ["a device told of by who is no driver", claimStatus(deviceOf([ready]))],
  ...clusterRole("drivers", ["resourceclaims/driver"], ["arbitrary-node:patch"]),
  ["a device told of by its driver", claimStatus(deviceOf([ready]))],
  ["nothing new", claimStatus(deviceOf([ready]))],
];

export const pluginCases: readonly (readonly [string, RestRequest])[] = [
  // First, for upstream's plugins hear of them through a watch.
  ...node("n1", topology),
  ...node("bare", {}),
  ...node("windows", { "kubernetes.io/os": "windows" }),
  [
    "every image is pulled",
    pod("pulled", {
      containers: [container({ imagePullPolicy: "IfNotPresent" })],
      initContainers: [container({ name: "i", imagePullPolicy: "Never" })],
    }),
  ],
  ["no new image, no new policy", patch(`${pods}/pulled`, { metadata: { labels: { a: "b" } } })],
  ["external addresses", service("outside", ["192.0.2.1"])],
  ["no external addresses", service("inside", [])],
  [
    "external addresses later",
    patch("/api/v1/namespaces/default/services/inside", { spec: { externalIPs: ["192.0.2.1"] } }),
  ],
  [
    "devices are tolerated",
    pod("device", {
      containers: [
        container({
          resources: { limits: { "example.com/b": "1", "example.com/a": "1", cpu: "1" } },
        }),
      ],
    }),
  ],
  ["apart from others in a zone", pod("apart", apart("topology.kubernetes.io/zone"))],
  ["apart from others on a node", pod("apart", apart("kubernetes.io/hostname"))],
  ["deleted in no namespace", { method: "DELETE", path: "/api/v1/namespaces/gone/configmaps/x" }],
  [
    "written in no namespace",
    post("/api/v1/namespaces/gone/configmaps", { ...configMap, metadata: { name: "x" } }),
  ],
  ["a pod on a node", pod("placed", { nodeName: "n1", containers: [container()] })],
  [
    "a pod on a node without labels",
    pod("unlabelled", { nodeName: "bare", containers: [container()] }),
  ],
  [
    "a pod on a node that is not there",
    pod("lost", { nodeName: "gone", containers: [container()] }),
  ],
  ["a pod to bind", pod("bound", sized)],
  ["bound", bind("bound", { kind: "Node", name: "n1" })],
  ["what it got", { method: "GET", path: `${pods}/bound` }],
  ["larger than the node", resize("bound", { cpu: "3", memory: "2Gi" })],
  ["as large as the node", resize("bound", { cpu: "2", memory: "1Gi" })],
  ["no change of size", resize("bound", { cpu: "2", memory: "1Gi" })],
  ["a pod on windows", pod("pane", { nodeName: "windows", ...sized })],
  ["no size on windows", resize("pane", { cpu: "1500m" })],
  ["a pod of a node that is gone, resized", resize("lost", { cpu: "1" })],
  [
    "ann may write",
    post(`${rbac}/roles`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "writer" },
      rules: [
        { apiGroups: [""], resources: ["configmaps"], verbs: ["create", "update", "patch", "get"] },
      ],
    }),
  ],
  [
    "ann writes",
    post(`${rbac}/rolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "writer" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "writer" },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ann" }],
    }),
  ],
  ["created with an owner", post(maps, owned("owned", configMap), ann)],
  [
    "another owner of what she cannot delete",
    patch(
      `${maps}/owned`,
      { metadata: { ownerReferences: [{ ...configMap, uid: "u-2", name: "p" }] } },
      { ...ann, ...merge },
    ),
  ],
  ["an owner held up", post(maps, owned("held", blocking), ann)],
  [
    "an owner of no kind held up",
    post(maps, owned("odd", { ...blocking, apiVersion: "example.com/v1", kind: "Odd" }), ann),
  ],
  ["an owner held up by who may do all", post(maps, owned("held", blocking))],
  ...pickyCases,
  ...claimCases,
];
