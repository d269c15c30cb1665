/**
 * One conversation with the REST API, request by request; what upstream answers is recorded beside
 * it.
 *
 * Order matters: later requests see what earlier ones left. `$rv(NAME)` in a path or body stands
 * for
 * the resourceVersion that the case of that name was answered with.
 */
import {
  configMap,
  definition,
  deployment,
  deployments,
  get,
  maps,
  ns,
  partial,
  partialList,
  pod,
  type RestCase,
  send,
  table,
} from "./words.ts";
import { writeCases } from "./write-cases.ts";

const creating: RestCase[] = [
  send(
    "a definition",
    "POST",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    definition,
  ),
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

export const restCases: readonly RestCase[] = [...creating, ...reading, ...writeCases];
