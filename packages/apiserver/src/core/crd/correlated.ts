/**
 * A part of an object beside the same part as it was: what has not changed need not become valid.
 *
 * Elements of lists correspond by their keys in lists of type map; in other lists they do not.
 *
 * Source  apiserver pkg/cel/common/equality.go
 */
import { deepEqual } from "@nanokube/machinery";
import { isTree, type Schema } from "./structural-schema.ts";

export class Correlated {
  readonly value: unknown;
  readonly old: unknown;
  readonly #schema: Schema;
  #equal: boolean | undefined;

  constructor(value: unknown, old: unknown, schema: Schema) {
    this.value = value;
    this.old = old;
    this.#schema = schema;
  }

  get unchanged(): boolean {
    this.#equal ??= deepEqual(this.value, this.old);
    return this.#equal;
  }

  key(name: string): Correlated | undefined {
    const { value, old } = this;
    if (!isTree(value) || !isTree(old)) return undefined;
    if (!Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
    const { properties, additionalProperties } = this.#schema;
    const own = properties !== undefined && Object.hasOwn(properties, name);
    const schema = own ? properties[name] : additionalProperties;
    if (!isTree(schema)) return undefined;
    return new Correlated(value[name], old[name], schema as Schema);
  }

  index(i: number): Correlated | undefined {
    const { value, old } = this;
    if (!Array.isArray(value) || !Array.isArray(old)) return undefined;
    if (this.#schema["x-kubernetes-list-type"] !== "map") return undefined;
    const { items } = this.#schema;
    const match = sameKeys(this.#schema, value[i], old);
    if (items === undefined || match === undefined) return undefined;
    return new Correlated(value[i], match, items);
  }
}

/** The element of another list of type map that has the same keys. */
export function sameKeys(schema: Schema, item: unknown, others: readonly unknown[]): unknown {
  if (!isTree(item)) return undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const keyOf = (tree: Record<string, unknown>) =>
    JSON.stringify(
      keys.map((key) => {
        const own = Object.hasOwn(tree, key) ? tree[key] : schema.items?.properties?.[key]?.default;
        return own ?? null;
      }),
    );
  const wanted = keyOf(item);
  return others.find((other) => isTree(other) && keyOf(other) === wanted);
}
