/** Tables and metadata of every kind: from reads and writes, in JSON and protobuf. */
import { accept, type CorpusCase, mergePatch } from "../corpus-case.ts";
import { type Kind, request, withMeta } from "../life/kind.ts";

const meta = "v=v1;g=meta.k8s.io";
const own = "labelSelector=corpus%3D1";

const get = (name: string, path: string, form: string) =>
  request(name, "GET", path, undefined, { accept: form });

function reads({ all, one }: Kind): CorpusCase[] {
  return [
    get("table of the beta", `${all}?${own}`, "application/json;as=Table;v=v1beta1;g=meta.k8s.io"),
    get("table in YAML", `${all}?${own}`, `application/yaml;as=Table;${meta}`),
    get(
      "table in protobuf",
      `${all}?${own}`,
      `application/vnd.kubernetes.protobuf;as=Table;${meta}`,
    ),
    get(
      "table without objects",
      `${all}?${own}&includeObject=None`,
      `application/json;as=Table;${meta}`,
    ),
    get(
      "table of oddities",
      `${all}?${own}&includeObject=Bogus`,
      `application/json;as=Table;${meta}`,
    ),
    get("an empty table", `${all}?labelSelector=none`, `application/json;as=Table;${meta}`),
    get("an empty list", `${all}?labelSelector=none`, "application/json"),
    get(
      "an empty list of metadata",
      `${all}?labelSelector=none`,
      `application/json;as=PartialObjectMetadataList;${meta}`,
    ),
    get(
      "metadata of the beta",
      one,
      "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io",
    ),
    get("a list's metadata of one", one, `application/json;as=PartialObjectMetadataList;${meta}`),
    get(
      "one's metadata of a list",
      `${all}?${own}`,
      `application/json;as=PartialObjectMetadata;${meta}`,
    ),
    get(
      "metadata in protobuf",
      one,
      `application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;${meta}`,
    ),
    get(
      "metadata of a list in protobuf",
      `${all}?${own}`,
      `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;${meta}`,
    ),
    get("what is not there as a table", `${all}/none`, `application/json;as=Table;${meta}`),
    get("what is not there in protobuf", `${all}/none`, "application/vnd.kubernetes.protobuf"),
    get("a list in CBOR", `${all}?${own}`, "application/cbor"),
    get("one in CBOR or JSON", one, "application/cbor,application/json"),
  ];
}

function writes(kind: Kind): CorpusCase[] {
  const { all, one, object } = kind;
  return [
    request(
      "create as a table",
      "POST",
      `${all}?dryRun=All`,
      withMeta(kind, { name: "y" }),
      accept("Table"),
    ),
    request(
      "create as metadata",
      "POST",
      `${all}?dryRun=All`,
      withMeta(kind, { name: "y" }),
      accept("PartialObjectMetadata"),
    ),
    request("update as a table", "PUT", `${one}?dryRun=All`, object, accept("Table")),
    request(
      "merge as metadata",
      "PATCH",
      `${one}?dryRun=All`,
      { metadata: { labels: { a: "1" } } },
      { ...mergePatch, ...accept("PartialObjectMetadata") },
    ),
    request("delete as a table", "DELETE", `${one}?dryRun=All`, undefined, accept("Table")),
    request(
      "delete all as metadata",
      "DELETE",
      `${all}?dryRun=All&${own}`,
      undefined,
      accept("PartialObjectMetadataList"),
    ),
  ];
}

function subresources({ one, object, resource }: Kind): CorpusCase[] {
  const names = (resource.subresources ?? []).map(({ name }) => name);
  const readable = names.filter((name) => ["status", "scale"].includes(name));
  return [
    ...readable.flatMap((name) => [
      get(`${name} as a table`, `${one}/${name}`, `application/json;as=Table;${meta}`),
      get(`${name} in protobuf`, `${one}/${name}`, "application/vnd.kubernetes.protobuf"),
      get(
        `${name} as metadata`,
        `${one}/${name}`,
        `application/json;as=PartialObjectMetadata;${meta}`,
      ),
      request(`${name} deleted`, "DELETE", `${one}/${name}`),
      request(`${name} posted`, "POST", `${one}/${name}`, object),
      get(`${name} watched`, `${one}/${name}?watch=1&timeoutSeconds=1`, "application/json"),
    ]),
  ];
}

export function shapeCases(kind: Kind): CorpusCase[] {
  const { all } = kind;
  return [
    ...reads(kind),
    ...writes(kind),
    ...subresources(kind),
    request(
      "watch as a table",
      "GET",
      `${all}?watch=1&timeoutSeconds=1&${own}&resourceVersion=$rv(make)`,
      undefined,
      accept("Table"),
    ),
  ].map((each) => (each.path.includes("watch=1") ? { ...each, beside: true as const } : each));
}
