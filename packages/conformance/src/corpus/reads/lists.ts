/**
 * Lists and watches: every combination of resourceVersion, match, limit and continue; selectors;
 * where a watch begins and how it ends.
 */
import { accept, type CorpusCase, mergePatch } from "../corpus-case.ts";

const namespace = "reads";
const maps = `/api/v1/namespaces/${namespace}/configmaps`;

const get = (name: string, query: string, headers?: Record<string, string>): CorpusCase => ({
  name,
  method: "GET",
  path: `${maps}?${query}`,
  ...(headers === undefined ? {} : { headers }),
});

const names = ["a", "b", "c", "d", "e"];

const setUp: CorpusCase[] = [
  {
    name: "its namespace",
    method: "POST",
    path: "/api/v1/namespaces",
    body: { metadata: { name: namespace } },
  },
  ...names.map(
    (name, i): CorpusCase => ({
      name: `make ${name}`,
      method: "POST",
      path: maps,
      body: { metadata: { name, labels: { parity: i % 2 === 0 ? "even" : "odd" } } },
    }),
  ),
  {
    name: "change a",
    method: "PATCH",
    path: `${maps}/a`,
    body: { metadata: { labels: { parity: "odd", changed: "yes" } } },
    headers: mergePatch,
  },
  { name: "delete e", method: "DELETE", path: `${maps}/e` },
];

const versions = ["", "0", "$rv(make c)", "$rv(change a)", "abc", "-1"];
const matches = ["", "Exact", "NotOlderThan", "Bogus"];
const limits = ["", "2", "0", "-1", "x"];

function matrix(): CorpusCase[] {
  const cases: CorpusCase[] = [];
  for (const version of versions) {
    for (const match of matches) {
      for (const limit of limits) {
        const query = [
          ...(version === "" ? [] : [`resourceVersion=${version}`]),
          ...(match === "" ? [] : [`resourceVersionMatch=${match}`]),
          ...(limit === "" ? [] : [`limit=${limit}`]),
        ].join("&");
        cases.push(get(`list: ${query}`, query));
      }
    }
  }
  return cases;
}

const pages: CorpusCase[] = [
  get("page: first of two", "limit=2"),
  get("page: second of two", "limit=2&continue=$continue(page: first of two)"),
  get("page: with a version", "limit=2&continue=$continue(page: first of two)&resourceVersion=0"),
  get(
    "page: with another version",
    "limit=2&continue=$continue(page: first of two)&resourceVersion=7",
  ),
  get("page: with a match", "continue=$continue(page: first of two)&resourceVersionMatch=Exact"),
  get("page: the rest", "continue=$continue(page: first of two)"),
  get("page: with a selector", "limit=1&labelSelector=parity%3Dodd"),
  get(
    "page: on with the selector",
    "limit=1&labelSelector=parity%3Dodd&continue=$continue(page: with a selector)",
  ),
  get("page: nonsense", "limit=1&continue=nonsense"),
  get("page: base64 of nonsense", "limit=1&continue=bm9uc2Vuc2U="),
  get("page: as a table", "limit=2", accept("Table")),
  get("page: as metadata", "limit=2", accept("PartialObjectMetadataList")),
];

const labelSelectors = [
  "parity",
  "!parity",
  "parity=odd",
  "parity==odd",
  "parity!=odd",
  "parity in (odd,even)",
  "parity notin (odd)",
  "parity in ()",
  "parity in (odd",
  "parity in odd",
  "parity=odd,changed",
  "parity=odd,",
  ",parity",
  "parity=",
  "=odd",
  "parity>1",
  "parity>x",
  "a b=c",
  "parity=a b",
  "parity==",
  "!",
  "parity foo",
  "x/y/z=1",
  "parity=odd changed",
  `${"k".repeat(64)}=v`,
  `k=${"v".repeat(64)}`,
];

const fieldSelectors = [
  "metadata.name=a",
  "metadata.name==a",
  "metadata.name!=a",
  "metadata.name=a,metadata.namespace=reads",
  "metadata.namespace=other",
  "metadata.name",
  "metadata.name=",
  "=a",
  "data.a=b",
  "metadata.labels=x",
  "metadata.name=a\\,b",
  "metadata.name=a\\x",
  "metadata.name in (a)",
];

const selectors: CorpusCase[] = [
  ...labelSelectors.map((text) =>
    get(`label selector ${text.slice(0, 40)}`, `labelSelector=${encodeURIComponent(text)}`),
  ),
  ...fieldSelectors.map((text) =>
    get(`field selector ${text}`, `fieldSelector=${encodeURIComponent(text)}`),
  ),
  ...["sendInitialEvents=true", "allowWatchBookmarks=true", "timeoutSeconds=x", "limit=1.5"].map(
    (query) => get(`list with ${query}`, query),
  ),
];

const brief = "timeoutSeconds=1";
const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";

const watches: CorpusCase[] = [
  ["from the beginning", "resourceVersion=$rv(make a)"],
  ["of what is even", "resourceVersion=$rv(make a)&labelSelector=parity%3Deven"],
  ["of one name", "resourceVersion=$rv(make a)&fieldSelector=metadata.name%3De"],
  ["from now", "resourceVersion=$rv(delete e)"],
  ["from any version", "resourceVersion=0"],
  ["from no version", ""],
  ["with initial events", `${initial}&allowWatchBookmarks=true`],
  ["with initial events, no bookmarks", initial],
  [
    "with initial events of what is odd",
    `${initial}&allowWatchBookmarks=true&labelSelector=parity%3Dodd`,
  ],
  [
    "without initial events",
    "sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0",
  ],
  ["initial events without a match", "sendInitialEvents=true"],
  ["initial events with another match", "sendInitialEvents=true&resourceVersionMatch=Exact"],
  ["with a match only", "resourceVersionMatch=NotOlderThan&resourceVersion=0"],
  ["from a word", "resourceVersion=abc"],
  ["by a bad selector", "labelSelector=a+b%3Dc"],
  ["with a limit", "limit=1&resourceVersion=$rv(change a)"],
].map(([name, query]) => ({ ...get(`watch ${name}`, `watch=1&${brief}&${query}`), beside: true }));

const shown: CorpusCase[] = [
  get("watch as a table", `watch=1&${brief}&resourceVersion=$rv(make d)`, accept("Table")),
  get(
    "watch as metadata",
    `watch=1&${brief}&resourceVersion=$rv(make d)`,
    accept("PartialObjectMetadata"),
  ),
  {
    name: "watch one by its path",
    method: "GET",
    path: `/api/v1/watch/namespaces/${namespace}/configmaps/a?${brief}&resourceVersion=$rv(make a)`,
  },
];

export const listCases: readonly CorpusCase[] = [
  ...setUp,
  ...matrix(),
  ...pages,
  ...selectors,
  ...watches,
  ...shown,
];
