/**
 * One version of one object as the cache holds it: bytes, and what selectors ask for once they did.
 *
 * A tree is parsed when somebody needs one and is theirs to change; only `shared()` keeps one, for
 * the few kinds that admission and authorization read on every request. Encodings other than the
 * JSON of the stored version are kept in kept-encodings.ts while they are asked for.
 */
import { internalError, type KubeObject } from "@nanokube/machinery";
import { isSealed } from "../encryption/sealer.ts";
import {
  encodeServed,
  isServedForm,
  type Layout,
  layoutOf,
  parseTree,
  replaceRevision,
  withRevision,
} from "../storage/canonical.ts";

/** How a resource's stored values become JSON, and which fields its selectors know. */
export interface StorageCodec {
  /** The etcd value for a tree in the storage version. */
  encode(tree: KubeObject): Uint8Array;
  /** Turns an etcd value that is not canonical JSON into a tree. */
  decode(value: Uint8Array): KubeObject;
  selectableFields(tree: KubeObject): Record<string, string>;
  /** What was encoded to compare it: it is written in the same turn, or not at all. */
  compared?: { tree: KubeObject; value: Uint8Array } | undefined;
  /** How the last object began, for the next is like it; set by the objects themselves. */
  layout?: Layout | undefined;
}

export interface ObjectIndex {
  labels: Record<string, string>;
  fields: Record<string, string>;
}

export class StoredObject {
  readonly key: string;
  readonly revision: number;
  readonly lease: bigint;
  /** The store would write the same content otherwise now (another key): no write is idle. */
  stale = false;
  /** Tries again to open a value whose key could not be had. */
  reopen: (() => Uint8Array) | undefined;
  readonly #codec: StorageCodec;
  #value: Uint8Array | undefined;
  #served: Uint8Array | undefined;
  #layout: Layout | undefined;
  #index: ObjectIndex | undefined;
  #shared: KubeObject | undefined;
  /** The tree that was just written, until nobody needs it: see `settle`. */
  #fresh: KubeObject | undefined;
  #holds = 0;

  constructor(
    key: string,
    revision: number,
    value: Uint8Array | undefined,
    codec: StorageCodec,
    lease = 0n,
  ) {
    this.key = key;
    this.revision = revision;
    this.lease = lease;
    this.#value = value;
    this.#codec = codec;
  }

  /** An object whose tree was just written: nothing of it has to be parsed again. */
  static fromWrite(
    key: string,
    revision: number,
    value: Uint8Array,
    tree: KubeObject,
    codec: StorageCodec,
    lease = 0n,
  ): StoredObject {
    const object = new StoredObject(key, revision, value, codec, lease);
    object.#index = indexOf(tree, codec);
    object.hold(tree);
    return object;
  }

  /** Keeps the tree that was just written, until `settle` is called as often. */
  hold(tree: KubeObject): void {
    this.#fresh = tree;
    this.#holds++;
  }

  /**
   * The event of the write has been handed on, or its answer made: when both are, whoever needs a
   * tree parses one.
   */
  settle(): void {
    if (this.#holds > 0) this.#holds--;
    if (this.#holds === 0) this.#fresh = undefined;
  }

  /** JSON with its resourceVersion, in the version it was stored in. */
  get json(): Uint8Array {
    if (this.#served === undefined) this.#load();
    return this.#served!;
  }

  /** As it is stored, or served. */
  get sizeBytes(): number {
    return this.#value?.length ?? this.#served?.length ?? 0;
  }

  get layout(): Layout {
    if (this.#layout === undefined) this.#load();
    return this.#layout!;
  }

  get index(): ObjectIndex {
    this.#index ??= indexOf(this.#shared ?? this.tree(), this.#codec);
    return this.#index;
  }

  get namespace(): string {
    const slash = this.key.lastIndexOf("/");
    return slash < 0 ? "" : this.key.slice(0, slash);
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf("/") + 1);
  }

  /** Whether a canonical tree, written now, would be these very bytes. */
  isSame(tree: KubeObject): boolean {
    if (this.stale) return false;
    const { json, layout } = this;
    const value = this.#codec.encode(tree);
    this.#codec.compared = { tree, value };
    if (value[0] === openBrace) return isServedForm(json, value, layout, this.revision);
    const other = encodeServed(tree, this.revision);
    return other.length === json.length && other.every((byte, i) => byte === json[i]);
  }

  /** A fresh tree, the caller's own. */
  tree(): KubeObject {
    return parseTree(this.json);
  }

  /** A tree to encode and not to change: that of the write where it is still here. */
  readonlyTree(): KubeObject {
    const fresh = this.#fresh;
    if (fresh === undefined) return this.#shared ?? this.tree();
    const metadata = { ...fresh.metadata, resourceVersion: String(this.revision) };
    return { ...fresh, metadata };
  }

  /** One tree for all who only read. */
  shared(): KubeObject {
    this.#shared ??= this.tree();
    return this.#shared;
  }

  /** The same content under the revision at which it was deleted or left a selection. */
  at(revision: number): StoredObject {
    const copy = new StoredObject(this.key, revision, undefined, this.#codec);
    copy.#served = replaceRevision(this.json, this.layout, this.revision, revision);
    copy.#layout = this.layout;
    copy.#index = this.#index;
    return copy;
  }

  #load(): void {
    let value = this.#value!;
    if (isSealed(value)) value = this.reopen?.() ?? value;
    if (isSealed(value)) throw internalError("unable to transform key: no matching prefix found");
    const layout = layoutOf(value, this.#codec.layout);
    if (layout !== undefined) {
      this.#layout = layout;
      this.#served = withRevision(value, layout, this.revision);
    } else {
      this.#served = encodeServed(this.#codec.decode(value), this.revision);
      this.#layout = layoutOf(this.#served, this.#codec.layout);
    }
    this.#codec.layout = this.#layout;
    this.#value = undefined;
  }
}

const openBrace = 0x7b;

/** The etcd value for a tree; what was compared just before is not encoded again. */
export function takeEncoded(codec: StorageCodec, tree: KubeObject): Uint8Array {
  const { compared } = codec;
  codec.compared = undefined;
  return compared?.tree === tree ? compared.value : codec.encode(tree);
}

function indexOf(tree: KubeObject, codec: StorageCodec): ObjectIndex {
  const metadata = tree.metadata ?? {};
  return {
    labels: metadata.labels ?? {},
    fields: {
      "metadata.name": metadata.name ?? "",
      "metadata.namespace": metadata.namespace ?? "",
      ...codec.selectableFields(tree),
    },
  };
}
