/** What an answer may look like, what a body may be, and paths that lead nowhere. */
import type { CorpusCase } from "../corpus-case.ts";

const one = "/api/v1/namespaces/default";
const all = "/api/v1/namespaces?labelSelector=kubernetes.io/metadata.name%3Ddefault";

const accepted = [
  "application/json",
  "application/yaml",
  "*/*",
  "application/*",
  "text/html",
  "text/html,application/json;q=0.9",
  "application/json;q=0",
  "application/cbor",
  "application/cbor-seq",
  "application/vnd.kubernetes.protobuf;stream=watch",
  "application/json;stream=watch",
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
  "application/json;as=Table;v=v2;g=meta.k8s.io",
  "application/json;as=Table;g=meta.k8s.io",
  "application/json;as=Table;v=v1",
  "application/json;as=Table;v=v1;g=other",
  "application/json;as=Foo;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io",
  "application/yaml;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  "application/json;as=Bogus;v=v1;g=meta.k8s.io,application/json",
  "garbage",
  "",
];

const negotiation: CorpusCase[] = accepted.flatMap((accept) => [
  { name: `get, accept ${accept}`, method: "GET", path: one, headers: { accept } },
  { name: `list, accept ${accept}`, method: "GET", path: all, headers: { accept } },
]);

const map = '{"metadata":{"name":"w"}}';
const bodies: readonly (readonly [string, string])[] = [
  ["application/json", map],
  ["application/json; charset=utf-8", map],
  ["application/yaml", "metadata:\n  name: w\n"],
  ["application/yaml", "metadata: [\n"],
  ["application/yaml", "metadata:\n  name: w\n  name: v\n"],
  ["application/cbor", map],
  ["text/plain", map],
  ["application/vnd.kubernetes.protobuf", map],
  ["application/x-www-form-urlencoded", map],
  ["garbage", map],
  ["application/json", '{"metadata":{"name":"w","name":"v"}}'],
  ["application/json", '{"metadata":{"name":"w"},"data":{"a":"1","a":"2"}}'],
  ["application/json", `${map}${map}`],
  ["application/json", `${map} trailing`],
  ["application/json", "null"],
  ["application/json", "5"],
  ["application/json", '"text"'],
  ["application/json", '{"Metadata":{"name":"w"}}'],
  ["application/json", '{"metadata":{"name":"w","creationTimestamp":"x"}}'],
  ["application/json", '{"kind":5}'],
];

const sent: CorpusCase[] = bodies.map(([type, body], i) => ({
  name: `body ${i}: ${type}`,
  method: "POST",
  path: "/api/v1/namespaces/default/configmaps?dryRun=All&fieldValidation=Strict",
  body,
  headers: { "content-type": type },
}));

const paths = [
  "/foo",
  "/api/v2",
  "/api/v1/foos",
  "/api/v1/namespaces/default/foos",
  "/api/v1/namespaces/default/foos/a",
  "/api/v1/namespaces/default/configmaps/a/b",
  "/api/v1/namespaces/default/configmaps/a/b/c",
  "/api/v1/namespaces/default/pods/x/status/y",
  "/api/v1/configmaps/a",
  "/apis/foo",
  "/apis/apps/v2",
  "/apis/apps/v2/deployments",
  "/apis/apps/v1/foos",
  "/apis/foo.example.com/v1/foos",
  "/apis/apps/v1/namespaces/default/nodes",
  "/api/v1/namespaces/default/nodes",
  "/api/v1/nodes/none/foo",
  "/api/v1/namespaces/default/status",
  "/api/v1/namespaces/none",
  "/apis/apps/v1beta1/deployments",
  "/healthz/foo",
  "/readyz/ping",
  "/livez/ping",
  "/openapi/v3/foo",
  "/version/foo",
  "/api/v1/watch",
  "/api/v1/watch/foos",
  "/api/v1/proxy/nodes/x",
];

const nowhere: CorpusCase[] = paths.map((path) => ({ name: `path ${path}`, method: "GET", path }));

const methods: CorpusCase[] = [
  ["PUT", "/api/v1/nodes"],
  ["PATCH", "/api/v1/nodes"],
  ["POST", "/api/v1/nodes/x"],
  ["DELETE", "/api/v1/namespaces"],
  ["DELETE", "/api/v1/namespaces/default/configmaps/none/foo"],
  ["POST", "/api/v1/componentstatuses"],
  ["GET", "/apis/authentication.k8s.io/v1/tokenreviews"],
  ["PUT", "/api/v1/namespaces/default/finalize"],
  ["POST", "/version"],
  ["FOO", "/api/v1/nodes"],
].map(([method = "", path = ""]) => ({
  name: `${method} ${path}`,
  method,
  path,
  ...(method === "GET" || method === "DELETE" ? {} : { body: "{}" }),
}));

export const wireCases: readonly CorpusCase[] = [...negotiation, ...sent, ...nowhere, ...methods];
