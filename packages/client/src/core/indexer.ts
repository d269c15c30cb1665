/**
 * A cache of objects by key, with indexes: by namespace always, by what a controller wants else.
 *
 * Shapes  key        "namespace/name", or "name"
 *         IndexFunc  the values under which an object is found
 * Rule    objects in it are shared by all readers: never change one, make a copy
 * Source  client-go tools/cache/thread_safe_store.go
 */
import { type ApiObject, keyOf } from "./resource-ref.ts";

export type IndexFunc<T> = (object: T) => readonly string[];

/** What a reconciler may do with a cache. */
export interface Lister<T extends ApiObject = ApiObject> {
  get(namespace: string, name: string): T | undefined;
  getByKey(key: string): T | undefined;
  list(): T[];
  byNamespace(namespace: string): T[];
  byIndex(index: string, value: string): T[];
}

interface Index<T> {
  values: IndexFunc<T>;
  keys: Map<string, Set<string>>;
}

const noNamespace: IndexFunc<ApiObject> = (object) => [object.metadata?.namespace ?? ""];

export class Indexer<T extends ApiObject = ApiObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexers: Readonly<Record<string, IndexFunc<T>>> = {}) {
    this.addIndexers({ namespace: noNamespace, ...indexers });
  }

  /**
   * May be called at any time: what is there already is indexed. The same name twice
   * keeps the first.
   */
  addIndexers(indexers: Readonly<Record<string, IndexFunc<T>>>): void {
    for (const [name, values] of Object.entries(indexers)) {
      if (this.#indexes.has(name)) continue;
      const index: Index<T> = { values, keys: new Map() };
      this.#indexes.set(name, index);
      for (const [key, object] of this.#objects) insert(index, key, object);
    }
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(namespace === "" ? name : `${namespace}/${name}`);
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  byNamespace(namespace: string): T[] {
    return namespace === "" ? this.list() : this.byIndex("namespace", namespace);
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`Index with name ${index} does not exist`);
    const objects: T[] = [];
    for (const key of found.keys.get(value) ?? []) objects.push(this.#objects.get(key)!);
    return objects;
  }

  /** Adds or replaces; gives what was there. */
  set(object: T): T | undefined {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (old !== undefined) remove(index, key, old);
      insert(index, key, object);
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) remove(index, key, old);
    return old;
  }
}

function insert<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, new Set([key]));
    else keys.add(key);
  }
}

function remove<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) continue;
    keys.delete(key);
    if (keys.size === 0) index.keys.delete(value);
  }
}
