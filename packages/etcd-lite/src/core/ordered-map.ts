/**
 * A sorted map from text keys to values, of which a fork costs one pointer: a
 * B-tree, copied on write.
 *
 * Every node knows who may change it (`owner`). fork() gives both maps new owners, so that each of
 * them copies the nodes on its way before its first change there; without forks nothing is copied.
 *
 * Shapes  leaf    keys[i] → values[i]
 *         branch  children[i] holds the keys k with keys[i-1] <= k < keys[i]
 * Units   at most 64 entries a node
 */
import { lowerBound, upperBound } from "./sorted-keys.ts";

type Owner = object;

interface Leaf<V> {
  readonly leaf: true;
  owner: Owner;
  keys: string[];
  values: V[];
}

interface Branch<V> {
  readonly leaf: false;
  owner: Owner;
  /** Separators: one fewer than children. */
  keys: string[];
  children: Node<V>[];
}

type Node<V> = Leaf<V> | Branch<V>;

const entriesMax = 64;

export class OrderedMap<V> {
  #root: Node<V>;
  #owner: Owner = {};
  #size = 0;

  constructor() {
    this.#root = { leaf: true, owner: this.#owner, keys: [], values: [] };
  }

  get size(): number {
    return this.#size;
  }

  fork(): OrderedMap<V> {
    const copy = new OrderedMap<V>();
    copy.#root = this.#root;
    copy.#size = this.#size;
    this.#owner = {};
    return copy;
  }

  get(key: string): V | undefined {
    let node = this.#root;
    while (!node.leaf) node = node.children[upperBound(node.keys, key)]!;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.values[at] : undefined;
  }

  set(key: string, value: V): void {
    this.#root = this.#own(this.#root);
    const split = this.#insert(this.#root, key, value);
    if (split === undefined) return;
    const children = [this.#root, split.right];
    this.#root = { leaf: false, owner: this.#owner, keys: [split.key], children };
  }

  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    this.#root = this.#own(this.#root);
    this.#remove(this.#root, key);
    while (!this.#root.leaf && this.#root.children.length === 1) {
      this.#root = this.#root.children[0]!;
    }
    this.#size--;
    return true;
  }

  /** Calls `visit` for every entry with from <= key < to (to undefined: no end); true stops. */
  visit(from: string, to: string | undefined, visit: (value: V, key: string) => boolean): void {
    visitNode(this.#root, from, to, visit);
  }

  /** All values in key order. Meant for forks that nobody changes meanwhile. */
  values(): Iterable<V> {
    return valuesOf(this.#root);
  }

  #own(node: Node<V>): Node<V> {
    if (node.owner === this.#owner) return node;
    const keys = node.keys.slice();
    return node.leaf
      ? { leaf: true, owner: this.#owner, keys, values: node.values.slice() }
      : { leaf: false, owner: this.#owner, keys, children: node.children.slice() };
  }

  #insert(node: Node<V>, key: string, value: V): { key: string; right: Node<V> } | undefined {
    if (node.leaf) {
      const at = lowerBound(node.keys, key);
      if (node.keys[at] === key) {
        node.values[at] = value;
        return undefined;
      }
      node.keys.splice(at, 0, key);
      node.values.splice(at, 0, value);
      this.#size++;
      return node.keys.length > entriesMax ? this.#splitLeaf(node, at) : undefined;
    }
    const at = upperBound(node.keys, key);
    const child = this.#own(node.children[at]!);
    node.children[at] = child;
    const split = this.#insert(child, key, value);
    if (split === undefined) return undefined;
    node.keys.splice(at, 0, split.key);
    node.children.splice(at + 1, 0, split.right);
    return node.children.length > entriesMax ? this.#splitBranch(node) : undefined;
  }

  #splitLeaf(node: Leaf<V>, at: number): { key: string; right: Node<V> } {
    // Keys that only grow would leave half-empty leaves behind: then the left one stays full.
    const middle = at === node.keys.length - 1 ? entriesMax - 2 : entriesMax >> 1;
    const keys = node.keys.splice(middle);
    const values = node.values.splice(middle);
    return { key: keys[0]!, right: { leaf: true, owner: this.#owner, keys, values } };
  }

  #splitBranch(node: Branch<V>): { key: string; right: Node<V> } {
    const middle = entriesMax >> 1;
    const keys = node.keys.splice(middle);
    const children = node.children.splice(middle + 1);
    const key = keys.shift()!;
    return { key, right: { leaf: false, owner: this.#owner, keys, children } };
  }

  #remove(node: Node<V>, key: string): void {
    if (node.leaf) {
      const at = lowerBound(node.keys, key);
      node.keys.splice(at, 1);
      node.values.splice(at, 1);
      return;
    }
    const at = upperBound(node.keys, key);
    const child = this.#own(node.children[at]!);
    node.children[at] = child;
    this.#remove(child, key);
    if (size(child) < entriesMax >> 2) this.#mergeAround(node, at);
  }

  /** A child that became small joins a neighbour when both fit into half a node and a bit. */
  #mergeAround(parent: Branch<V>, at: number): void {
    const left = at > 0 ? at - 1 : at;
    const [a, b] = [parent.children[left], parent.children[left + 1]];
    if (a === undefined || b === undefined || size(a) + size(b) > (entriesMax * 3) >> 2) return;
    const target = this.#own(a);
    const separator = parent.keys[left]!;
    if (target.leaf && b.leaf) {
      target.keys.push(...b.keys);
      target.values.push(...b.values);
    } else if (!target.leaf && !b.leaf) {
      target.keys.push(separator, ...b.keys);
      target.children.push(...b.children);
    }
    parent.children.splice(left, 2, target);
    parent.keys.splice(left, 1);
  }
}

function size<V>(node: Node<V>): number {
  return node.leaf ? node.keys.length : node.children.length;
}

function* valuesOf<V>(node: Node<V>): Iterable<V> {
  if (node.leaf) yield* node.values;
  else for (const child of node.children) yield* valuesOf(child);
}

function visitNode<V>(
  node: Node<V>,
  from: string,
  to: string | undefined,
  visit: (value: V, key: string) => boolean,
): boolean {
  if (node.leaf) {
    for (let i = lowerBound(node.keys, from); i < node.keys.length; i++) {
      const key = node.keys[i]!;
      if (to !== undefined && key >= to) return true;
      if (visit(node.values[i]!, key)) return true;
    }
    return false;
  }
  for (let i = upperBound(node.keys, from); i < node.children.length; i++) {
    if (i > 0 && to !== undefined && node.keys[i - 1]! >= to) return true;
    if (visitNode(node.children[i]!, from, to, visit)) return true;
  }
  return false;
}
