/**
 * Objects as the server itself reads them, from its caches: for admission, authorization, tokens.
 *
 * Shapes  what is handed out is shared: nobody changes it
 *         namespace "" is none of a cluster-wide resource, and every one of a list
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceCache } from "./cache/resource-cache.ts";
import type { ResourceRegistry } from "./registry.ts";
import { objectKey } from "./storage/keys.ts";
import type { ObjectStore } from "./storage/store.ts";

/** What is in a cache is there at once: nobody makes a promise of it. */
export type Soon<T> = T | Promise<T>;

export interface ObjectReader {
  get(group: string, plural: string, namespace: string, name: string): Soon<KubeObject | undefined>;
  /** `fields` narrows by selectable fields ("spec.nodeName"), so that an index may answer. */
  list(
    group: string,
    plural: string,
    namespace?: string,
    fields?: Readonly<Record<string, string>>,
  ): Soon<readonly KubeObject[]>;
  /** A number that grows with every change of the resource. */
  generation(group: string, plural: string): number;
}

/** Straight from the caches: for authorizers, which are asked on every request. */
export function createCachedReader(registry: ResourceRegistry): ObjectReader {
  return {
    get(group, plural, namespace, name) {
      const resource = registry.find(group, plural);
      if (resource === undefined) return undefined;
      return resource.cache.get(objectKey(resource.info.namespaced, namespace, name))?.shared();
    },
    list(group, plural, namespace = "", fields) {
      const resource = registry.find(group, plural);
      if (resource === undefined) return [];
      if (fields === undefined) return shortList(resource.cache, namespace);
      return selected(resource.cache, namespace, Object.entries(fields));
    },
    generation(group, plural) {
      return registry.find(group, plural)?.cache.changedAt ?? 0;
    },
  };
}

type Fields = readonly (readonly [name: string, value: string])[];

function selected(cache: ResourceCache, namespace: string, fields: Fields): KubeObject[] {
  const found: KubeObject[] = [];
  for (const object of cache.scan(namespace === "" ? "" : `${namespace}/`)) {
    if (fields.every(([name, value]) => object.index.fields[name] === value)) {
      found.push(object.shared());
    }
  }
  return found;
}

const shortMax = 64;
const namespacesMax = 1024;

/**
 * Lists that every write asks for and nobody changes for hours: webhooks, policies, quotas,
 * limits, priority classes. Most are empty.
 */
function shortList(cache: ResourceCache, namespace: string): readonly KubeObject[] {
  const { shortLists } = cache;
  const known = shortLists.get(namespace);
  if (known !== undefined) return known;
  const list = selected(cache, namespace, []);
  const isShort = list.length <= shortMax && shortLists.size < namespacesMax;
  if (isShort) shortLists.set(namespace, list);
  return list;
}

/** What is not in the cache may have been written just now: etcd is asked before "absent". */
export function createFreshReader(reader: ObjectReader, store: ObjectStore): ObjectReader {
  return {
    ...reader,
    get(group, plural, namespace, name) {
      const read = () => reader.get(group, plural, namespace, name);
      return read() ?? store.catchUp().then(read);
    },
  };
}
