/** Where a watch may begin and what it may be asked for: every combination of the options. */
import { type CorpusCase, contentType } from "../corpus-case.ts";

const namespace = "watches";
const maps = `/api/v1/namespaces/${namespace}/configmaps`;

const make = (name: string): CorpusCase => ({
  name: `make ${name}`,
  method: "POST",
  path: maps,
  body: { metadata: { name, labels: { w: name } } },
});

const versions = ["", "0", "$rv(make a)", "abc", "-1"];
const matches = ["", "NotOlderThan", "Exact", "Bogus"];
const initials = ["", "true", "false", "x"];
const bookmarks = ["", "true"];

function table(): CorpusCase[] {
  const cases: CorpusCase[] = [];
  for (const version of versions) {
    for (const match of matches) {
      for (const initial of initials) {
        for (const bookmark of bookmarks) {
          const query = [
            ...(version === "" ? [] : [`resourceVersion=${version}`]),
            ...(match === "" ? [] : [`resourceVersionMatch=${match}`]),
            ...(initial === "" ? [] : [`sendInitialEvents=${initial}`]),
            ...(bookmark === "" ? [] : [`allowWatchBookmarks=${bookmark}`]),
          ].join("&");
          cases.push(watch(query));
        }
      }
    }
  }
  return cases;
}

function watch(query: string, headers?: Record<string, string>): CorpusCase {
  const form = headers === undefined ? "" : ` (${Object.values(headers).join(" ")})`;
  return {
    name: `watch: ${query}${form}`,
    method: "GET",
    path: `${maps}?watch=1&timeoutSeconds=1&${query}`,
    beside: true,
    ...(headers === undefined ? {} : { headers }),
  };
}

const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

const oddOptions = [
  "limit=1&resourceVersion=0",
  "limit=x",
  "continue=abc&resourceVersion=0",
  `${initial}&continue=abc`,
  `${initial}&limit=1`,
  `${initial}&resourceVersion=99999999`,
  `${initial}&resourceVersion=0&labelSelector=w%3Da`,
  `${initial}&fieldSelector=metadata.name%3Da`,
  `${initial}&fieldSelector=metadata.name%3Dnone`,
  `${initial}&fieldSelector=spec.none%3Da`,
  `${initial}&labelSelector=a+b`,
  "fieldSelector=metadata.name%3Da,metadata.namespace%3Dother&resourceVersion=0",
  "allowWatchBookmarks=x&resourceVersion=0",
  "allowWatchBookmarks=false&resourceVersion=0",
  "resourceVersion=0&resourceVersion=abc",
  "resourceVersion=00",
  "resourceVersion=18446744073709551616",
  "resourceVersion=9223372036854775807x",
  "resourceVersion=%2B1",
  "resourceVersion=1.0",
].map((query) => watch(query));

const odd = (name: string, path: string, method = "GET"): CorpusCase => ({
  name,
  method,
  path,
  beside: true,
});

const begin = "timeoutSeconds=1&resourceVersion=$rv(make a)";
const oddWatches: CorpusCase[] = [
  odd("watch=true", `${maps}?watch=true&${begin}`),
  odd("watch=TRUE", `${maps}?watch=TRUE&${begin}`),
  odd("watch=yes", `${maps}?watch=yes&${begin}`),
  odd("watch=0", `${maps}?watch=0&timeoutSeconds=1`),
  odd("watch without a value", `${maps}?watch&${begin}`),
  odd("watch=false", `${maps}?watch=false`),
  odd("watch with a word of time", `${maps}?watch=1&timeoutSeconds=x`),
  odd("list with a word of time", `${maps}?timeoutSeconds=x`),
  odd("list with a negative time", `${maps}?timeoutSeconds=-1`),
  odd("watch one object", `${maps}/a?watch=1&${begin}`),
  odd("watch what is not there", `${maps}/none?watch=1&${begin}`),
  odd(
    "watch one object by another name",
    `${maps}/a?watch=1&${begin}&fieldSelector=metadata.name%3Db`,
  ),
  odd("watch one object by its name", `${maps}/a?watch=1&${begin}&fieldSelector=metadata.name%3Da`),
  odd("old path", `/api/v1/watch/namespaces/${namespace}/configmaps?${begin}`),
  odd(
    "old path of all namespaces",
    `/api/v1/watch/configmaps?${begin}&fieldSelector=metadata.namespace%3D${namespace}`,
  ),
  odd(
    "old path of one namespace",
    `/api/v1/watch/namespaces/${namespace}?timeoutSeconds=1&resourceVersion=0`,
  ),
  odd("old path, posted", `/api/v1/watch/namespaces/${namespace}/configmaps`, "POST"),
  odd("old path, deleted", `/api/v1/watch/namespaces/${namespace}/configmaps`, "DELETE"),
  odd("watch a subresource", `/api/v1/namespaces/${namespace}/status?watch=1&timeoutSeconds=1`),
  odd("watch what cannot be", "/api/v1/componentstatuses?watch=1&timeoutSeconds=1"),
  odd("watch reviews", "/apis/authentication.k8s.io/v1/tokenreviews?watch=1"),
];

const shapes = [
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/json;stream=watch",
  "application/json;stream=other",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/vnd.kubernetes.protobuf;stream=watch",
  "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
  "application/cbor-seq",
  "text/plain",
  "*/*",
].flatMap((accept) => [
  watch(initial, { accept }),
  watch("resourceVersion=$rv(make a)", { accept }),
]);

/** A watch that begins after all that happened answers with nothing but what it is asked to. */
export const watchCases: readonly CorpusCase[] = [
  {
    name: "its namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: namespace } },
  },
  make("a"),
  make("b"),
  {
    name: "change a",
    method: "PATCH",
    path: `${maps}/a`,
    body: { metadata: { labels: { w: "none" } } },
    headers: contentType("application/merge-patch+json"),
  },
  { name: "delete b", method: "DELETE", path: `${maps}/b` },
  ...table(),
  ...oddOptions,
  ...oddWatches,
  ...shapes,
];
