/** Options of every verb: dry runs, field managers, deletions in query and body, selectors. */
import {
  applyPatch,
  type CorpusCase,
  contentType,
  jsonPatch,
  mergePatch,
  strategicPatch,
  type Tree,
  yaml,
} from "../corpus-case.ts";
import { type Kind, request, withMeta } from "../life/kind.ts";

function dryRuns(kind: Kind): CorpusCase[] {
  const { all, one, object, resource } = kind;
  const labels = { metadata: { labels: { d: "1" } } };
  const own = { apiVersion: object.apiVersion, kind: object.kind };
  const writes = (query: string): CorpusCase[] => [
    request(`create ${query}`, "POST", `${all}?${query}`, withMeta(kind, { name: "y" })),
    request(`update ${query}`, "PUT", `${one}?${query}`, object),
    request(`merge ${query}`, "PATCH", `${one}?${query}`, labels, mergePatch),
    request(`delete ${query}`, "DELETE", `${one}?${query}`),
    request(`delete all ${query}`, "DELETE", `${all}?${query}&labelSelector=corpus%3D1`),
  ];
  const subresources = (resource.subresources ?? []).filter(({ name }) =>
    ["status", "scale", "approval"].includes(name),
  );
  return [
    ...writes("dryRun=All"),
    ...writes("dryRun=Some"),
    ...writes("dryRun=All&dryRun=All"),
    ...writes("dryRun=All&dryRun=None"),
    ...writes("dryRun=All&fieldValidation=Bogus"),
    request("strategic dry", "PATCH", `${one}?dryRun=All`, labels, strategicPatch),
    request(
      "json dry",
      "PATCH",
      `${one}?dryRun=All`,
      [{ op: "add", path: "/metadata/labels/d", value: "1" }],
      jsonPatch,
    ),
    request(
      "apply dry",
      "PATCH",
      `${one}?dryRun=All&fieldManager=d`,
      { ...own, ...labels },
      applyPatch,
    ),
    ...subresources.flatMap(({ name }) => [
      request(`${name} dry`, "PATCH", `${one}/${name}?dryRun=All`, labels, mergePatch),
      request(`${name} dry, bad`, "PATCH", `${one}/${name}?dryRun=Some`, labels, mergePatch),
    ]),
    request("after all that", "GET", `${all}?labelSelector=corpus%3D1`),
  ];
}

const badManager = "a".repeat(129);

function managers({ all, one, object }: Kind): CorpusCase[] {
  const own = { apiVersion: object.apiVersion, kind: object.kind };
  const labels = { metadata: { labels: { f: "1" } } };
  const dry = "dryRun=All";
  return [
    request("manager", "PATCH", `${one}?${dry}&fieldManager=me`, labels, mergePatch),
    request(
      "long manager",
      "PATCH",
      `${one}?${dry}&fieldManager=${badManager}`,
      labels,
      mergePatch,
    ),
    request("long manager, create", "POST", `${all}?${dry}&fieldManager=${badManager}`, object),
    request("odd manager", "PUT", `${one}?${dry}&fieldManager=a%07b`, object),
    request("force without apply", "PATCH", `${one}?${dry}&force=true`, labels, mergePatch),
    request("bad force", "PATCH", `${one}?${dry}&force=x&fieldManager=m`, own, applyPatch),
    request(
      "apply, long manager",
      "PATCH",
      `${one}?${dry}&fieldManager=${badManager}`,
      own,
      applyPatch,
    ),
  ];
}

function deletions({ all, one }: Kind): CorpusCase[] {
  const remove = (
    name: string,
    query: string,
    body?: unknown,
    headers?: Record<string, string>,
    path = one,
  ) => request(`delete: ${name}`, "DELETE", `${path}?dryRun=All${query}`, body, headers);
  const options = (more: Tree): Tree => ({ kind: "DeleteOptions", apiVersion: "v1", ...more });
  const dry = { dryRun: ["All"] };
  return [
    remove("foreground in the query", "&propagationPolicy=Foreground"),
    remove("bad policy in the query", "&propagationPolicy=Sideways"),
    remove("orphan in the query", "&orphanDependents=true"),
    remove("both in the query", "&orphanDependents=true&propagationPolicy=Orphan"),
    remove(
      "query and body",
      "&propagationPolicy=Orphan",
      options({ propagationPolicy: "x", ...dry }),
    ),
    remove("a negative time", "&gracePeriodSeconds=-1"),
    remove("a negative time in the body", "", options({ gracePeriodSeconds: -5, ...dry })),
    remove("preconditions in the query", "&preconditions.uid=other"),
    remove("options in YAML", "", "kind: DeleteOptions\napiVersion: v1\ndryRun: [All]\n", yaml),
    remove("unknown option", "", options({ bogus: 1, ...dry })),
    remove("unknown option, strict", "&fieldValidation=Strict", options({ bogus: 1, ...dry })),
    remove("options of a wrong kind of body", "", "[]"),
    remove("options that are no JSON", "", "{"),
    remove("options in text", "", "x", contentType("text/plain")),
    remove("options without kind", "", dry),
    remove("options of the kind's own version", "", {
      kind: "DeleteOptions",
      apiVersion: all.split("/").slice(2, 4).join("/"),
      ...dry,
    }),
    remove("whatever is broken", "&ignoreStoreReadErrorWithClusterBreakingPotential=true"),
    remove("all by a bad selector", "&labelSelector=a+b", undefined, undefined, all),
    remove("all by an unknown field", "&fieldSelector=spec.nothing%3Da", undefined, undefined, all),
    remove("all, a bad limit", "&limit=x", undefined, undefined, all),
    remove("all, a bad policy", "&propagationPolicy=Sideways", undefined, undefined, all),
    remove(
      "all, of another uid",
      "&labelSelector=corpus%3D1",
      options({ preconditions: { uid: "o" }, ...dry }),
      undefined,
      all,
    ),
    remove("all, a bad version", "&resourceVersion=abc", undefined, undefined, all),
    remove("all, a bad match", "&resourceVersionMatch=Exact", undefined, undefined, all),
  ];
}

const fields = [
  "metadata.name!=x",
  "metadata.namespace=none",
  "spec.nodeName=n",
  "spec.unschedulable=true",
  "status.phase=Pending",
  "type=Opaque",
  "reason=r",
  "involvedObject.name=n",
  "regarding.name=n",
  "status.successful=0",
  "status.replicas=0",
  "spec.signerName=s",
  "spec.driver=d",
  "spec.type=ClusterIP",
  "metadata.labels.a=b",
];

function selectors({ all, resource, one }: Kind): CorpusCase[] {
  const list = (name: string, query: string) => request(`list: ${name}`, "GET", `${all}?${query}`);
  const own = "labelSelector=corpus%3D1";
  const version = resource.version;
  return [
    ...fields.map((field) => list(field, `${own}&fieldSelector=${encodeURIComponent(field)}`)),
    list("bad labels", "labelSelector=a+b%3Dc"),
    list("bad fields", "fieldSelector=nothing"),
    list("exact without a version", `${own}&resourceVersionMatch=Exact`),
    list("initial events", `${own}&sendInitialEvents=true`),
    // Other groups leave addresses, of which a page could tell.
    ...(resource.plural === "ipaddresses" ? [] : [list("a page", `${own}&limit=1`)]),
    request(
      "watch with bad fields",
      "GET",
      `${all}?watch=1&fieldSelector=spec.nothing%3D${version}`,
    ),
    request("get with a version", "GET", `${one}?resourceVersion=0`),
    request("get with a bad version", "GET", `${one}?resourceVersion=abc`),
    // It is waited for: those of all kinds are asked at once.
    { ...request("get the future", "GET", `${one}?resourceVersion=99999999`), beside: true },
  ];
}

function names(kind: Kind): CorpusCase[] {
  const create = (text: string, metadata: Tree) =>
    request(`name ${text}`, "POST", `${kind.all}?dryRun=All`, withMeta(kind, metadata));
  return [
    create("of 63", { name: "n".repeat(63) }),
    create("of 64", { name: "n".repeat(64) }),
    create("of 253", { name: "n".repeat(253) }),
    create("of 254", { name: "n".repeat(254) }),
    create("of dots", { name: ".." }),
    create("with a percent", { name: "a%b" }),
    create("with a dot", { name: "a.b" }),
    create("with capitals", { name: "aB" }),
    create("that ends in a dash", { name: "a-" }),
    create("that begins with a digit", { name: "1a" }),
    create("made of a long one", { name: null, generateName: "n".repeat(260) }),
    create("made of one with dots", { name: null, generateName: "a..b-" }),
    create("made of one with capitals", { name: null, generateName: "A-" }),
    create("that is empty", { name: "" }),
    create("that is a number", { name: 5 }),
    request(
      "update of another name",
      "PUT",
      `${kind.one}?dryRun=All`,
      withMeta(kind, { name: "other" }),
    ),
    request(
      "update in another namespace",
      "PUT",
      `${kind.one}?dryRun=All`,
      withMeta(kind, { namespace: "other" }),
    ),
  ];
}

export const optionCases = (kind: Kind): CorpusCase[] => [
  ...dryRuns(kind),
  ...managers(kind),
  ...selectors(kind),
  ...names(kind),
  ...deletions(kind),
];
