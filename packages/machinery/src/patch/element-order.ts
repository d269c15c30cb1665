/**
 * The order of a merged list: the patch's items in the patch's order, the server's own in the
 * server's, and the two interleaved so that neither order is broken.
 *
 * Source  k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (normalizeElementOrder,
 *         mergeSortedSlice)
 */
import { isPlainObject } from "../json-tree.ts";

type Tree = Record<string, unknown>;

export function orderLists(
  merged: unknown[],
  patchOrder: unknown[],
  serverOrder: unknown[],
  mergeKey: string,
  noMergeKey: (item: Tree, key: string) => Error,
): unknown[] {
  const keyOf = (item: unknown): unknown => {
    if (mergeKey === "" || !isPlainObject(item)) return item;
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    return item[mergeKey];
  };
  const ranks = (order: unknown[]): Map<unknown, number> => {
    const map = new Map<unknown, number>();
    order.forEach((item, i) => {
      const key = keyOf(item);
      if (!map.has(key)) map.set(key, i);
    });
    return map;
  };
  const patchRank = ranks(patchOrder);
  const serverRank = ranks(serverOrder);
  const bySecond = (rank: Map<unknown, number>) => (a: unknown, b: unknown) =>
    (rank.get(keyOf(a)) ?? -1) - (rank.get(keyOf(b)) ?? -1);

  const fromPatch = merged.filter((item) => patchRank.has(keyOf(item))).sort(bySecond(patchRank));
  const serverOnly = merged
    .filter((item) => !patchRank.has(keyOf(item)))
    .sort(bySecond(serverRank));
  return interleave(serverOnly, fromPatch, (item) => serverRank.get(keyOf(item)));
}

/** A server item goes first only when the server had both and had it first. */
function interleave(
  serverOnly: unknown[],
  fromPatch: unknown[],
  rank: (item: unknown) => number | undefined,
): unknown[] {
  const out: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < serverOnly.length && j < fromPatch.length) {
    const left = rank(serverOnly[i]);
    const right = rank(fromPatch[j]);
    const first = left !== undefined && right !== undefined && left < right;
    out.push(first ? serverOnly[i++] : fromPatch[j++]);
  }
  return [...out, ...serverOnly.slice(i), ...fromPatch.slice(j)];
}
