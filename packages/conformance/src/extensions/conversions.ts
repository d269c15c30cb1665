/** Kinds in several versions: what is read and written in each, with a webhook and without. */
import { crdPath, integer, object, string, type Tree } from "./definition-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const group = "conv.example.com";
const merge = "application/merge-patch+json";
const apply = "application/apply-patch+yaml";

const first = object({ spec: object({ hostPort: string, size: integer }) });
const second = object({
  spec: object({ host: string, port: string, size: integer }),
  status: object({ ready: string }),
});

const hook = (ask: string): Tree => ({
  strategy: "Webhook",
  webhook: {
    conversionReviewVersions: ["v1"],
    clientConfig: { url: `$HOOK/${ask}`, caBundle: "$CA" },
  },
});

const version = (name: string, schema: Tree, rest: Tree = {}): Tree => ({
  name,
  served: true,
  storage: name === "v1",
  schema: { openAPIV3Schema: schema },
  ...rest,
});

const usual = [version("v1", first), version("v2", second)];

interface Place {
  one: string;
  two: string;
  crd: string;
  make(version: string, name: string, spec: Tree, metadata?: Tree): Tree;
}

function versions(
  name: string,
  spec: Tree,
  steps: (place: Place) => Step[],
  stored: Tree = { hostPort: "x:1", size: 1 },
): Scenario {
  const plural = `${name.replaceAll(" ", "").replaceAll("-", "")}s`;
  const kind = plural[0]!.toUpperCase() + plural.slice(1, -1);
  const own = `${crdPath}/${plural}.${group}`;
  const at = (which: string) => `/apis/${group}/${which}/namespaces/default/${plural}`;
  const place: Place = {
    one: at("v1"),
    two: at("v2"),
    crd: own,
    make: (which, called, wish, metadata = {}) => ({
      apiVersion: `${group}/${which}`,
      kind,
      metadata: { name: called, ...metadata },
      spec: wish,
    }),
  };
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: "Namespaced", names: { plural, kind }, versions: usual, ...spec },
  };
  return {
    name: `versions: ${name}`,
    steps: [
      { method: "POST", path: crdPath, body, quiet: true },
      {
        method: "POST",
        path: place.one,
        body: place.make("v1", "a", stored),
        quiet: true,
        after: { path: place.one, words: `"items":[` },
      },
      ...steps(place),
      { method: "DELETE", path: own, quiet: true },
    ],
  };
}

const get = (path: string, rest: Partial<Step> = {}): Step => ({ method: "GET", path, ...rest });

/** What a hook may change, and all that it may not. */
const asked = (ask: string): Scenario =>
  versions(ask, { conversion: hook(ask) }, ({ one, two, make }) => [
    get(`${two}/a`),
    get(two),
    { method: "POST", path: two, body: make("v2", "b", { host: "y", port: "2" }) },
    { method: "PATCH", path: `${two}/a`, type: merge, body: { spec: { size: 2 } } },
    { method: "DELETE", path: `${two}/a?dryRun=All` },
    get(`${one}/a`),
  ]);

const mistakes = [
  "wrong-version",
  "other-kind",
  "wrong-kind",
  "other-name",
  "other-namespace",
  "other-uid",
  "bad-label",
  "number-label",
  "bad-annotation",
  "list-labels",
  "no-metadata",
  "text-metadata",
  "failed",
  "failed-silently",
  "no-result",
  "too-few",
  "wrong-answer-uid",
  "no-conversion",
  "not-json",
  "status-500",
  "status-404",
].map(asked);

const working = versions("right", { conversion: hook("right") }, ({ one, two, crd, make }) => [
  get(`${two}/a`),
  {
    method: "POST",
    path: two,
    body: make("v2", "b", { host: "y", port: "2" }, { labels: { l: "b" } }),
  },
  { method: "POST", path: `${two}?dryRun=All`, body: make("v2", "c", { host: "z", port: "3" }) },
  get(`${one}/b`),
  get(one),
  get(two),
  get(`${two}?labelSelector=l%3Db`),
  get(`${two}?limit=1`, { quiet: true }),
  { method: "PATCH", path: `${two}/a`, type: merge, body: { spec: { port: "9" } } },
  { method: "PATCH", path: `${one}/a`, type: merge, body: { spec: { size: 5 } } },
  {
    method: "PATCH",
    path: crd,
    type: merge,
    body: {
      spec: {
        versions: [
          version("v1", first, { storage: false }),
          version("v2", second, { storage: true }),
        ],
      },
    },
    quiet: true,
  },
  get(crd, { until: `"storedVersions":["v1","v2"]`, quiet: true }),
  { method: "POST", path: one, body: make("v1", "d", { hostPort: "q:7" }) },
  get(two),
  get(one),
  get(`${two}?watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name%3Da`),
  { method: "DELETE", path: `${one}/a` },
  { method: "DELETE", path: two },
  get(one),
]);

/** Each object of a list is asked about for itself. */
const alone = versions("alone", { conversion: hook("alone") }, ({ one, two, make }) => [
  ...["b", "c", "d"].map(
    (name): Step => ({
      method: "POST",
      path: one,
      body: make("v1", name, { hostPort: `${name}:1` }),
      quiet: true,
    }),
  ),
  get(two, { until: `"name":"d"` }),
  get(`${two}?resourceVersion=0`, { until: `"name":"d"` }),
  { method: "DELETE", path: two },
  get(one),
]);

const applied = versions("applied", { conversion: hook("right") }, ({ one, two, make }) => {
  const send = (path: string, which: string, manager: string, spec: Tree, more = ""): Step => ({
    method: "PATCH",
    path: `${path}/s?fieldManager=${manager}${more}`,
    type: apply,
    body: make(which, "s", spec),
  });
  return [
    send(one, "v1", "m1", { hostPort: "x:1", size: 1 }),
    send(two, "v2", "m2", { port: "2" }),
    send(two, "v2", "m2", { size: 2 }),
    send(two, "v2", "m2", { size: 2 }, "&force=true"),
    send(one, "v1", "m1", { hostPort: "x:1" }),
    send(one, "v1", "m3", { size: 4 }),
    get(`${two}/s`),
  ];
});

const dflt = (value: number): Tree => ({ type: "integer", default: value });

const none = versions(
  "none",
  {
    versions: [
      version("v1", object({ spec: object({ a: string, b: string }) })),
      version("v2", object({ spec: object({ a: string, c: string }) })),
    ],
  },
  ({ one, two, crd, make }) => [
    { method: "POST", path: two, body: make("v2", "b", { a: "1", b: "2", c: "3" }) },
    get(`${two}/a`),
    get(`${one}/b`),
    {
      method: "PATCH",
      path: crd,
      type: merge,
      body: {
        spec: {
          versions: [
            version("v1", object({ spec: object({ a: string, n: dflt(1) }) })),
            version("v2", object({ spec: object({ a: string, n: dflt(2), m: dflt(3) }) })),
          ],
        },
      },
      quiet: true,
    },
    get(`${one}/a`, { until: `"n":1` }),
    get(`${two}/a`, { until: `"n":1` }),
    get(two),
    { method: "PUT", path: `${two}/nothing`, body: make("v2", "nothing", {}) },
    { method: "PATCH", path: `${two}/a`, type: merge, body: { spec: { a: "5" } } },
    get(`${one}/a`),
  ],
  { a: "1", b: "2" },
);

export const conversionScenarios: readonly Scenario[] = [
  working,
  alone,
  applied,
  none,
  asked("labels"),
  asked("other-meta"),
  asked("unknown"),
  ...mistakes,
];
