/** In which form an answer comes: what is asked for of paths of every sort; and gzip. */
import type { CorpusCase } from "../corpus-case.ts";

const namespace = "forms";
const maps = `/api/v1/namespaces/${namespace}/configmaps`;
const meta = "v=v1;g=meta.k8s.io";

const accepted = [
  "application/json;q=0.5,application/yaml;q=0.9",
  "application/yaml;q=0.1,application/json;q=0.2",
  "application/json;q=0,*/*",
  "application/json;q=x",
  "*/*;q=0.1",
  "*",
  "application/*;q=0.3,application/yaml",
  "text/*",
  "APPLICATION/JSON",
  "application/json;charset=utf-8",
  "application/json;charset=utf-16",
  "application/json;pretty=1",
  "application/json;pretty=0",
  "application/json;unknown=1",
  "application/json;profile=x",
  "application/json;version=1",
  ",application/json",
  "application/json,",
  "application/json;;q=1",
  "application/json;",
  "application /json",
  "application/vnd.kubernetes.protobuf,application/json",
  "application/vnd.kubernetes.protobuf;q=0.1,application/json",
  "application/cbor,application/json;q=0.9",
  "application/cbor;as=Table;v=v1;g=meta.k8s.io,application/json",
  `application/json;as=Table;${meta};includeObject=Object`,
  `application/vnd.kubernetes.protobuf;as=Table;${meta}`,
  `application/vnd.kubernetes.protobuf;as=Table;${meta},application/json;as=Table;${meta}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;${meta}`,
  `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${meta}`,
  `application/yaml;as=PartialObjectMetadata;${meta}`,
  `application/yaml;as=PartialObjectMetadataList;${meta}`,
  "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=Foo;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=Foo;v=v1;g=meta.k8s.io;q=1,application/json;q=0.5",
  "application/json;as=;v=v1;g=meta.k8s.io",
  "application/json;as=Table;v=;g=meta.k8s.io",
  "application/json;v=v1;g=meta.k8s.io",
  "application/json;as=Status;v=v1;g=meta.k8s.io",
  "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
  `*/*;as=Table;${meta}`,
  `application/*;as=Table;${meta}`,
];

const places: readonly (readonly [string, string])[] = [
  ["object", `${maps}/a`],
  ["list", `${maps}?labelSelector=small`],
  ["missing", `${maps}/none`],
];

const negotiation: CorpusCase[] = places.flatMap(([name, path]) =>
  accepted.map(
    (accept): CorpusCase => ({
      name: `${name}, accept ${accept}`,
      method: "GET",
      path,
      headers: { accept },
    }),
  ),
);

const others = ["/api", "/api/v1", "/version", "/healthz", "/none", "/readyz?verbose"];
const forms = [
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/cbor",
  "text/plain",
  "text/html",
  `application/json;as=Table;${meta}`,
  "*/*",
];
const elsewhere: CorpusCase[] = others
  .flatMap((path) => forms.map((accept) => ({ path, accept })))
  .filter(({ path }) => !path.includes("verbose"))
  .map(
    ({ path, accept }): CorpusCase => ({
      name: `${path}, accept ${accept}`,
      method: "GET",
      path,
      headers: { accept },
    }),
  );

const written = [
  `application/json;as=Table;${meta}`,
  `application/json;as=PartialObjectMetadata;${meta}`,
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/cbor",
  "text/plain",
];
const writes: CorpusCase[] = written.flatMap((accept): CorpusCase[] => {
  const headers = { accept };
  const body = { metadata: { name: "w" } };
  const dry = "dryRun=All";
  return [
    { name: `create, accept ${accept}`, method: "POST", path: `${maps}?${dry}`, body, headers },
    {
      name: `create what is there, accept ${accept}`,
      method: "POST",
      path: maps,
      body: { metadata: { name: "a" } },
      headers,
    },
    { name: `delete, accept ${accept}`, method: "DELETE", path: `${maps}/a?${dry}`, headers },
    { name: `delete all, accept ${accept}`, method: "DELETE", path: `${maps}?${dry}`, headers },
    {
      name: `patch, accept ${accept}`,
      method: "PATCH",
      path: `${maps}/a?${dry}`,
      body: { data: { p: "1" } },
      headers: { accept, "content-type": "application/merge-patch+json" },
    },
  ];
});

const encodings = [
  "gzip",
  "gzip, deflate, br",
  "deflate,gzip",
  "gzip;q=1.0",
  "gzip;q=0",
  "GZIP",
  "x-gzip",
  "identity",
  "*",
  "br",
  "deflate",
];

const gzipped: CorpusCase[] = encodings.flatMap((encoding) =>
  [
    ["small object", `${maps}/a`],
    ["large object", `${maps}/large`],
    ["nearly large object", `${maps}/nearly`],
    ["large list", `${maps}?labelSelector=large`],
    ["large table", `${maps}?labelSelector=large&includeObject=Object`],
  ].map(
    ([name, path = ""]): CorpusCase => ({
      name: `${name}, encoded as ${encoding}`,
      method: "GET",
      path,
      headers: {
        "accept-encoding": encoding,
        ...(name === "large table" ? { accept: `application/json;as=Table;${meta}` } : {}),
      },
    }),
  ),
);

const protobuf = "application/vnd.kubernetes.protobuf";
const largeWrites: CorpusCase[] = [
  {
    name: "large object in protobuf, encoded as gzip",
    method: "GET",
    path: `${maps}/large`,
    headers: { "accept-encoding": "gzip", accept: protobuf },
  },
  {
    name: "large list in protobuf, encoded as gzip",
    method: "GET",
    path: `${maps}?labelSelector=large`,
    headers: { "accept-encoding": "gzip", accept: protobuf },
  },
  {
    name: "a change of a large object, encoded as gzip",
    method: "PATCH",
    path: `${maps}/large?dryRun=All`,
    body: { data: { b: "1" } },
    headers: { "accept-encoding": "gzip", "content-type": "application/merge-patch+json" },
  },
  {
    name: "a body that is encoded",
    method: "POST",
    path: `${maps}?dryRun=All`,
    body: { metadata: { name: "e" } },
    headers: { "content-encoding": "gzip" },
  },
];

const make = (name: string, labels: object, sizeBytes: number): CorpusCase => ({
  name: `make ${name}`,
  method: "POST",
  path: maps,
  body: { metadata: { name, labels }, data: { a: "x".repeat(sizeBytes) } },
});

const limit = 128 * 1024;

export const formCases: readonly CorpusCase[] = [
  {
    name: "its namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: namespace } },
  },
  make("a", { small: "1" }, 1),
  make("large", { large: "1" }, limit),
  make("nearly", { small: "2" }, limit - 1000),
  ...negotiation,
  ...elsewhere,
  ...writes,
  ...gzipped,
  ...largeWrites,
];
