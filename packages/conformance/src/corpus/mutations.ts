/**
 * What can be wrong with an object, derived from the api table: every field, present or not, in
 * odd values, wrong types, unknown members, missing and doubled items.
 *
 * The number of fields is large, so each kind takes those whose name hashes lowest: the choice
 * stays the same when fields come and go.
 */
import { type Field, jsonFields, typeInfo } from "@nanokube/api";
import { hashOf, type Tree } from "./corpus-case.ts";

export interface Mutation {
  /** "spec.replicas = -1" */
  name: string;
  path: string;
  object: Tree;
}

const long = "x".repeat(260);

const scalars: Readonly<Record<string, readonly unknown[]>> = {
  string: ["", "A b", long, "a..b", "-x", "10.0.0.1", "a/b/c", "ok", 5, true],
  bool: [true, false, "yes", 1],
  int32: [-1, 0, 1, 70000, 2147483648, 1.5, "5", true],
  int64: [-1, 0, 1, 9007199254740991, 1.5, "5"],
  uint32: [-1, 0],
  uint64: [-1, 0],
  float64: [0.5, "x"],
  bytes: ["!!", "", 5],
  quantity: ["abc", "-1", "0", 1, "1500m", "1Ei", true, {}],
  time: ["yesterday", "2026-01-01T00:00:00Z", 5],
  microTime: ["yesterday", "2026-01-01T00:00:00.5Z", 5],
  duration: ["5x", "5s", 5],
  intOrString: [-1, 0, 70000, "x", "150%", "50%", "UPPER", true],
  json: [1, "a", {}, [null]],
  raw: [{ a: 1 }, 5, "x"],
  fieldsV1: [{}],
};

const without = Symbol("without");

function put(object: Tree, keys: readonly (string | number)[], value: unknown): Tree {
  const copy = structuredClone(object);
  let at: Record<string | number, unknown> = copy;
  for (const key of keys.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string | number, unknown>;
  }
  const last = keys.at(-1)!;
  if (value === without) delete at[last];
  else at[last] = value;
  return copy;
}

const textOf = (value: unknown): string => {
  if (value === without) return "gone";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 30)}… (${text.length})` : text;
};

/** How many absent levels are made up. */
const absentMax = 2;
const depthMax = 11;

export class Mutations {
  readonly #object: Tree;
  readonly found: Mutation[] = [];

  constructor(type: string, object: Tree) {
    this.#object = object;
    this.#members(type, object, [], 0);
  }

  #add(keys: readonly (string | number)[], value: unknown): void {
    const path = keys.join(".");
    const name = `${path} = ${textOf(value)}`;
    this.found.push({ name, path, object: put(this.#object, keys, value) });
  }

  #members(type: string, tree: unknown, keys: readonly (string | number)[], absent: number): void {
    if (keys.length > depthMax) return;
    for (const [name, field] of Object.entries(jsonFields(type) ?? {})) {
      if (keys.length === 0 && ["apiVersion", "kind", "metadata", "status"].includes(name))
        continue;
      const value = (tree as Tree | undefined)?.[name];
      const missing = value === undefined ? absent + 1 : 0;
      if (missing > absentMax) continue;
      const here = [...keys, name];
      if (value !== undefined) this.#add(here, without);
      if (value !== undefined) this.#add(here, null);
      this.#field(field, value, here, missing);
    }
    this.#add([...keys, "bogus"], 1);
  }

  #field(
    field: Pick<Field, "type" | "enum">,
    value: unknown,
    keys: readonly (string | number)[],
    absent: number,
  ): void {
    const { type } = field;
    const alias = type.startsWith("ref ") ? typeInfo(type.slice(4))?.alias : undefined;
    if (alias !== undefined) this.#field({ type: alias }, value, keys, absent);
    else if (type.startsWith("[]")) this.#list(type.slice(2), value, keys, absent);
    else if (type.startsWith("map ")) this.#map(type.slice(4), value, keys);
    else if (type.startsWith("ref ")) {
      for (const odd of [{}, "text", [1]]) this.#add(keys, odd);
      this.#members(type.slice(4), value, keys, absent);
    }
    for (const odd of scalars[type] ?? []) this.#add(keys, odd);
    for (const word of field.enum?.slice(0, 2) ?? []) this.#add(keys, word);
  }

  #list(item: string, value: unknown, keys: readonly (string | number)[], absent: number): void {
    const items = Array.isArray(value) ? (value as unknown[]) : [];
    this.#add(keys, []);
    this.#add(keys, {});
    this.#add(keys, [null]);
    if (items.length > 0) this.#add(keys, [...items, items[0]]);
    if (item.startsWith("ref ")) {
      this.#add(keys, [{}]);
      if (items.length > 0) {
        for (const [i, each] of items.slice(0, 6).entries()) {
          this.#members(item.slice(4), each, [...keys, i], 0);
        }
      } else if (absent < absentMax) this.#firstItem(item.slice(4), keys, absent);
      return;
    }
    for (const odd of scalars[item] ?? []) this.#add(keys, [odd]);
  }

  /** One member of an item that is not there. */
  #firstItem(type: string, keys: readonly (string | number)[], absent: number): void {
    if (absent + 1 > absentMax) return;
    for (const [name, field] of Object.entries(jsonFields(type) ?? {})) {
      for (const odd of (scalars[field.type] ?? []).slice(0, 4)) this.#add(keys, [{ [name]: odd }]);
    }
  }

  #map(item: string, value: unknown, keys: readonly (string | number)[]): void {
    const some = Object.values((value as Tree | undefined) ?? {})[0];
    this.#add(keys, {});
    this.#add(keys, "text");
    this.#add(keys, { a: null });
    const usual = some ?? scalars[item]?.at(2) ?? {};
    for (const key of ["", "a b", long, "Upper/x", "example.com/ok", "a/b/c"]) {
      this.#add(keys, { [key]: usual });
    }
    for (const odd of scalars[item] ?? []) this.#add(keys, { cpu: odd });
  }
}

/** The parts of a Pod in a template are a Pod's: one kind tries them all, the others a few. */
const isTemplate = (path: string): boolean => /template\.spec\./i.test(path);

/** At most `count`, a few for every path before many for one. */
export function chosen(all: readonly Mutation[], count: number, templateCount: number): Mutation[] {
  const unique = [...new Map(all.map((each) => [each.name, each])).values()];
  const byPath = Map.groupBy(unique, ({ path }) => path);
  const ranked: { mutation: Mutation; rank: number; hash: number }[] = [];
  for (const mutations of byPath.values()) {
    const sorted = mutations
      .map((mutation) => ({ mutation, hash: hashOf(mutation.name) }))
      .sort((a, b) => a.hash - b.hash);
    for (const [rank, each] of sorted.entries()) ranked.push({ ...each, rank });
  }
  ranked.sort((a, b) => a.rank - b.rank || a.hash - b.hash);
  const template = ranked.filter(({ mutation }) => isTemplate(mutation.path));
  const own = ranked.filter(({ mutation }) => !isTemplate(mutation.path));
  return [...own.slice(0, count), ...template.slice(0, templateCount)].map(
    ({ mutation }) => mutation,
  );
}
