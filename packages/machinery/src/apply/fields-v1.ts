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
import { isEmptyObject, isPlainObject } from "../json-tree.ts";
import { compareElements, fieldElement, formatElement, normalizeElement } from "./path-element.ts";

export type FieldsV1 = { [element: string]: FieldsV1 };
export type Path = readonly string[];

/** Shared by the many sets that are leaves; nobody writes to a set once it is made. */
const noMembers: ReadonlySet<string> = new Set();
const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export class FieldSet {
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;
  /** What the set was read from, if writing it would give the same. */
  #source: FieldsV1 | undefined;

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
    if (this.#isBare) return other;
    // Most writes change what their manager owns already: the set stays the one it was.
    if (other.#isWithin(this)) return this;
    const children = new Map(this.children);
    for (const [element, child] of other.children) {
      const own = children.get(element);
      children.set(element, own === undefined ? child : own.union(child));
    }
    return new FieldSet(this.members.union(other.members), children);
  }

  #isWithin(other: FieldSet): boolean {
    for (const element of this.members) if (!other.members.has(element)) return false;
    for (const [element, child] of this.children) {
      if (!child.#isWithin(other.below(element))) return false;
    }
    return true;
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
    const source = this.#source;
    // Nobody owns the whole object; a place below has its own "." there.
    return source === undefined || Object.hasOwn(source, ".") ? this.#write({}) : source;
  }

  #write(out: FieldsV1): FieldsV1 {
    for (const element of this.#sorted()) {
      const child = this.children.get(element);
      const isMember = this.members.has(element);
      if (child === undefined || child.isEmpty()) {
        if (isMember) out[element] = {};
      } else out[element] = child.#below(isMember);
    }
    return out;
  }

  /** A place and what is below it. */
  #below(isMember: boolean): FieldsV1 {
    const source = this.#source;
    if (source !== undefined && Object.hasOwn(source, ".") === isMember) return source;
    return this.#write(isMember ? { ".": {} } : {});
  }

  #sorted(): string[] {
    const elements = [...this.members];
    for (const element of this.children.keys()) {
      if (!this.members.has(element)) elements.push(element);
    }
    return sortElements(elements);
  }

  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isPlainObject(fields)) throw new Error("fieldsV1 must be an object");
    const texts = Object.keys(fields);
    if (texts.length === 0) return emptySet;
    const members = new Set<string>();
    let children: Map<string, FieldSet> | undefined;
    let isAsWritten = true;
    let last: string | undefined;
    for (const text of texts) {
      if (text === ".") {
        if (last !== undefined || !isEmptyObject(fields["."])) isAsWritten = false;
        continue;
      }
      const element = normalizeElement(text);
      const isNext = last === undefined || compareElements(last, element) < 0;
      if (element !== text || !isNext) isAsWritten = false;
      last = element;
      const value = fields[text];
      if (!isPlainObject(value)) throw new Error(`value of ${text} must be an object`);
      const child = FieldSet.fromFieldsV1(value);
      if (child === emptySet || Object.hasOwn(value, ".")) members.add(element);
      if (child !== emptySet && child.#source === undefined) isAsWritten = false;
      if (child.isEmpty()) continue;
      children ??= new Map();
      children.set(element, child);
    }
    const set = new FieldSet(members, children);
    if (isAsWritten && !set.#isBare) set.#source = fields as FieldsV1;
    return set;
  }
}

/** Brings steps into the order of fieldsV1, in place. */
export function sortElements(elements: string[]): string[] {
  if (elements.length < 2) return elements;
  // Fields have one lead, and their order is that of the texts.
  const areFields = elements.every((element) => element.startsWith("f:"));
  return areFields ? elements.sort() : elements.sort(compareElements);
}

export const emptySet: FieldSet = new FieldSet();

export function formatPath(path: Path): string {
  return path.map(formatElement).join("");
}

/** The way to a value while something is walked, from the end; undefined is the root. */
export interface Place {
  readonly above: Place | undefined;
  readonly element: string;
}

/** Collects paths while something is walked. */
export class FieldSetBuilder {
  #members: Set<string> | undefined;
  #children: Map<string, FieldSetBuilder> | undefined;

  insert(path: Path): void {
    if (path.length === 0) return;
    let at: FieldSetBuilder = this;
    for (const element of path.slice(0, -1)) at = at.below(element);
    at.add(path.at(-1)!);
  }

  /** As insert; nobody can own the root. */
  insertAt(place: Place | undefined): void {
    if (place !== undefined) this.at(place.above).add(place.element);
  }

  at(place: Place | undefined): FieldSetBuilder {
    return place === undefined ? this : this.at(place.above).below(place.element);
  }

  add(element: string): void {
    this.#members ??= new Set();
    this.#members.add(element);
  }

  below(element: string): FieldSetBuilder {
    this.#children ??= new Map();
    let child = this.#children.get(element);
    if (child === undefined) {
      child = new FieldSetBuilder();
      this.#children.set(element, child);
    }
    return child;
  }

  build(): FieldSet {
    if (this.#children === undefined) {
      return this.#members === undefined ? emptySet : new FieldSet(this.#members);
    }
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.#children) {
      const built = child.build();
      if (built !== emptySet) children.set(element, built);
    }
    if (children.size === 0 && this.#members === undefined) return emptySet;
    return new FieldSet(this.#members, children);
  }
}
