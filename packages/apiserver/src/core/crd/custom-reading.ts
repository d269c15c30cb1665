/**
 * Custom resources as one version of their definition shows them.
 *
 * On the way out of the store an object is pruned and defaulted by the schema of the version it was
 * stored in, converted, and pruned by the schema of the version it is asked for in. What came out
 * is kept as long as the stored object itself is: a webhook is asked once for a version of it.
 *
 * Source  apiextensions-apiserver pkg/apiserver/customresource_handler.go
 *         (schemaCoercingDecoder, schemaCoercingConverter, unstructuredDefaulter),
 *         pkg/apiserver/conversion/converter.go
 */
import { genericStatus, type KubeObject } from "@nanokube/machinery";
import { type StorageCodec, StoredObject } from "../cache/stored-object.ts";
import type { Reading } from "../rest/reading.ts";
import { encodeStored } from "../storage/canonical.ts";
import { fewAtOnce } from "./few-at-once.ts";
import { applyDefaults, prune, type Schema } from "./structural-schema.ts";

/** One object into another version: upstream never asks a webhook for several at once. */
export type Convert = (object: KubeObject, apiVersion: string) => Promise<KubeObject>;

/** Of a list so many objects are asked about at the same time. */
const questionsMax = 16;

export interface VersionShape {
  apiVersion: string;
  schema: Schema | undefined;
  keepsUnknown: boolean;
}

/** Every version of a definition, by apiVersion. */
export type VersionShapes = ReadonlyMap<string, VersionShape>;

export function pruneTo(shape: VersionShape, tree: KubeObject): boolean {
  if (shape.keepsUnknown || shape.schema === undefined) return false;
  return prune(shape.schema, tree).length > 0;
}

/** In place; whether anything changed. */
function repair(shape: VersionShape, tree: KubeObject): boolean {
  const pruned = pruneTo(shape, tree);
  if (shape.schema === undefined) return pruned;
  return applyDefaults(shape.schema, tree) || pruned;
}

const nobodysVersion = (apiVersion: string | undefined): Error =>
  genericStatus(
    500,
    "",
    `request to convert CR from an invalid group/version: ${apiVersion ?? ""}`,
  );

/** Into the version of `shape`: what is asked for, or what is stored. */
export async function convertTo(
  shape: VersionShape,
  tree: KubeObject,
  convert: Convert | undefined,
): Promise<KubeObject> {
  const { apiVersion } = shape;
  if (tree.apiVersion === apiVersion) return tree;
  const other = convert === undefined ? { ...tree, apiVersion } : await convert(tree, apiVersion);
  pruneTo(shape, other);
  return other;
}

export class CustomReading implements Reading {
  readonly #shape: VersionShape;
  readonly #shapes: VersionShapes;
  readonly #codec: StorageCodec;
  readonly #convert: Convert | undefined;
  readonly #known = new WeakMap<StoredObject, StoredObject>();
  /** Being asked about: many watchers see the same event. */
  readonly #coming = new WeakMap<StoredObject, Promise<unknown>>();

  constructor(options: {
    shape: VersionShape;
    shapes: VersionShapes;
    codec: StorageCodec;
    convert: Convert | undefined;
  }) {
    this.#shape = options.shape;
    this.#shapes = options.shapes;
    this.#codec = options.codec;
    this.#convert = options.convert;
  }

  now(stored: StoredObject): StoredObject | undefined {
    const known = this.#known.get(stored);
    if (known !== undefined) return known;
    const tree = stored.tree();
    const { apiVersion } = this.#shape;
    const repaired = this.#repair(tree);
    if (tree.apiVersion === apiVersion && !repaired) return this.#keep(stored, stored);
    if (tree.apiVersion !== apiVersion) {
      if (this.#convert !== undefined) return undefined;
      tree.apiVersion = apiVersion;
      pruneTo(this.#shape, tree);
    }
    return this.#keep(stored, this.#objectOf(stored, tree));
  }

  async all(stored: readonly StoredObject[]): Promise<readonly StoredObject[]> {
    const unknown = stored.filter((each) => this.now(each) === undefined);
    await fewAtOnce(unknown, questionsMax, (each) => this.#comes(each));
    return stored.map((each) => this.#known.get(each)!);
  }

  async tree(tree: KubeObject): Promise<KubeObject> {
    const own = structuredClone(tree);
    this.#repair(own);
    return convertTo(this.#shape, own, this.#convert);
  }

  #comes(stored: StoredObject): Promise<unknown> {
    const coming = this.#coming.get(stored);
    if (coming !== undefined) return coming;
    const asked = this.#ask(stored).finally(() => this.#coming.delete(stored));
    this.#coming.set(stored, asked);
    return asked;
  }

  async #ask(stored: StoredObject): Promise<void> {
    const tree = stored.tree();
    this.#repair(tree);
    const converted = await convertTo(this.#shape, tree, this.#convert);
    this.#keep(stored, this.#objectOf(stored, converted));
  }

  #repair(tree: KubeObject): boolean {
    const shape = this.#shapes.get(tree.apiVersion ?? "");
    if (shape === undefined) throw nobodysVersion(tree.apiVersion);
    return repair(shape, tree);
  }

  #keep(stored: StoredObject, shown: StoredObject): StoredObject {
    this.#known.set(stored, shown);
    // Who asks twice gets the same.
    this.#known.set(shown, shown);
    return shown;
  }

  #objectOf(stored: StoredObject, tree: KubeObject): StoredObject {
    const { key, revision, lease } = stored;
    const value = encodeStored(tree);
    return new StoredObject(key, revision, value, this.#codec, lease);
  }
}
