/** What changes later: schemas, status, scale, definitions. */
import { array, crdPath, definition, integer, object, string } from "./definition-parts.ts";
import { place, rule, rules, type Tree, withDefinition } from "./kind-scenarios.ts";
import type { Scenario, Step } from "./scenario.ts";

/** Invalid by a schema that came later: what does not change may stay. */
export function ratcheting(): Scenario {
  const plural = "ratchetss";
  const loose = object({
    spec: object({
      a: string,
      b: string,
      n: integer,
      l: array(string),
      k: array(object({ k: string, v: integer }, { required: ["k"] }), {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
      }),
    }),
  });
  const strict = object({
    spec: object(
      {
        a: { type: "string", maxLength: 2 },
        b: { type: "string", maxLength: 20, ...rules(rule("self == 'ok'")) },
        n: { type: "integer", maximum: 5 },
        l: array({ type: "string", maxLength: 2 }),
        k: array(
          { ...object({ k: string, v: { type: "integer", maximum: 5 } }, { required: ["k"] }) },
          { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] },
        ),
      },
      { required: ["r"] },
    ),
  });
  const own = `${crdPath}/${plural}.example.com`;
  const set = (path: string, value: unknown) => [{ op: "add", path, value }];
  const type = "application/json-patch+json";
  const body = {
    spec: {
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: strict } }],
    },
  };
  return withDefinition("ratcheting", { plural, schema: loose }, (path, make) => [
    {
      method: "POST",
      path,
      body: make("x", {
        spec: {
          a: "long",
          b: "no",
          n: 9,
          l: ["long"],
          k: [
            { k: "a", v: 9 },
            { k: "b", v: 1 },
          ],
        },
      }),
    },
    { method: "PATCH", path: own, body, type: "application/merge-patch+json", quiet: true },
    {
      method: "POST",
      path,
      body: make("y", { spec: { a: "long" } }),
      after: { path: own, words: '"maximum":5' },
    },
    { method: "PATCH", path: `${path}/x`, body: set("/metadata/labels", { a: "b" }), type },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/r", "x"), type },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/a", "longer"), type },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/b", "not"), type },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/n", 8), type },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/l", ["long", "ok"]), type },
    {
      method: "PATCH",
      path: `${path}/x`,
      body: set("/spec/k", [
        { k: "b", v: 2 },
        { k: "a", v: 9 },
      ]),
      type,
    },
    { method: "PATCH", path: `${path}/x`, body: set("/spec/k", [{ k: "a", v: 8 }]), type },
  ]);
}

export function statusAndScale(): Scenario {
  const plural = "statuses";
  const schema = object({
    spec: object({ replicas: integer, selector: string }),
    status: object({
      replicas: { type: "integer", maximum: 5 },
      selector: string,
      text: { type: "string", maxLength: 10, ...rules(rule("self != 'bad'")) },
    }),
  });
  const version = {
    subresources: {
      status: {},
      scale: {
        specReplicasPath: ".spec.replicas",
        statusReplicasPath: ".status.replicas",
        labelSelectorPath: ".status.selector",
      },
    },
    additionalPrinterColumns: [
      { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  };
  const merge = "application/merge-patch+json";
  return withDefinition("status and scale", { plural, schema, version }, (path, make) => [
    { method: "POST", path, body: make("x", { spec: { replicas: 2 }, status: { replicas: 1 } }) },
    {
      method: "PATCH",
      path: `${path}/x/status`,
      body: {
        spec: { replicas: 9 },
        status: { replicas: 3, selector: "a=b" },
        metadata: { labels: { a: "b" } },
      },
      type: merge,
    },
    { method: "PATCH", path: `${path}/x/status`, body: { status: { replicas: 6 } }, type: merge },
    { method: "PATCH", path: `${path}/x/status`, body: { status: { text: "bad" } }, type: merge },
    { method: "PATCH", path: `${path}/x/status`, body: { status: { odd: 1 } }, type: merge },
    { method: "GET", path: `${path}/x/scale` },
    { method: "PATCH", path: `${path}/x/scale`, body: { spec: { replicas: 7 } }, type: merge },
    { method: "PATCH", path: `${path}/x/scale`, body: { spec: { replicas: -1 } }, type: merge },
    { method: "PATCH", path: `${path}/x`, body: { spec: { replicas: -3 } }, type: merge },
    { method: "PATCH", path: `${path}/x`, body: { status: { replicas: 4 } }, type: merge },
    { method: "GET", path: `${path}/x` },
    { method: "DELETE", path: `${path}/x` },
  ]);
}

/** Changes of a definition that are allowed, and that are not. */
export function updates(): Scenario {
  const plural = "updatess";
  const own = `${crdPath}/${plural}.example.com`;
  const merge = "application/merge-patch+json";
  const patch = (spec: Tree): Step => ({
    method: "PATCH",
    path: `${own}?dryRun=All`,
    body: { spec },
    type: merge,
  });
  const version = (name: string, rest: Tree): Tree => ({
    name,
    served: true,
    storage: false,
    schema: { openAPIV3Schema: object() },
    ...rest,
  });
  return withDefinition("changes of a definition", { plural }, () => [
    { method: "GET", path: place(plural) },
    patch({ group: "other.com" }),
    patch({ scope: "Cluster" }),
    patch({ names: { kind: "Other" } }),
    patch({ names: { plural: "others" } }),
    patch({ names: { shortNames: ["up"] } }),
    patch({ versions: [version("v2", { storage: true })] }),
    patch({ versions: [version("v1", {}), version("v2", { storage: true })] }),
    patch({
      versions: [
        version("v1", {
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: {
                  type: "string",
                  "x-kubernetes-validations": [{ rule: "self.matches('x')" }],
                },
              },
            },
          },
        }),
      ],
    }),
    { method: "PUT", path: `${own}?dryRun=All`, body: definition({ plural }) },
  ]);
}

/** Two definitions want the same short name and kind; the second has them when the first goes. */
export function namesConflict(): Scenario {
  const named = (plural: string, kind: string, shortNames: string[]): Tree => {
    const body = definition({ plural, schema: object({}) });
    const spec = body["spec"] as Tree;
    const names = { plural, kind, shortNames };
    return { ...body, spec: { ...spec, names } };
  };
  const first = `${crdPath}/firstnames.example.com`;
  const second = `${crdPath}/secondnames.example.com`;
  const post = (body: Tree): Step => ({ method: "POST", path: crdPath, body, quiet: true });
  const accepted = '"type":"Established","status":"True"'.split(",")[0]!;
  return {
    name: "custom resource: names conflict",
    steps: [
      post(named("firstnames", "First", ["fst"])),
      { method: "GET", path: first, after: { path: first, words: "InitialNamesAccepted" } },
      post(named("secondnames", "First", ["fst", "snd"])),
      {
        method: "GET",
        path: second,
        after: { path: second, words: accepted },
        until: "NotAccepted",
      },
      { method: "DELETE", path: first, quiet: true },
      { method: "GET", path: second, until: "InitialNamesAccepted" },
      { method: "DELETE", path: second, quiet: true },
    ],
  };
}
