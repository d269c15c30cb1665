/**
 * What the creator of an object owns: all that was not there before it said a word.
 *
 * The most frequent write of a cluster, and the one with nobody to take fields from: one walk
 * writes fieldsV1 as it goes, where every other write compares sets (updater.ts), which say the
 * same.
 *
 * Shapes  before   the object with nothing set: Go's zero struct, {} for a custom resource
 *         after    the object, canonical
 *         result   fieldsV1; undefined when nothing is owned
 * Errors  TypedTreeError: items of a list that cannot be told apart
 * Source  sigs.k8s.io/structured-merge-diff/v6 typed/compare.go, fieldpath/set.go
 */
import { deepEqual, isEmptyObject, isPlainObject, sortedKeys } from "../json-tree.ts";
import {
  type ApplySchema,
  type ListSchema,
  type MapSchema,
  resolveSchema,
} from "./apply-schema.ts";
import { emptySet, type FieldSet, type FieldsV1, sortElements } from "./fields-v1.ts";
import { fieldElement } from "./path-element.ts";
import { childSchema, groupItems, isLeaf, type Tree } from "./typed-tree.ts";

export interface Exempt {
  /** Not owned, nor what is below them: what this endpoint resets. */
  reset: FieldSet;
  /** Not owned themselves. */
  unowned: FieldSet;
}

export function ownedByCreator(
  before: Tree,
  after: Tree,
  schema: MapSchema,
  { reset, unowned }: Exempt,
): FieldsV1 | undefined {
  const owned = membersSince(before, after, schema);
  const kept = owned === undefined ? undefined : without(owned, reset, true);
  return kept === undefined ? undefined : without(kept, unowned, false);
}

/** Shared by all that own nothing below themselves; nobody writes to it. */
const itself: FieldsV1 = Object.freeze({});

/** What is owned at and below a value; undefined when it is as before. */
function ownedSince(before: unknown, after: unknown, declared: ApplySchema): FieldsV1 | undefined {
  if (after === undefined) return undefined;
  if (before === undefined) return whole(after, declared);
  const schema = resolveSchema(declared, after);
  if (isLeaf(schema, before, after)) return deepEqual(before, after) ? undefined : itself;
  if (schema.kind === "map") return membersSince(before, after, schema);
  return schema.kind === "list" ? itemsSince(after, schema) : undefined;
}

function membersSince(before: unknown, after: unknown, schema: MapSchema): FieldsV1 | undefined {
  const left = isPlainObject(before) ? before : {};
  const right = isPlainObject(after) ? after : {};
  const out: FieldsV1 = {};
  let isEmpty = true;
  for (const { name, element, below } of stepsOf(right, schema)) {
    const was = Object.hasOwn(left, name) ? left[name] : undefined;
    const is = right[name];
    if (was === is && typeof is !== "object") continue;
    const owned = ownedSince(was, is, below);
    if (owned === undefined) continue;
    out[element] = owned;
    isEmpty = false;
  }
  return isEmpty ? undefined : out;
}

/** Before there was no item of any list. */
function itemsSince(after: unknown, schema: ListSchema): FieldsV1 | undefined {
  const out: FieldsV1 = {};
  const isOwned = addItems(out, after, schema);
  return isOwned ? out : undefined;
}

function addItems(out: FieldsV1, list: unknown, schema: ListSchema): boolean {
  const groups = groupItems(list, schema);
  for (const element of sortElements([...groups.keys()])) {
    const same = groups.get(element)!;
    out[element] = same.length === 1 ? whole(same[0], schema.item) : itself;
  }
  return groups.size > 0;
}

/** A value that nobody had set: it, and all below it. */
function whole(value: unknown, declared: ApplySchema): FieldsV1 {
  const schema = resolveSchema(declared, value);
  if (isLeaf(schema, undefined, value)) return itself;
  const out: FieldsV1 = { ".": itself };
  if (schema.kind === "list") addItems(out, value, schema);
  else if (schema.kind === "map") {
    const tree = value as Tree;
    for (const { name, element, below } of stepsOf(tree, schema)) {
      if (tree[name] !== undefined) out[element] = whole(tree[name], below);
    }
  }
  return out;
}

/** A step from a map to one of its members. */
interface Step {
  readonly name: string;
  readonly element: string;
  readonly below: ApplySchema;
}

const stepOf = (name: string, schema: MapSchema): Step => ({
  name,
  element: fieldElement(name),
  below: childSchema(schema, name),
});

/** Objects of a kind mostly set the same fields: their order is found once. */
const known = new WeakMap<MapSchema, Map<string, readonly Step[]>>();
const maxKnown = 64;
const plainName = /^\w+$/;

/** The members of a map in the order of fieldsV1. */
function stepsOf(tree: Tree, schema: MapSchema): readonly Step[] {
  if (schema.element !== undefined) return sortedKeys(tree).map((name) => stepOf(name, schema));
  const names = Object.keys(tree);
  let plans = known.get(schema);
  if (plans === undefined) {
    plans = new Map();
    known.set(schema, plans);
  }
  const key = names.join();
  const plan = plans.get(key);
  // A name with a comma in it would be fewer names.
  if (plan?.length === names.length) return plan;
  const steps = names.sort().map((name) => stepOf(name, schema));
  if (plans.size < maxKnown && names.every((name) => plainName.test(name))) plans.set(key, steps);
  return steps;
}

/** Whether a place is owned itself, beside what is below it. */
function isMember(fields: FieldsV1): boolean {
  return Object.hasOwn(fields, ".") || isEmptyObject(fields);
}

/**
 * What is owned below a place, without the members of the set and, `andBelow`, without what is
 * below those.
 */
function without(fields: FieldsV1, set: FieldSet, andBelow: boolean): FieldsV1 | undefined {
  const out: FieldsV1 = {};
  let isEmpty = true;
  for (const element of Object.keys(fields)) {
    if (element === ".") continue;
    const owned = fields[element]!;
    const isTaken = set.members.has(element);
    const below = set.children.get(element);
    if (!isTaken && below === undefined) {
      out[element] = owned;
    } else {
      if (isTaken && andBelow) continue;
      const left = without(owned, below ?? emptySet, andBelow);
      const isOwned = isMember(owned) && !isTaken;
      if (left === undefined && !isOwned) continue;
      if (left === undefined) out[element] = itself;
      else out[element] = isOwned ? { ".": itself, ...left } : left;
    }
    isEmpty = false;
  }
  return isEmpty ? undefined : out;
}
