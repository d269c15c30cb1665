/**
 * A patched object as text, for errors that quote it: members in the order in which upstream's
 * patch library leaves them.
 *
 * The library opens only what the patch touches: an opened object has its members sorted, the rest
 * is as it was encoded, members in Go's order.
 *
 * Source  gopkg.in/evanphx/json-patch.v4 (lazyNode, partialDoc)
 */
import { encodeJSON, isPlainObject, type KubeObject, marshalGo } from "@nanokube/machinery";

type Tree = Record<string, unknown>;

export function patchedText(
  current: KubeObject,
  patched: KubeObject,
  patch: unknown,
  typeName: string | undefined,
): string {
  const asEncoded = JSON.parse(encodeJSON(typeName, current)) as unknown;
  const text = Array.isArray(patch)
    ? byOperations(asEncoded, patched, patch)
    : byMerge(asEncoded, patched, patch);
  return marshalGo(text);
}

const sorted = (tree: Tree): [string, unknown][] =>
  Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1));

function byMerge(current: unknown, patched: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patched;
  if (!isPlainObject(current) || !isPlainObject(patched)) return opened(patched);
  return Object.fromEntries(
    sorted(withNulls(current, patched, patch)).map(([key, value]) => {
      if (!Object.hasOwn(patch, key)) return [key, (current as Tree)[key] ?? value];
      return [key, byMerge((current as Tree)[key], value, patch[key])];
    }),
  );
}

/** What is encoded as null and not patched is null still. */
function withNulls(current: Tree, patched: Tree, patch: Tree): Tree {
  const nulls = Object.entries(current).filter(
    ([key, value]) => value === null && !Object.hasOwn(patch, key),
  );
  return { ...Object.fromEntries(nulls), ...patched };
}

/** All of it sorted: nulls were looked for. */
function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(sorted(value).map(([key, member]) => [key, opened(member)]));
}

function byOperations(current: unknown, patched: unknown, operations: readonly unknown[]): unknown {
  const touched = new Set<string>([""]);
  for (const operation of operations) {
    const { path = "", from = "" } = operation as { path?: string; from?: string };
    for (const pointer of [path, from]) {
      const parts = String(pointer).split("/");
      for (let i = 1; i < parts.length; i++) touched.add(parts.slice(0, i).join("/"));
    }
  }
  return walk(current, patched, "", touched);
}

function walk(current: unknown, patched: unknown, at: string, touched: Set<string>): unknown {
  if (!touched.has(at)) return current ?? patched;
  if (Array.isArray(patched)) return patched;
  if (!isPlainObject(patched)) return patched;
  return Object.fromEntries(
    sorted(isPlainObject(current) ? withNulls(current, patched, {}) : patched).map(
      ([key, value]) => [
        key,
        walk((current as Tree | undefined)?.[key], value, `${at}/${key}`, touched),
      ],
    ),
  );
}
