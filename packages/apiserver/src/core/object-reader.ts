/**
 * Objects as the server itself reads them, from its caches: for admission, authorization, tokens.
 *
 * Shapes  what is handed out is shared: nobody changes it
 *         namespace "" is none of a cluster-wide resource, and every one of a list
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceRegistry } from "./registry.ts";
import { objectKey } from "./storage/keys.ts";
import type { ObjectStore } from "./storage/store.ts";

export interface ObjectReader {
  get(
    group: string,
    plural: string,
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined>;
  /** `fields` narrows by selectable fields ("spec.nodeName"), so that an index may answer. */
  list(
    group: string,
    plural: string,
    namespace?: string,
    fields?: Readonly<Record<string, string>>,
  ): Promise<readonly KubeObject[]>;
  /** A number that grows with every change of the resource. */
  generation(group: string, plural: string): number;
}

/** Straight from the caches: for authorizers, which are asked on every request. */
export function createCachedReader(registry: ResourceRegistry): ObjectReader {
  return {
    async get(group, plural, namespace, name) {
      const resource = registry.find(group, plural);
      if (resource === undefined) return undefined;
      return resource.cache.get(objectKey(resource.info.namespaced, namespace, name))?.shared();
    },
    async list(group, plural, namespace = "", fields) {
      const resource = registry.find(group, plural);
      if (resource === undefined) return [];
      const found: KubeObject[] = [];
      const wanted = Object.entries(fields ?? {});
      for (const object of resource.cache.scan(namespace === "" ? "" : `${namespace}/`)) {
        if (wanted.every(([name, value]) => object.index.fields[name] === value)) {
          found.push(object.shared());
        }
      }
      return found;
    },
    generation(group, plural) {
      return registry.find(group, plural)?.cache.changedAt ?? 0;
    },
  };
}

/** What is not in the cache may have been written just now: etcd is asked before "absent". */
export function createFreshReader(reader: ObjectReader, store: ObjectStore): ObjectReader {
  return {
    ...reader,
    async get(group, plural, namespace, name) {
      const found = await reader.get(group, plural, namespace, name);
      if (found !== undefined) return found;
      await store.catchUp();
      return reader.get(group, plural, namespace, name);
    },
  };
}
