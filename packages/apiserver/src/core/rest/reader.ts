/**
 * Reads of the caches for admission, authorization and tokens: shared trees, nobody changes them.
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceRegistry } from "../registry.ts";
import { objectKey } from "../storage/keys.ts";
import type { ObjectStore } from "../storage/store.ts";

export interface StoreReader {
  get(group: string, plural: string, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** As fresh as etcd, for what must not be decided on an old copy. */
  getLive(
    group: string,
    plural: string,
    namespace: string,
    name: string,
  ): Promise<KubeObject | undefined>;
  list(
    group: string,
    plural: string,
    namespace?: string,
    fields?: Readonly<Record<string, string>>,
  ): Promise<readonly KubeObject[]>;
  generation(group: string, plural: string): number;
}

export function createReader(registry: ResourceRegistry, store: ObjectStore): StoreReader {
  return {
    async get(group, plural, namespace, name) {
      const resource = registry.find(group, plural);
      if (resource === undefined) return undefined;
      return resource.cache.get(objectKey(resource.info.namespaced, namespace, name))?.shared();
    },
    async getLive(group, plural, namespace, name) {
      await store.catchUp();
      return this.get(group, plural, namespace, name);
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
