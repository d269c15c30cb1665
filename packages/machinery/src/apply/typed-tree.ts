/**
 * Trees under an apply schema: their field sets, their differences, their merge, and what is
 * left when paths go.
 *
 * Absent is `undefined`; null is a value of its own, as in upstream.
 *
 * Source  sigs.k8s.io/structured-merge-diff/v6 typed/tofieldset.go, compare.go, remove.go,
 *         helpers.go
 */
import { deepEqual, isEmptyObject, isPlainObject, setMember } from "../json-tree.ts";
import {
  type ApplySchema,
  type ListSchema,
  type MapSchema,
  resolveSchema,
  untypedSchema,
} from "./apply-schema.ts";
import { emptySet, FieldSet, FieldSetBuilder, type Place } from "./fields-v1.ts";
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

/** Every path that an object sets. */
export function fieldSetOf(value: unknown, schema: ApplySchema): FieldSet {
  const builder = new FieldSetBuilder();
  collect(value, schema, undefined, builder);
  return builder.build();
}

function collect(
  value: unknown,
  declared: ApplySchema,
  place: Place | undefined,
  out: FieldSetBuilder,
): void {
  const schema = resolveSchema(declared, value);
  if (schema.kind === "map") {
    if (schema.atomic) out.insertAt(place);
    else if (isPlainObject(value)) {
      for (const key of Object.keys(value)) {
        const member = value[key];
        if (member === undefined) continue;
        const at = { above: place, element: fieldElement(key) };
        collect(member, childSchema(schema, key), at, out);
        const owned = member === null || isEmptyObject(member) || schema.field(key) === undefined;
        if (owned) out.insertAt(at);
      }
    }
  } else if (schema.kind === "list") {
    if (schema.relation === "atomic") out.insertAt(place);
    else if (Array.isArray(value)) collectItems(value, schema, place, out);
  } else {
    out.insertAt(place);
  }
}

function collectItems(
  list: unknown[],
  schema: ListSchema,
  place: Place | undefined,
  out: FieldSetBuilder,
): void {
  for (const [element, items] of groupItems(list, schema)) {
    const at = { above: place, element };
    if (items.length === 1) collect(items[0], schema.item, at, out);
    out.insertAt(at);
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

  compare(left: unknown, right: unknown, declared: ApplySchema, place: Place | undefined): void {
    if (place !== undefined && left === undefined) {
      addAll(right, declared, this.added.at(place.above), place.element);
      return;
    }
    if (place !== undefined && right === undefined) {
      addAll(left, declared, this.removed.at(place.above), place.element);
      return;
    }
    const schema = resolveSchema(declared, right ?? left);
    if (isLeaf(schema, left, right)) {
      if (!deepEqual(left, right)) this.modified.insertAt(place);
    } else if (schema.kind === "map") this.#members(left, right, schema, place);
    else if (schema.kind === "list") this.#items(left, right, schema, place);
  }

  #members(left: unknown, right: unknown, schema: MapSchema, place: Place | undefined): void {
    const l = isPlainObject(left) ? left : {};
    const r = isPlainObject(right) ? right : {};
    for (const key of Object.keys(r)) {
      this.#member(key, Object.hasOwn(l, key) ? l[key] : undefined, r[key], schema, place);
    }
    for (const key of Object.keys(l)) {
      if (!Object.hasOwn(r, key)) this.#member(key, l[key], undefined, schema, place);
    }
  }

  #member(
    key: string,
    before: unknown,
    after: unknown,
    schema: MapSchema,
    place: Place | undefined,
  ): void {
    // Most members are texts and numbers that nobody changed.
    if (before === after && typeof before !== "object") return;
    const at = { above: place, element: fieldElement(key) };
    this.compare(before, after, childSchema(schema, key), at);
  }

  #items(left: unknown, right: unknown, schema: ListSchema, place: Place | undefined): void {
    // Cheaper than to tell the items apart, which most changes leave alone.
    if (deepEqual(left, right)) return;
    const l = groupItems(left, schema);
    const r = groupItems(right, schema);
    for (const element of new Set([...l.keys(), ...r.keys()])) {
      const before = l.get(element) ?? [];
      const after = r.get(element) ?? [];
      const at = { above: place, element };
      if (before.length <= 1 && after.length <= 1) {
        this.compare(before[0], after[0], schema.item, at);
      } else if (before.length >= 2 && after.length >= 2) {
        if (!deepEqual(before, after)) this.modified.insertAt(at);
      } else if (before.length >= 2) {
        if (after.length > 0) this.compare(undefined, after[0], schema.item, at);
        this.removed.insertAt(at);
      } else {
        if (before.length > 0) this.compare(before[0], undefined, schema.item, at);
        this.added.insertAt(at);
      }
    }
  }
}

/** Owned as a whole, or with nothing below that could be owned. */
export function isLeaf(schema: ApplySchema, left: unknown, right: unknown): boolean {
  if (schema.kind === "map") return schema.atomic || (hollow(left) && hollow(right));
  if (schema.kind !== "list") return true;
  return schema.relation === "atomic" || (hollow(left) && hollow(right));
}

/** A value that only one side has: it and all that is below it. */
function addAll(
  value: unknown,
  declared: ApplySchema,
  into: FieldSetBuilder,
  element: string,
): void {
  into.add(element);
  const schema = resolveSchema(declared, value);
  if (isLeaf(schema, undefined, value)) return;
  const below = into.below(element);
  if (schema.kind === "map") {
    const tree = value as Tree;
    for (const key of Object.keys(tree)) {
      if (tree[key] === undefined) continue;
      addAll(tree[key], childSchema(schema, key), below, fieldElement(key));
    }
  } else if (schema.kind === "list") {
    for (const [item, same] of groupItems(value, schema)) {
      if (same.length === 1) addAll(same[0], schema.item, below, item);
      else below.add(item);
    }
  }
}

/** Items by the step to them: more than one to a step where they cannot be told apart. */
export function groupItems(list: unknown, schema: ListSchema): Map<string, unknown[]> {
  return Map.groupBy(Array.isArray(list) ? list : [], (item) => itemElement(schema, item));
}

function hollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return !isPlainObject(value) || isEmptyObject(value);
}

export function compareTrees(left: unknown, right: unknown, schema: ApplySchema): Comparison {
  const comparer = new Comparer();
  comparer.compare(left, right, schema, undefined);
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
