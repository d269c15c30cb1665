/**
 * Other forms of cached objects (protobuf, other versions), kept while they are asked for.
 *
 * Two generations: what was used since the last turn, and what was used before it. When the young
 * one is full the old one is dropped, so that at most twice `generationMaxBytes` is held and what
 * nobody asks for any more goes, without a list of who used what when.
 */
import type { StoredObject } from "./stored-object.ts";

export class KeptEncodings {
  readonly #generationMaxBytes: number;
  #young = new Map<StoredObject, Map<string, Uint8Array>>();
  #old = new Map<StoredObject, Map<string, Uint8Array>>();
  #youngBytes = 0;

  constructor(generationMaxBytes = 32 * 1024 * 1024) {
    this.#generationMaxBytes = generationMaxBytes;
  }

  /** Objects with a form kept now. */
  get size(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size;
  }

  get(object: StoredObject, name: string, make: () => Uint8Array): Uint8Array {
    let forms = this.#young.get(object);
    const known = forms?.get(name);
    if (known !== undefined) return known;
    const bytes = this.#old.get(object)?.get(name) ?? make();
    if (this.#youngBytes + bytes.length > this.#generationMaxBytes) {
      this.#turn();
      forms = undefined;
    }
    if (forms === undefined) {
      forms = new Map();
      this.#young.set(object, forms);
    }
    forms.set(name, bytes);
    this.#youngBytes += bytes.length;
    return bytes;
  }

  /** This version of the object is no longer the newest: few will ask for it again. */
  forget(object: StoredObject): void {
    this.#old.delete(object);
    const forms = this.#young.get(object);
    if (forms === undefined) return;
    for (const bytes of forms.values()) this.#youngBytes -= bytes.length;
    this.#young.delete(object);
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
