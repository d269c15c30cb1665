/** Scenarios of one kind: defined, tried, taken away. */
import { crdPath, type DefinitionParts, definition, object } from "./definition-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

export type Tree = Record<string, unknown>;

export const rule = (text: string, rest: Tree = {}): Tree => ({ rule: text, ...rest });
export const rules = (...list: Tree[]): Tree => ({ "x-kubernetes-validations": list });

export function place(plural: string): string {
  return `/apis/example.com/v1/namespaces/default/${plural}`;
}

/** Defines a kind, plays the steps, takes the kind away. */
export function withDefinition(
  name: string,
  parts: DefinitionParts,
  steps: (path: string, make: (name: string, rest: Tree) => Tree) => Step[],
): Scenario {
  const { plural } = parts;
  const body = definition(parts);
  const kind = plural[0]!.toUpperCase() + plural.slice(1, -1);
  const make = (own: string, rest: Tree): Tree => ({
    apiVersion: "example.com/v1",
    kind,
    metadata: { name: own, namespace: "default" },
    ...rest,
  });
  const own = `${crdPath}/${plural}.example.com`;
  const [first, ...rest] = steps(place(plural), make);
  return {
    name: `custom resource: ${name}`,
    steps: [
      { method: "POST", path: crdPath, body, quiet: true },
      { ...first!, after: { path: place(plural), words: `"items":[` } },
      ...rest,
      { method: "DELETE", path: own, quiet: true },
    ],
  };
}

/** One attempt a spec. */
export function specs(name: string, plural: string, schema: Tree, tries: unknown[]): Scenario {
  return withDefinition(name, { plural, schema: object({ spec: schema }) }, (path, make) =>
    tries.map((spec, i) => ({ method: "POST", path, body: make(`n${i}`, { spec }) })),
  );
}

/** Each pair: what is there, what it is changed to. */
export function changes(
  name: string,
  plural: string,
  schema: Tree,
  pairs: [unknown, unknown][],
): Scenario {
  return withDefinition(name, { plural, schema: object({ spec: schema }) }, (path, make) =>
    pairs.flatMap(([before, after], i): Step[] => {
      const body = make(`n${i}`, { spec: before });
      const patch = [{ op: "replace", path: "/spec", value: after }];
      const type = "application/json-patch+json";
      return [
        { method: "POST", path, body },
        { method: "PATCH", path: `${path}/n${i}`, body: patch, type },
      ];
    }),
  );
}
