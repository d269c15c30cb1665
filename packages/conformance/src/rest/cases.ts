/**
 * One conversation with the REST API, request by request; what upstream answers is recorded beside it.
 *
 * Order matters: later requests see what earlier ones left. `$rv(NAME)` in a path or body stands for
 * the resourceVersion that the case of that name was answered with.
 */
import type { RestRequest } from "../subjects/apiserver.ts";

export interface RestCase extends RestRequest {
  name: string;
  /** Compare only the status and the reason: the rest is known to differ, and why. */
  only?: { status: true; because: string };
}

const json = "application/json";
const merge = { "content-type": "application/merge-patch+json" };
const strategic = { "content-type": "application/strategic-merge-patch+json" };
const jsonPatch = { "content-type": "application/json-patch+json" };
const apply = { "content-type": "application/apply-patch+yaml" };
const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };
const partial = {
  accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
};
const partialList = {
  accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
};

const configMap = (name: string, more: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...more },
  data: { a: "1" },
});

const ns = "/api/v1/namespaces/t";
const maps = `${ns}/configmaps`;
const deployments = "/apis/apps/v1/namespaces/t/deployments";

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "nginx:1" }] },
    },
  },
};

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", labels: { x: "y" } },
  spec: { automountServiceAccountToken: false, containers: [{ name: "c", image: "nginx" }] },
};

const get = (name: string, path: string, headers?: Record<string, string>): RestCase => ({
  name,
  method: "GET",
  path,
  ...(headers === undefined ? {} : { headers }),
});
const send = (
  name: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): RestCase => ({
  name,
  method,
  path,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
});

const creating: RestCase[] = [
  send("a namespace", "POST", "/api/v1/namespaces", { metadata: { name: "t" } }),
  send("its service account", "POST", `${ns}/serviceaccounts`, { metadata: { name: "default" } }),
  send("create", "POST", maps, configMap("a", { labels: { l: "1" } })),
  send("create again", "POST", maps, configMap("a")),
  send("without a name", "POST", maps, configMap("")),
  send("with a bad name", "POST", maps, configMap("A_b")),
  send("into another namespace", "POST", maps, configMap("b", { namespace: "other" })),
  send(
    "into a namespace that is not there",
    "POST",
    "/api/v1/namespaces/no/configmaps",
    configMap("a"),
  ),
  send("of another kind", "POST", maps, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "x" },
  }),
  send("of another version", "POST", maps, {
    apiVersion: "v2",
    kind: "ConfigMap",
    metadata: { name: "x" },
  }),
  send("not JSON", "POST", maps, "{"),
  send("a list instead", "POST", maps, "[]"),
  send("a wrong type", "POST", maps, { metadata: { name: "x" }, data: { a: 1 } }),
  send("unknown field, strict", "POST", `${maps}?fieldValidation=Strict`, {
    ...configMap("u"),
    foo: 1,
  }),
  send("unknown field, warned", "POST", maps, { ...configMap("u"), foo: 1 }),
  send("unknown field, ignored", "POST", `${maps}?fieldValidation=Ignore`, {
    ...configMap("u2"),
    foo: 1,
  }),
  send(
    "duplicate field, strict",
    "POST",
    `${maps}?fieldValidation=Strict`,
    '{"metadata":{"name":"d"},"data":{"a":"1","a":"2"}}',
  ),
  send("a bad option", "POST", `${maps}?fieldValidation=Foo`, configMap("x")),
  send("a bad dry run", "POST", `${maps}?dryRun=Some`, configMap("x")),
  send("a dry run", "POST", `${maps}?dryRun=All`, configMap("x")),
  send("YAML", "POST", maps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n", {
    "content-type": "application/yaml",
  }),
  send("an unknown content type", "POST", maps, "x", { "content-type": "text/foo" }),
  send("a long field manager", "POST", `${maps}?fieldManager=${"x".repeat(129)}`, configMap("x")),
  send("bad labels", "POST", maps, configMap("x", { labels: { "a b": "c d" } })),
  send("a pod without containers", "POST", `${ns}/pods`, { metadata: { name: "x" }, spec: {} }),
  send("a pod", "POST", `${ns}/pods`, pod),
  send("a deployment", "POST", deployments, deployment),
  send("a deployment with a wrong selector", "POST", deployments, {
    ...deployment,
    metadata: { name: "w" },
    spec: { ...deployment.spec, selector: { matchLabels: { app: "other" } } },
  }),
];

const reading: RestCase[] = [
  get("get", `${maps}/a`),
  get("get what is not there", `${maps}/zz`),
  get("get of a group", "/apis/apps/v1/namespaces/t/deployments/zz"),
  get("get as a table", `${maps}/a`, table),
  get("get as metadata", `${maps}/a`, partial),
  get("get YAML", `${maps}/a`, { accept: "application/yaml" }),
  get("get in no known form", `${maps}/a`, { accept: "application/foo" }),
  get("list", maps),
  get("list as a table", maps, table),
  get("list as metadata", maps, partialList),
  get("list by label", `${maps}?labelSelector=l%3D1`),
  get("list by label, in", `${maps}?labelSelector=l+in+(1,2)`),
  get("list by a bad label selector", `${maps}?labelSelector=l+foo+(1)`),
  get("list by field", `${maps}?fieldSelector=metadata.name%3Da`),
  get("list by an unknown field", `${maps}?fieldSelector=data.a%3Da`),
  get("list by a bad field selector", `${maps}?fieldSelector=foo`),
  get("pods by node", `${ns}/pods?fieldSelector=spec.nodeName%3D`),
  get("pods as a table", `${ns}/pods`, table),
  get("list, two of them", `${maps}?limit=2`),
  get("list with a bad limit", `${maps}?limit=x`),
  get("list with a bad continue", `${maps}?continue=abc`),
  get("list exactly at nothing", `${maps}?resourceVersionMatch=Exact`),
  get("list exactly at 0", `${maps}?resourceVersionMatch=Exact&resourceVersion=0`),
  get("list with an unknown match", `${maps}?resourceVersionMatch=Foo&resourceVersion=1`),
  get("list with a bad version", `${maps}?resourceVersion=x`),
  get("all namespaces", "/api/v1/configmaps?labelSelector=l"),
  get("an unknown resource", `${ns}/foos`),
  get("an unknown group", "/apis/foo.example.com/v1/foos"),
  get("an unknown subresource", `${maps}/a/status`),
  get("an unknown path", "/foo"),
  get("watch with initial events but no match", `${maps}?watch=1&sendInitialEvents=true`),
  { name: "as jane", method: "GET", path: maps, token: "jane-token" },
  { name: "with a wrong token", method: "GET", path: maps, token: "wrong" },
  { name: "jane reads a path", method: "GET", path: "/metrics", token: "jane-token" },
];

const changing: RestCase[] = [
  send("update", "PUT", `${maps}/a`, {
    ...configMap("a", { labels: { l: "1" } }),
    data: { a: "2" },
  }),
  send("update what is not there", "PUT", `${maps}/zz`, configMap("zz")),
  send("update under another name", "PUT", `${maps}/a`, configMap("b")),
  send("update without a name", "PUT", `${maps}/a`, { data: {} }),
  send("update an old version", "PUT", `${maps}/a`, configMap("a", { resourceVersion: "1" })),
  send("update with a bad version", "PUT", `${maps}/a`, configMap("a", { resourceVersion: "x" })),
  send("update with another uid", "PUT", `${maps}/a`, configMap("a", { uid: "x" })),
  send("merge patch", "PATCH", `${maps}/a`, { data: { b: "2" } }, merge),
  send("strategic patch", "PATCH", `${maps}/a`, { metadata: { labels: { m: "2" } } }, strategic),
  send(
    "json patch",
    "PATCH",
    `${maps}/a`,
    [{ op: "replace", path: "/data/a", value: "9" }],
    jsonPatch,
  ),
  send(
    "json patch, test fails",
    "PATCH",
    `${maps}/a`,
    [{ op: "test", path: "/data/a", value: "x" }],
    jsonPatch,
  ),
  send(
    "json patch, no such path",
    "PATCH",
    `${maps}/a`,
    [{ op: "remove", path: "/data/zz" }],
    jsonPatch,
  ),
  send("json patch that is no list", "PATCH", `${maps}/a`, {}, jsonPatch),
  send("merge patch that is no object", "PATCH", `${maps}/a`, "[]", merge),
  send("merge patch, not JSON", "PATCH", `${maps}/a`, "{", merge),
  send("patch of an unknown type", "PATCH", `${maps}/a`, {}, { "content-type": json }),
  send("patch what is not there", "PATCH", `${maps}/zz`, {}, merge),
  send(
    "patch with an old version",
    "PATCH",
    `${maps}/a`,
    { metadata: { resourceVersion: "1" } },
    merge,
  ),
  send("patch to a wrong type", "PATCH", `${maps}/a`, { data: { a: 5 } }, merge),
  send(
    "patch with an unknown field, strict",
    "PATCH",
    `${maps}/a?fieldValidation=Strict`,
    { foo: 1 },
    merge,
  ),
  send("forced merge patch", "PATCH", `${maps}/a?force=true`, {}, merge),
  send("apply without a manager", "PATCH", `${maps}/ap`, configMap("ap"), apply),
  send("apply", "PATCH", `${maps}/ap?fieldManager=one`, configMap("ap"), apply),
  send(
    "apply by another",
    "PATCH",
    `${maps}/ap?fieldManager=two`,
    { ...configMap("ap"), data: { a: "2" } },
    apply,
  ),
  send(
    "apply by another, forced",
    "PATCH",
    `${maps}/ap?fieldManager=two&force=true`,
    { ...configMap("ap"), data: { a: "2" } },
    apply,
  ),
  send(
    "apply under another name",
    "PATCH",
    `${maps}/ap?fieldManager=one`,
    configMap("other"),
    apply,
  ),
  send(
    "strategic patch of a container",
    "PATCH",
    `${deployments}/web`,
    { spec: { template: { spec: { containers: [{ name: "c", image: "nginx:2" }] } } } },
    strategic,
  ),
  send(
    "a selector cannot change",
    "PATCH",
    `${deployments}/web`,
    { spec: { selector: { matchLabels: { a: "b" } } } },
    merge,
  ),
  get("scale", `${deployments}/web/scale`),
  send("scale to five", "PATCH", `${deployments}/web/scale`, { spec: { replicas: 5 } }, merge),
  send(
    "scale below nothing",
    "PATCH",
    `${deployments}/web/scale`,
    { spec: { replicas: -1 } },
    merge,
  ),
  send(
    "status",
    "PATCH",
    `${deployments}/web/status`,
    { status: { replicas: 3 }, spec: { replicas: 9 } },
    merge,
  ),
  get("the deployment now", `${deployments}/web`),
  get("deployments as a table", deployments, table),
  send("bind", "POST", `${ns}/pods/p/binding`, {
    metadata: { name: "p" },
    target: { kind: "Node", name: "n1" },
  }),
  send("bind again", "POST", `${ns}/pods/p/binding`, {
    metadata: { name: "p" },
    target: { kind: "Node", name: "n2" },
  }),
  send("bind to nothing", "POST", `${ns}/pods/p/binding`, { metadata: { name: "p" }, target: {} }),
  send(
    "a pod's image may change",
    "PATCH",
    `${ns}/pods/p`,
    { spec: { containers: [{ name: "c", image: "nginx:2" }] } },
    strategic,
  ),
  send(
    "a pod's command may not",
    "PATCH",
    `${ns}/pods/p`,
    { spec: { containers: [{ name: "c", command: ["x"] }] } },
    strategic,
  ),
];

const service = (name: string, spec: object): object => ({ metadata: { name }, spec });
const services: RestCase[] = [
  send(
    "a service with its own address",
    "POST",
    `${ns}/services`,
    service("s", { clusterIP: "10.96.0.77", ports: [{ port: 80 }] }),
  ),
  send(
    "the same address again",
    "POST",
    `${ns}/services`,
    service("s2", { clusterIP: "10.96.0.77", ports: [{ port: 80 }] }),
  ),
  send(
    "an address outside the range",
    "POST",
    `${ns}/services`,
    service("s3", { clusterIP: "10.1.0.7", ports: [{ port: 80 }] }),
  ),
  send(
    "no address",
    "POST",
    `${ns}/services`,
    service("head", { clusterIP: "None", selector: { a: "b" }, ports: [{ port: 80 }] }),
  ),
  send(
    "a node port",
    "POST",
    `${ns}/services`,
    service("np", {
      clusterIP: "10.96.0.78",
      type: "NodePort",
      ports: [{ port: 80, nodePort: 30077 }],
    }),
  ),
  send(
    "the same node port again",
    "POST",
    `${ns}/services`,
    service("np2", {
      clusterIP: "10.96.0.79",
      type: "NodePort",
      ports: [{ port: 80, nodePort: 30077 }],
    }),
  ),
  send(
    "a node port outside the range",
    "POST",
    `${ns}/services`,
    service("np3", {
      clusterIP: "10.96.0.79",
      type: "NodePort",
      ports: [{ port: 80, nodePort: 80 }],
    }),
  ),
  send(
    "the address cannot change",
    "PATCH",
    `${ns}/services/s`,
    { spec: { clusterIP: "10.96.0.99", clusterIPs: ["10.96.0.99"] } },
    merge,
  ),
  send("a service goes", "DELETE", `${ns}/services/s`),
  send(
    "and its address is free",
    "POST",
    `${ns}/services`,
    service("s4", { clusterIP: "10.96.0.77", ports: [{ port: 80 }] }),
  ),
];

const deleting: RestCase[] = [
  send("delete with a wrong uid", "DELETE", `${maps}/a`, { preconditions: { uid: "x" } }),
  send("delete with a bad policy", "DELETE", `${maps}/a?propagationPolicy=Foo`),
  send("delete, dry", "DELETE", `${maps}/a?dryRun=All`),
  send("delete what is not there", "DELETE", `${maps}/zz`),
  send("delete", "DELETE", `${maps}/y`),
  send("a finalizer", "PATCH", `${maps}/a`, { metadata: { finalizers: ["example.com/f"] } }, merge),
  send("delete what has a finalizer", "DELETE", `${maps}/a`),
  send(
    "a new finalizer is too late",
    "PATCH",
    `${maps}/a`,
    { metadata: { finalizers: ["example.com/f", "example.com/g"] } },
    merge,
  ),
  send("create what is being deleted", "POST", maps, configMap("a")),
  send("the last finalizer goes", "PATCH", `${maps}/a`, { metadata: { finalizers: null } }, merge),
  get("and the object with it", `${maps}/a`),
  send("foreground", "DELETE", `${deployments}/web?propagationPolicy=Foreground`),
  get("it waits for its dependents", `${deployments}/web`),
  send("a pod waits for its kubelet", "DELETE", `${ns}/pods/p`),
  send("deleting it again changes nothing", "DELETE", `${ns}/pods/p`),
  send("unless without grace", "DELETE", `${ns}/pods/p?gracePeriodSeconds=0`),
  send("delete a collection", "DELETE", `${maps}?labelSelector=none%3Dx`),
  send("delete all", "DELETE", maps),
  send("a namespace is marked", "DELETE", "/api/v1/namespaces/t"),
  send("and takes nothing new", "POST", maps, configMap("late")),
  send("delete default", "DELETE", "/api/v1/namespaces/default"),
  send("post to an object", "POST", `${maps}/a`, configMap("a")),
  send("delete all namespaces", "DELETE", "/api/v1/namespaces"),
];

const reviews: RestCase[] = [
  send("may jane list", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    spec: { user: "jane", resourceAttributes: { verb: "list", resource: "pods" } },
  }),
  send("may I", "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
    spec: { resourceAttributes: { verb: "list", resource: "pods" } },
  }),
  send("may who", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec: {} }),
  send("whose token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    spec: { token: "jane-token" },
  }),
  send("nobody's token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    spec: { token: "x" },
  }),
  send("a token review without a token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    spec: {},
  }),
  {
    name: "who is jane",
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: {},
    token: "jane-token",
  },
];

export const restCases: readonly RestCase[] = [
  ...creating,
  ...reading,
  ...changing,
  ...services,
  ...reviews,
  ...deleting,
];
