/** What the store has forgotten: lists, pages and watches of the past after a compaction. */
import { type CorpusCase, compaction } from "../corpus-case.ts";

const namespace = "history";
const maps = `/api/v1/namespaces/${namespace}/configmaps`;

const get = (name: string, query: string): CorpusCase => ({
  name,
  method: "GET",
  path: `${maps}?${query}`,
});

/** A token as the server makes them. */
const token = (content: unknown): string =>
  Buffer.from(typeof content === "string" ? content : JSON.stringify(content)).toString(
    "base64url",
  );

const v = "meta.k8s.io/v1";
const start = `${namespace}/b\u0000`;

const tokens: readonly (readonly [string, string])[] = [
  ["of the first revision", token({ v, rv: 1, start })],
  ["of no revision", token({ v, rv: 0, start })],
  ["of any revision", token({ v, rv: -1, start })],
  ["of an impossible revision", token({ v, rv: -2, start })],
  ["of the future", token({ v, rv: 99999999, start })],
  ["without a start", token({ v, rv: -1 })],
  ["with an empty start", token({ v, rv: -1, start: "" })],
  ["with a slash before", token({ v, rv: -1, start: `/${start}` })],
  ["that climbs", token({ v, rv: -1, start: "../secrets/" })],
  ["that climbs inside", token({ v, rv: -1, start: "a/../../secrets/b" })],
  ["of another version", token({ v: "meta.k8s.io/v2", rv: -1, start })],
  ["without a version", token({ rv: -1, start })],
  ["with a word as revision", token({ v, rv: "x", start })],
  ["with a number as start", token({ v, rv: -1, start: 5 })],
  ["with more members", token({ v, rv: -1, start, more: 1 })],
  ["of no object", token("[]")],
  ["of text", token("text")],
  ["cut off", token({ v, rv: -1, start }).slice(0, -3)],
  ["padded", `${token({ v, rv: -1, start: `${namespace}/bb\u0000` })}==`],
  ["that is no base64", "$$$"],
  ["of null", token("null")],
  ["of nothing", token("")],
  ["of another place", token({ v, rv: -1, start: "elsewhere/a\u0000" })],
];

const pages: CorpusCase[] = tokens.flatMap(([name, text]) => [
  get(`page ${name}`, `limit=1&continue=${encodeURIComponent(text)}`),
  get(`the rest ${name}`, `continue=${encodeURIComponent(text)}`),
]);

const versions = ["1", "$rv(make a)"];
const past: CorpusCase[] = versions.flatMap((version) => {
  const which = version === "1" ? "the first revision" : "a forgotten revision";
  return [
    get(`list exactly ${which}`, `resourceVersion=${version}&resourceVersionMatch=Exact`),
    get(
      `list exactly ${which}, a page`,
      `resourceVersion=${version}&resourceVersionMatch=Exact&limit=1`,
    ),
    get(
      `list not older than ${which}`,
      `resourceVersion=${version}&resourceVersionMatch=NotOlderThan`,
    ),
    get(`list from ${which}, a page`, `resourceVersion=${version}&limit=1`),
  ];
});

const future: CorpusCase[] = [
  get("list exactly the future", "resourceVersion=99999999&resourceVersionMatch=Exact"),
  get("list exactly zero", "resourceVersion=0&resourceVersionMatch=Exact"),
];

export const historyCases: readonly CorpusCase[] = [
  {
    name: "its namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: namespace } },
  },
  ...["a", "b", "c", "d"].map(
    (name): CorpusCase => ({
      name: `make ${name}`,
      method: "POST",
      path: maps,
      body: { metadata: { name } },
    }),
  ),
  get("a page before", "limit=2"),
  ...pages.map((each) => ({ ...each, name: `before: ${each.name}` })),
  { name: "compact", method: compaction, path: "" },
  get("a page after", "limit=2&continue=$continue(a page before)"),
  ...pages,
  ...past,
  ...future,
];
