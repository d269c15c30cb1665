/**
 * Sets of paths into an object: who owns what.
 *
 * A set is a tree. A path can be a member and have members below it: owning a map's entry and
 * owning its fields differ. Sets are values: operations give new ones.
 *
 * Shapes  toFieldsV1()    {"f:spec":{"f:replicas":{}}}; a member with something below it has
 *                         ".":{} there
 *         fromFieldsV1(o) the other way; throws on malformed input
 * Source  sigs.k8s.io/structured-merge-diff/v6 fieldpath/set.go, serialize.go
 */
import { isPlainObject } from "../json-tree.ts";
import { compareElements, fieldElement, formatElement, normalizeElement } from "./path-element.ts";

export type FieldsV1 = { [element: string]: FieldsV1 };
export type Path = readonly string[];

/** Shared by the many sets that are leaves; nobody writes to a set once it is made. */
const noMembers: ReadonlySet<string> = new Set();
const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export class FieldSet {
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;

  constructor(
    members: ReadonlySet<string> = noMembers,
    children: ReadonlyMap<string, FieldSet> = noChildren,
  ) {
    this.members = members;
    this.children = children;
  }

  static of(paths: Iterable<Path>): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  /** Paths of plain field names: ["metadata", "name"]. */
  static ofFields(paths: Iterable<readonly string[]>): FieldSet {
    return FieldSet.of([...paths].map((path) => path.map(fieldElement)));
  }

  isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty()) return false;
    return true;
  }

  has(path: Path): boolean {
    let set: FieldSet | undefined = this;
    for (const element of path.slice(0, -1)) set = set?.children.get(element);
    return set?.members.has(path.at(-1)!) ?? false;
  }

  /** What lies below a step. */
  below(element: string): FieldSet {
    return this.children.get(element) ?? emptySet;
  }

  /** Nothing at all: operations with such a set need not walk the other one. */
  get #isBare(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  union(other: FieldSet): FieldSet {
    if (other.#isBare) return this;
    if (this.#isBare) return other;
    const children = new Map(this.children);
    for (const [element, child] of other.children) {
      const own = children.get(element);
      children.set(element, own === undefined ? child : own.union(child));
    }
    return new FieldSet(this.members.union(other.members), children);
  }

  intersection(other: FieldSet): FieldSet {
    if (other.#isBare || this.#isBare) return emptySet;
    const children = this.#combine((child, element) => {
      const theirs = other.children.get(element);
      return theirs === undefined ? emptySet : child.intersection(theirs);
    });
    return new FieldSet(this.members.intersection(other.members), children);
  }

  /** Without the members of the other; a member there leaves what is below it here. */
  difference(other: FieldSet): FieldSet {
    if (other.#isBare) return this;
    const children = this.#combine((child, element) => {
      const theirs = other.children.get(element);
      return theirs === undefined ? child : child.difference(theirs);
    });
    return new FieldSet(this.members.difference(other.members), children);
  }

  /** Without the members of the other and everything below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.#isBare) return this;
    const children = this.#combine((child, element) => {
      if (other.members.has(element)) return emptySet;
      const theirs = other.children.get(element);
      return theirs === undefined ? child : child.recursiveDifference(theirs);
    });
    return new FieldSet(this.members.difference(other.members), children);
  }

  #combine(fn: (child: FieldSet, element: string) => FieldSet): Map<string, FieldSet> {
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.children) {
      const result = fn(child, element);
      if (!result.isEmpty()) children.set(element, result);
    }
    return children;
  }

  /** Every member, a level's own before what is below, sorted. */
  *paths(prefix: Path = []): Generator<Path> {
    for (const element of [...this.members].sort(compareElements)) yield [...prefix, element];
    for (const element of [...this.children.keys()].sort(compareElements)) {
      yield* this.children.get(element)!.paths([...prefix, element]);
    }
  }

  toFieldsV1(): FieldsV1 {
    const out: FieldsV1 = {};
    const elements = new Set([...this.members, ...this.children.keys()]);
    for (const element of [...elements].sort(compareElements)) {
      const child = this.children.get(element);
      const below = child === undefined || child.isEmpty() ? {} : child.toFieldsV1();
      const isMember = this.members.has(element);
      if (!isMember && Object.keys(below).length === 0) continue;
      const both = isMember && Object.keys(below).length > 0;
      out[element] = both ? { ".": {}, ...below } : below;
    }
    return out;
  }

  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isPlainObject(fields)) throw new Error("fieldsV1 must be an object");
    const members = new Set<string>();
    const children = new Map<string, FieldSet>();
    for (const [text, value] of Object.entries(fields)) {
      if (text === ".") continue;
      const element = normalizeElement(text);
      if (!isPlainObject(value)) throw new Error(`value of ${text} must be an object`);
      const keys = Object.keys(value);
      if (keys.length === 0 || Object.hasOwn(value, ".")) members.add(element);
      const child = FieldSet.fromFieldsV1(value);
      if (!child.isEmpty()) children.set(element, child);
    }
    return new FieldSet(members, children);
  }
}

export const emptySet: FieldSet = new FieldSet();

export function formatPath(path: Path): string {
  return path.map(formatElement).join("");
}

/** Collects paths while something is walked. */
export class FieldSetBuilder {
  readonly #members = new Set<string>();
  readonly #children = new Map<string, FieldSetBuilder>();

  insert(path: Path): void {
    if (path.length === 0) return;
    let at: FieldSetBuilder = this;
    for (let i = 0; i < path.length - 1; i++) {
      const element = path[i]!;
      let next = at.#children.get(element);
      if (next === undefined) {
        next = new FieldSetBuilder();
        at.#children.set(element, next);
      }
      at = next;
    }
    at.#members.add(path.at(-1)!);
  }

  build(): FieldSet {
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.#children) children.set(element, child.build());
    return new FieldSet(this.#members, children);
  }
}
