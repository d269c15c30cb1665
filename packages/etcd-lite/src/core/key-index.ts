/**
 * Which record is the newest version of a key? A sorted map from keys to references, of which a
 * fork costs one pointer: a B-tree, copied on write, that also knows how many keys live.
 *
 * A negative reference is that of a tombstone: the key is known, and dead. Each branch holds the
 * number of live keys below it, so that counting a span does not visit it.
 *
 * Shapes  leaf    keys[i] → refs[i]
 *         branch  children[i] holds the keys k with keys[i-1] <= k < keys[i]
 * Units   at most 64 entries a node
 */
import type { KeySpan } from "./key-value.ts";
import { lowerBound, upperBound } from "./sorted-keys.ts";

interface Leaf {
  readonly leaf: true;
  owner: object;
  live: number;
  keys: string[];
  refs: number[];
}

interface Branch {
  readonly leaf: false;
  owner: object;
  live: number;
  /** Separators: one fewer than children. */
  keys: string[];
  children: Node[];
}

type Node = Leaf | Branch;

const entriesMax = 64;

/** Called with each entry in order; true stops. */
export type VisitRef = (ref: number, key: string) => boolean;

export class KeyIndex {
  #owner: object = {};
  #root: Node;
  #size = 0;
  /** How the last change changed the number of live keys. */
  #delta = 0;

  constructor() {
    this.#root = { leaf: true, owner: this.#owner, live: 0, keys: [], refs: [] };
  }

  /** Dead keys too. */
  get size(): number {
    return this.#size;
  }

  fork(): KeyIndex {
    const copy = new KeyIndex();
    copy.#root = this.#root;
    copy.#size = this.#size;
    this.#owner = {};
    return copy;
  }

  /** 0: the key is not known. */
  get(key: string): number {
    let node = this.#root;
    while (!node.leaf) node = node.children[upperBound(node.keys, key)]!;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.refs[at]! : 0;
  }

  set(key: string, ref: number): void {
    this.#root = this.#own(this.#root);
    this.#delta = 0;
    const split = this.#insert(this.#root, key, ref);
    if (split === undefined) return;
    const children = [this.#root, split.right];
    const live = this.#root.live + split.right.live;
    this.#root = { leaf: false, owner: this.#owner, live, keys: [split.key], children };
  }

  delete(key: string): void {
    const ref = this.get(key);
    if (ref === 0) return;
    this.#root = this.#own(this.#root);
    this.#remove(this.#root, key, ref > 0 ? 1 : 0);
    while (!this.#root.leaf && this.#root.children.length === 1) {
      this.#root = this.#root.children[0]!;
    }
    this.#size--;
  }

  /** Entries with from <= key < to (to undefined: no end), dead ones too. */
  visit(from: string, to: string | undefined, visit: VisitRef): void {
    visitNode(this.#root, from, to, visit);
  }

  /** All references in the order of their keys. Meant for forks that nobody changes meanwhile. */
  refs(): Iterable<number> {
    return refsOf(this.#root);
  }

  /** How many live keys there are with from <= key < to. */
  count(from: string, to: string | undefined): number {
    if (to !== undefined && to <= from) return 0;
    return countNode(this.#root, from, to);
  }

  #own<N extends Node>(node: N): N {
    if (node.owner === this.#owner) return node;
    const { live } = node;
    const keys = node.keys.slice();
    return (
      node.leaf
        ? { leaf: true, owner: this.#owner, live, keys, refs: node.refs.slice() }
        : { leaf: false, owner: this.#owner, live, keys, children: node.children.slice() }
    ) as N;
  }

  #insert(node: Node, key: string, ref: number): { key: string; right: Node } | undefined {
    if (node.leaf) return this.#insertLeaf(node, key, ref);
    const at = upperBound(node.keys, key);
    const child = this.#own(node.children[at]!);
    node.children[at] = child;
    const split = this.#insert(child, key, ref);
    node.live += this.#delta;
    if (split === undefined) return undefined;
    node.keys.splice(at, 0, split.key);
    node.children.splice(at + 1, 0, split.right);
    return node.children.length > entriesMax ? this.#splitBranch(node) : undefined;
  }

  #insertLeaf(node: Leaf, key: string, ref: number): { key: string; right: Node } | undefined {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] === key) {
      this.#delta = (ref > 0 ? 1 : 0) - (node.refs[at]! > 0 ? 1 : 0);
      node.live += this.#delta;
      node.refs[at] = ref;
      return undefined;
    }
    this.#delta = ref > 0 ? 1 : 0;
    node.live += this.#delta;
    node.keys.splice(at, 0, key);
    node.refs.splice(at, 0, ref);
    this.#size++;
    return node.keys.length > entriesMax ? this.#splitLeaf(node, at) : undefined;
  }

  #splitLeaf(node: Leaf, at: number): { key: string; right: Node } {
    // Keys that only grow would leave half-empty leaves behind: then the left one stays full.
    const middle = at === node.keys.length - 1 ? entriesMax - 2 : entriesMax >> 1;
    const keys = node.keys.splice(middle);
    const refs = node.refs.splice(middle);
    const live = refs.reduce((sum, ref) => sum + (ref > 0 ? 1 : 0), 0);
    node.live -= live;
    // What was cut keeps the room it had: copies are exact.
    node.keys = node.keys.slice();
    node.refs = node.refs.slice();
    return { key: keys[0]!, right: { leaf: true, owner: this.#owner, live, keys, refs } };
  }

  #splitBranch(node: Branch): { key: string; right: Node } {
    const middle = entriesMax >> 1;
    const keys = node.keys.splice(middle);
    const children = node.children.splice(middle + 1);
    const live = children.reduce((sum, child) => sum + child.live, 0);
    node.live -= live;
    const key = keys.shift()!;
    return { key, right: { leaf: false, owner: this.#owner, live, keys, children } };
  }

  #remove(node: Node, key: string, live: number): void {
    node.live -= live;
    if (node.leaf) {
      const at = lowerBound(node.keys, key);
      node.keys.splice(at, 1);
      node.refs.splice(at, 1);
      return;
    }
    const at = upperBound(node.keys, key);
    const child = this.#own(node.children[at]!);
    node.children[at] = child;
    this.#remove(child, key, live);
    if (sizeOf(child) < entriesMax >> 2) this.#mergeAround(node, at);
  }

  /** A child that became small joins a neighbour when both fit into most of a node. */
  #mergeAround(parent: Branch, at: number): void {
    const left = at > 0 ? at - 1 : at;
    const [a, b] = [parent.children[left], parent.children[left + 1]];
    if (a === undefined || b === undefined) return;
    if (sizeOf(a) + sizeOf(b) > (entriesMax * 3) >> 2) return;
    const target = this.#own(a);
    target.live += b.live;
    if (target.leaf && b.leaf) {
      target.keys.push(...b.keys);
      target.refs.push(...b.refs);
    } else if (!target.leaf && !b.leaf) {
      target.keys.push(parent.keys[left]!, ...b.keys);
      target.children.push(...b.children);
    }
    parent.children.splice(left, 2, target);
    parent.keys.splice(left, 1);
  }
}

/** A scan ends early where most keys are not to be seen. */
const visitedPerFound = 4;

/** The first `limit` references of a span that `see` gives for the newest of a key; 0: none. */
export function scanKeys(
  index: KeyIndex,
  { key, end, limit = Infinity }: KeySpan & { readonly limit?: number },
  see: (newest: number) => number,
): { readonly refs: readonly number[]; readonly next: string | undefined } {
  const refs: number[] = [];
  let visited = 0;
  let next: string | undefined;
  index.visit(key, end === "" ? undefined : end, (newest, found) => {
    if (refs.length >= limit || visited++ >= limit * visitedPerFound) {
      next = found;
      return true;
    }
    const ref = see(newest);
    if (ref !== 0) refs.push(ref);
    return false;
  });
  return { refs, next };
}

function* refsOf(node: Node): Iterable<number> {
  if (node.leaf) yield* node.refs;
  else for (const child of node.children) yield* refsOf(child);
}

function sizeOf(node: Node): number {
  return node.leaf ? node.keys.length : node.children.length;
}

function visitNode(node: Node, from: string, to: string | undefined, visit: VisitRef): boolean {
  if (node.leaf) {
    for (let i = lowerBound(node.keys, from); i < node.keys.length; i++) {
      const key = node.keys[i]!;
      if (to !== undefined && key >= to) return true;
      if (visit(node.refs[i]!, key)) return true;
    }
    return false;
  }
  for (let i = upperBound(node.keys, from); i < node.children.length; i++) {
    if (i > 0 && to !== undefined && node.keys[i - 1]! >= to) return true;
    if (visitNode(node.children[i]!, from, to, visit)) return true;
  }
  return false;
}

/** `from` undefined: from the first key on; only the two edges of the span are looked into. */
function countNode(node: Node, from: string | undefined, to: string | undefined): number {
  if (from === undefined && to === undefined) return node.live;
  const first =
    from === undefined ? 0 : node.leaf ? lowerBound(node.keys, from) : upperBound(node.keys, from);
  if (node.leaf) {
    const end = to === undefined ? node.keys.length : lowerBound(node.keys, to);
    let count = 0;
    for (let i = first; i < end; i++) if (node.refs[i]! > 0) count++;
    return count;
  }
  const last = to === undefined ? node.children.length - 1 : upperBound(node.keys, to);
  if (first === last) return countNode(node.children[first]!, from, to);
  let count = countNode(node.children[first]!, from, undefined);
  for (let i = first + 1; i < last; i++) count += node.children[i]!.live;
  return count + countNode(node.children[last]!, undefined, to);
}
