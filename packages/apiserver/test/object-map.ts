/** A reader of objects that a test puts there by hand. */
import type { KubeObject } from "@nanokube/machinery";
import type { ObjectReader } from "../src/core/object-reader.ts";

export interface ObjectMap extends ObjectReader {
  put(group: string, plural: string, object: KubeObject): void;
  remove(group: string, plural: string, namespace: string, name: string): void;
}

export function objectMap(): ObjectMap {
  const all = new Map<string, KubeObject>();
  let changes = 0;
  const key = (...parts: string[]) => parts.join("/");
  const nodeOf = (object: KubeObject) =>
    (object.spec as { nodeName?: string } | undefined)?.nodeName;
  return {
    put(group, plural, object) {
      const { namespace = "", name = "" } = object.metadata ?? {};
      all.set(key(group, plural, namespace, name), object);
      changes += 1;
    },
    remove(group, plural, namespace, name) {
      all.delete(key(group, plural, namespace, name));
      changes += 1;
    },
    get: async (group, plural, namespace, name) => all.get(key(group, plural, namespace, name)),
    async list(group, plural, namespace = "", fields = {}) {
      const start = `${key(group, plural)}/${namespace === "" ? "" : `${namespace}/`}`;
      const wanted = fields["spec.nodeName"];
      return [...all]
        .filter(([name]) => name.startsWith(start))
        .map(([, object]) => object)
        .filter((object) => wanted === undefined || nodeOf(object) === wanted);
    },
    generation: () => changes,
  };
}
