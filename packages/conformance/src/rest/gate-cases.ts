/** What feature gates and other flags change in the answers: the same requests with and without. */
import type { RestRequest } from "../subjects/apiserver.ts";

/** Those that are on by default are off, and the other way round. */
const switchedGates = `--feature-gates=${[
  "AllowInsecureKubeletCertificateSigningRequests=true",
  "APIResponseCompression=false",
  "AuthorizePodWebsocketUpgradeCreatePermission=false",
  "EventedPLEG=true",
  "HPAConfigurableTolerance=false",
  "HPAScaleToZero=true",
  "HostnameOverride=false",
  "MutatingAdmissionPolicy=false",
  "PodTopologyLabelsAdmission=false",
  "ServiceAccountNodeAudienceRestriction=false",
  "StorageVersionHash=false",
  "TokenRequestServiceAccountUIDValidation=false",
  "WatchList=false",
].join()}`;

/** Flags of how the server listens, and what it adds to pods. */
export const switchedFlags: readonly string[] = [
  switchedGates,
  "--default-not-ready-toleration-seconds=30",
  "--default-unreachable-toleration-seconds=40",
  "--strict-transport-security-directives=max-age=600,includeSubDomains",
  "--tls-min-version=VersionTLS12",
  "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "--disable-http2-serving",
  "--external-hostname=api.example.com",
  "--delete-collection-workers=3",
  "--storage-backend=etcd3",
  "--goaway-chance=0",
  "--enable-garbage-collector=true",
];

const pods = "/api/v1/namespaces/default/pods";
const accounts = "/api/v1/namespaces/default/serviceaccounts";
const none = `/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name%3Dnone`;
const autoscalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const registration = "/apis/admissionregistration.k8s.io/v1";

const post = (path: string, body: object): RestRequest => ({ method: "POST", path, body });
const get = (path: string, more: Partial<RestRequest> = {}): RestRequest => ({
  method: "GET",
  path,
  ...more,
});
const autoscaler = (name: string, spec: object): RestRequest =>
  post(autoscalers, {
    metadata: { name },
    spec: {
      scaleTargetRef: { kind: "D", name: "d", apiVersion: "apps/v1" },
      maxReplicas: 2,
      ...spec,
    },
  });
const outside = [
  {
    type: "External",
    external: { metric: { name: "m" }, target: { type: "Value", value: "1" } },
  },
];
const container = { name: "c", image: "a:1" };
const jane = { token: "jane-token" };
const rules = [
  { apiGroups: [""], resources: ["pods", "pods/exec", "pods/attach"], verbs: ["get"] },
];
const about = { apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };
const applied = { expression: "Object{data: {'mutated': 'yes'}}" };

/** In order: some stand on those before. */
export const gateCases: readonly (readonly [string, RestRequest])[] = [
  [
    "the service account of pods",
    post(accounts, {
      metadata: { name: "default" },
      automountServiceAccountToken: false,
    }),
  ],
  [
    "a role that may read pods, and what they execute",
    post(`${rbac}/clusterroles`, { metadata: { name: "reader" }, rules }),
  ],
  [
    "a binding of it",
    post(`${rbac}/clusterrolebindings`, {
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
    }),
  ],
  [
    "a node with a zone",
    post("/api/v1/nodes", {
      metadata: { name: "n", labels: { "topology.kubernetes.io/zone": "z" } },
    }),
  ],
  [
    "a pod on it, not made",
    post(`${pods}?dryRun=All`, {
      metadata: { name: "p" },
      spec: { nodeName: "n", containers: [container] },
    }),
  ],
  [
    "a pod on it",
    post(pods, { metadata: { name: "p" }, spec: { nodeName: "n", containers: [container] } }),
  ],
  ["who may read executes", get(`${pods}/p/exec?command=ls`, jane)],
  ["who may read attaches", get(`${pods}/p/attach`, jane)],
  ["an administrator executes", get(`${pods}/p/exec?command=ls`)],
  [
    "a pod with a name of its own host",
    post(pods, {
      metadata: { name: "host" },
      spec: { hostnameOverride: "other", containers: [container] },
    }),
  ],
  [
    "no replicas, by a metric from outside",
    autoscaler("zero", { minReplicas: 0, metrics: outside }),
  ],
  ["no replicas, by the processor", autoscaler("busy", { minReplicas: 0 })],
  ["fewer than none", autoscaler("less", { minReplicas: -1 })],
  [
    "some tolerance",
    autoscaler("tolerant", {
      behavior: { scaleUp: { tolerance: "0.05" }, scaleDown: { tolerance: "0.5" } },
    }),
  ],
  [
    "a token for an account that was made anew",
    post(`${accounts}/default/token`, {
      metadata: { uid: "another" },
      spec: {},
    }),
  ],
  [
    "a policy that changes config maps",
    post(`${registration}/mutatingadmissionpolicies`, {
      metadata: { name: "changes" },
      spec: {
        reinvocationPolicy: "Never",
        matchConstraints: { resourceRules: [{ ...about, operations: ["CREATE"] }] },
        mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: applied }],
      },
    }),
  ],
  [
    "its binding",
    post(`${registration}/mutatingadmissionpolicybindings`, {
      metadata: { name: "changes" },
      spec: { policyName: "changes" },
    }),
  ],
  [
    "a watch that begins with everything",
    get(
      `${none}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1`,
    ),
  ],
  ["a watch that does not, and says so", get(`${none}&sendInitialEvents=false&timeoutSeconds=1`)],
  ["where tokens are known", get("/.well-known/openid-configuration")],
  ["what autoscaling has", get("/apis/autoscaling/v2")],
  [
    "a config map that a policy may change",
    post("/api/v1/namespaces/default/configmaps?dryRun=All", {
      metadata: { name: "changed" },
      data: { a: "b" },
    }),
  ],
  [
    "a config map of 200 kB, made",
    post("/api/v1/namespaces/default/configmaps", {
      metadata: { name: "large" },
      data: { a: "a".repeat(200_000) },
    }),
  ],
  [
    "the same, for who takes gzip",
    get("/api/v1/namespaces/default/configmaps/large", { headers: { "accept-encoding": "gzip" } }),
  ],
];
