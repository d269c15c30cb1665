/** pods/ns/name → the cache of pods/ and "ns/name". */
import type { ResourceCache } from "../core/cache/resource-cache.ts";

export function placeOf(
  caches: ReadonlyMap<string, ResourceCache>,
  path: string,
  adopt: (prefix: string) => ResourceCache,
): { cache: ResourceCache; key: string } | undefined {
  const first = path.indexOf("/") + 1;
  if (first === 0) return undefined;
  const plain = caches.get(path.slice(0, first));
  if (plain !== undefined) return { cache: plain, key: path.slice(first) };
  const second = path.indexOf("/", first) + 1;
  if (second === 0) return undefined;
  const prefix = path.slice(0, second);
  // Only groups have dots: objects of a CustomResourceDefinition that is not read yet.
  const isCustom = path.slice(0, first).includes(".");
  const cache = caches.get(prefix) ?? (isCustom ? adopt(prefix) : undefined);
  return cache === undefined ? undefined : { cache, key: path.slice(second) };
}
