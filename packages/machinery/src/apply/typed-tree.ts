/**
 * Trees under an apply schema: their field sets, their differences, their merge, and what is
 * left when paths go.
 *
 * Absent is `undefined`; null is a value of its own, as in upstream.
 *
 * Source  sigs.k8s.io/structured-merge-diff/v6 typed/tofieldset.go, compare.go, remove.go,
 *         helpers.go
 */
import { deepEqual, isPlainObject, setMember } from "../json-tree.ts";
import {
  type ApplySchema,
  type ListSchema,
  type MapSchema,
  resolveSchema,
  untypedSchema,
} from "./apply-schema.ts";
import { emptySet, FieldSet, FieldSetBuilder, type Path } from "./fields-v1.ts";
import { fieldElement, keyElement, valueElement } from "./path-element.ts";

export type Tree = Record<string, unknown>;

/** A tree that does not fit its schema, in upstream's words. */
export class TypedTreeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TypedTreeError";
  }
}

export const childSchema = (schema: MapSchema, name: string): ApplySchema =>
  schema.field(name) ?? schema.element ?? untypedSchema;

/** The step to an item of a list whose items are told apart. */
export function itemElement(schema: ListSchema, item: unknown): string {
  if (schema.relation === "set") {
    if (isPlainObject(item)) {
      throw new TypedTreeError("associative list without keys has an element that's a map type");
    }
    if (Array.isArray(item)) {
      throw new TypedTreeError("not supported: associative list with lists as elements");
    }
    if (item === null || item === undefined) {
      const what = "associative list without keys has an element that's an explicit null";
      throw new TypedTreeError(what);
    }
    return valueElement(item);
  }
  if (item === null || item === undefined) {
    throw new TypedTreeError("associative list with keys may not have a null element");
  }
  if (!isPlainObject(item)) {
    throw new TypedTreeError("associative list with keys may not have non-map elements");
  }
  const defaults = schema.item.kind === "map" ? schema.item : undefined;
  const fields: [string, unknown][] = [];
  for (const key of schema.keys) {
    const value = Object.hasOwn(item, key) ? item[key] : defaults?.defaultOf(key);
    if (value !== undefined) fields.push([key, value]);
  }
  if (fields.length === 0) {
    const keys = `[${schema.keys.map((key) => JSON.stringify(key)).join(" ")}]`;
    throw new TypedTreeError(
      `associative list with keys has an element that omits all key fields ${keys} (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(fields);
}

const isEmptyMap = (value: unknown): boolean =>
  isPlainObject(value) && Object.keys(value).length === 0;

/** Every path that an object sets. */
export function fieldSetOf(value: unknown, schema: ApplySchema): FieldSet {
  const builder = new FieldSetBuilder();
  collect(value, schema, [], builder);
  return builder.build();
}

function collect(value: unknown, declared: ApplySchema, path: Path, out: FieldSetBuilder): void {
  const schema = resolveSchema(declared, value);
  if (schema.kind === "map") {
    if (schema.atomic) out.insert(path);
    else if (isPlainObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        if (member === undefined) continue;
        const at = [...path, fieldElement(key)];
        collect(member, childSchema(schema, key), at, out);
        const owned = member === null || isEmptyMap(member) || schema.field(key) === undefined;
        if (owned) out.insert(at);
      }
    }
  } else if (schema.kind === "list") {
    if (schema.relation === "atomic") out.insert(path);
    else if (Array.isArray(value)) collectItems(value, schema, path, out);
  } else {
    out.insert(path);
  }
}

function collectItems(list: unknown[], schema: ListSchema, path: Path, out: FieldSetBuilder): void {
  const byElement = Map.groupBy(list, (item) => itemElement(schema, item));
  for (const [element, items] of byElement) {
    const at = [...path, element];
    if (items.length === 1) collect(items[0], schema.item, at, out);
    out.insert(at);
  }
}

export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

class Comparer {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();

  compare(left: unknown, right: unknown, declared: ApplySchema, path: Path): void {
    const schema = resolveSchema(declared, right ?? left);
    let leaf = schema.kind === "scalar" || schema.kind === "untyped";
    if (schema.kind === "map") leaf = schema.atomic || (hollow(left) && hollow(right));
    if (schema.kind === "list") {
      leaf = schema.relation === "atomic" || (hollow(left) && hollow(right));
    }
    if (leaf) {
      this.#leaf(left, right, path);
      return;
    }
    if (schema.kind === "map") this.#members(left, right, schema, path);
    else if (schema.kind === "list") this.#items(left, right, schema, path);
    if (left === undefined) this.added.insert(path);
    else if (right === undefined) this.removed.insert(path);
  }

  #leaf(left: unknown, right: unknown, path: Path): void {
    if (left === undefined) this.added.insert(path);
    else if (right === undefined) this.removed.insert(path);
    else if (!deepEqual(left, right)) this.modified.insert(path);
  }

  #members(left: unknown, right: unknown, schema: MapSchema, path: Path): void {
    const l = isPlainObject(left) ? left : {};
    const r = isPlainObject(right) ? right : {};
    for (const key of new Set([...Object.keys(l), ...Object.keys(r)])) {
      const before = Object.hasOwn(l, key) ? l[key] : undefined;
      const after = Object.hasOwn(r, key) ? r[key] : undefined;
      if (before === undefined && after === undefined) continue;
      this.compare(before, after, childSchema(schema, key), [...path, fieldElement(key)]);
    }
  }

  #items(left: unknown, right: unknown, schema: ListSchema, path: Path): void {
    const l = groupItems(left, schema);
    const r = groupItems(right, schema);
    for (const element of new Set([...l.keys(), ...r.keys()])) {
      const before = l.get(element) ?? [];
      const after = r.get(element) ?? [];
      const at = [...path, element];
      if (before.length <= 1 && after.length <= 1) {
        this.compare(before[0], after[0], schema.item, at);
      } else if (before.length >= 2 && after.length >= 2) {
        if (!deepEqual(before, after)) this.modified.insert(at);
      } else if (before.length >= 2) {
        if (after.length > 0) this.compare(undefined, after[0], schema.item, at);
        this.removed.insert(at);
      } else {
        if (before.length > 0) this.compare(before[0], undefined, schema.item, at);
        this.added.insert(at);
      }
    }
  }
}

function groupItems(list: unknown, schema: ListSchema): Map<string, unknown[]> {
  return Map.groupBy(Array.isArray(list) ? list : [], (item) => itemElement(schema, item));
}

function hollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return !isPlainObject(value) || Object.keys(value).length === 0;
}

export function compareTrees(left: unknown, right: unknown, schema: ApplySchema): Comparison {
  const comparer = new Comparer();
  comparer.compare(left, right, schema, []);
  return {
    added: comparer.added.build(),
    modified: comparer.modified.build(),
    removed: comparer.removed.build(),
  };
}

/** The tree without the members of the set; undefined when nothing is left. */
export function removeItems(value: unknown, set: FieldSet, declared: ApplySchema): unknown {
  const schema = resolveSchema(declared, value);
  if (schema.kind === "map" && isPlainObject(value)) {
    return schema.atomic ? undefined : removeMembers(value, set, schema);
  }
  if (schema.kind === "list" && Array.isArray(value)) {
    return schema.relation === "atomic" ? undefined : removeListItems(value, set, schema);
  }
  return schema.kind === "scalar" ? value : undefined;
}

function removeMembers(value: Tree, set: FieldSet, schema: MapSchema): unknown {
  const out: Tree = {};
  let count = 0;
  for (const [key, member] of Object.entries(value)) {
    const element = fieldElement(key);
    if (member === undefined || set.members.has(element)) continue;
    const below = set.below(element);
    const kept = below.isEmpty() ? member : removeItems(member, below, childSchema(schema, key));
    setMember(out, key, kept ?? null);
    count++;
  }
  return count > 0 ? out : undefined;
}

function removeListItems(value: unknown[], set: FieldSet, schema: ListSchema): unknown {
  const out: unknown[] = [];
  for (const item of value) {
    const element = itemElement(schema, item);
    if (set.members.has(element)) continue;
    const below = set.below(element);
    out.push(below.isEmpty() ? item : (removeItems(item, below, schema.item) ?? null));
  }
  return out.length > 0 ? out : undefined;
}

/** Named fields on the way to a member become members themselves. */
export function withNamedFields(set: FieldSet, schema: ApplySchema): FieldSet {
  const members = new Set(set.members);
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    let inner: ApplySchema = untypedSchema;
    if (element.startsWith("f:") && schema.kind === "map") {
      const name = element.slice(2);
      if (schema.field(name) !== undefined) members.add(element);
      inner = childSchema(schema, name);
    } else if (schema.kind === "list") {
      inner = schema.item;
    }
    children.set(element, withNamedFields(child, inner));
  }
  return members.size + children.size === 0 ? emptySet : new FieldSet(members, children);
}
