/** A reader of objects that a test puts there by hand. */
import type { KubeObject } from "@nanokube/machinery";

export interface ObjectMap {
  put(group: string, plural: string, object: KubeObject): void;
  remove(group: string, plural: string, namespace: string, name: string): void;
  get(
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
  ): Promise<KubeObject[]>;
}

export function objectMap(): ObjectMap {
  const all = new Map<string, KubeObject>();
  const key = (...parts: string[]) => parts.join("/");
  const nodeOf = (object: KubeObject) =>
    (object.spec as { nodeName?: string } | undefined)?.nodeName;
  return {
    put(group, plural, object) {
      const { namespace = "", name = "" } = object.metadata ?? {};
      all.set(key(group, plural, namespace, name), object);
    },
    remove: (group, plural, namespace, name) =>
      void all.delete(key(group, plural, namespace, name)),
    get: async (group, plural, namespace, name) => all.get(key(group, plural, namespace, name)),
    async list(group, plural, namespace = "", fields = {}) {
      const start = `${key(group, plural)}/${namespace === "" ? "" : `${namespace}/`}`;
      const wanted = fields["spec.nodeName"];
      return [...all]
        .filter(([name]) => name.startsWith(start))
        .map(([, object]) => object)
        .filter((object) => wanted === undefined || nodeOf(object) === wanted);
    },
  };
}
