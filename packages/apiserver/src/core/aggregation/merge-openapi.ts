/**
 * One OpenAPI v2 document of several servers: of each other one only its own group's paths, with
 * all of its definitions.
 *
 * Shapes  a definition that is there already and differs is called NAME_v2, NAME_v3 …
 * Source  kube-aggregator pkg/controllers/openapi/aggregator/aggregator.go,
 *         kube-openapi pkg/aggregator/aggregator.go
 */
import { deepEqual } from "@nanokube/machinery";

type Tree = Record<string, unknown>;

export interface ForeignDocument {
  /** "/apis/GROUP/VERSION/" */
  prefix: string;
  document: Tree;
}

const lead = "#/definitions/";

function renamed(tree: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(tree)) return tree.map((item) => renamed(item, names));
  if (typeof tree !== "object" || tree === null) return tree;
  const entries = Object.entries(tree).map(([key, member]) => {
    if (key !== "$ref" || typeof member !== "string") return [key, renamed(member, names)];
    const other = names.get(member.slice(lead.length));
    return [key, other === undefined ? member : lead + other];
  });
  return Object.fromEntries(entries);
}

function newNames(own: Tree, definitions: Tree): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (!(name in own) || deepEqual(own[name], definition)) continue;
    let number = 2;
    while (`${name}_v${number}` in own && !deepEqual(own[`${name}_v${number}`], definition)) {
      number++;
    }
    names.set(name, `${name}_v${number}`);
  }
  return names;
}

const sortedByKey = (tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));

export function mergeOpenAPI(own: Tree, others: readonly ForeignDocument[]): Tree {
  if (others.length === 0) return own;
  let paths = { ...(own["paths"] as Tree) };
  let definitions = { ...(own["definitions"] as Tree) };
  for (const { prefix, document } of others) {
    const all = Object.entries((document["paths"] ?? {}) as Tree);
    const mine = Object.fromEntries(all.filter(([path]) => path.startsWith(prefix)));
    const brought = (document["definitions"] ?? {}) as Tree;
    const names = newNames(definitions, brought);
    const called = Object.entries(brought).map(([name, definition]): [string, unknown] => [
      names.get(name) ?? name,
      renamed(definition, names),
    ]);
    definitions = { ...Object.fromEntries(called), ...definitions };
    paths = { ...(renamed(mine, names) as Tree), ...paths };
  }
  return { ...own, paths: sortedByKey(paths), definitions: sortedByKey(definitions) };
}
