/**
 * What changed at each revision, in order: where watchers read the past, and
 * compaction finds garbage.
 *
 * Shapes  one entry a revision: the versions written there, in the order of the transaction; a
 *         version is an object, or a number that refers to one
 *         entries stand in chunks, so that forgetting the oldest and forking copy almost nothing
 */
import type { KeyValue } from "./key-value.ts";

type Entry<T> = T | readonly T[];

interface Chunk<T> {
  owner: object;
  entries: Entry<T>[];
}

const chunkSize = 512;

export class RevisionLog<T extends KeyValue | number = KeyValue> {
  #owner: object = {};
  #chunks: Chunk<T>[] = [];
  /** The revision of the first entry of the first chunk. */
  #base: number;
  #next: number;

  constructor(first: number) {
    this.#base = first;
    this.#next = first;
  }

  /** The oldest revision still held. */
  get first(): number {
    return this.#base;
  }

  /** The revision that the next append will have. */
  get next(): number {
    return this.#next;
  }

  fork(): RevisionLog<T> {
    const copy = new RevisionLog<T>(this.#base);
    copy.#chunks = this.#chunks.slice();
    copy.#next = this.#next;
    this.#owner = {};
    return copy;
  }

  append(changes: readonly T[]): void {
    const offset = (this.#next - this.#base) % chunkSize;
    const at = (this.#next - this.#base - offset) / chunkSize;
    let chunk = this.#chunks[at];
    if (chunk === undefined) {
      chunk = { owner: this.#owner, entries: [] };
      this.#chunks[at] = chunk;
    } else if (chunk.owner !== this.#owner) {
      // The other fork may have appended to it meanwhile: only what is ours is copied.
      chunk = { owner: this.#owner, entries: chunk.entries.slice(0, offset) };
      this.#chunks[at] = chunk;
    }
    chunk.entries.push(changes.length === 1 ? changes[0]! : changes);
    this.#next++;
  }

  at(revision: number): readonly T[] {
    if (revision < this.#base || revision >= this.#next) return [];
    const offset = (revision - this.#base) % chunkSize;
    const chunk = this.#chunks[(revision - this.#base - offset) / chunkSize]!;
    const entry = chunk.entries[offset]!;
    return Array.isArray(entry) ? entry : [entry as T];
  }

  /** Puts another version (undefined: none) in the place of one. */
  replace(revision: number, old: T, other: T | undefined): void {
    const before = this.at(revision);
    const at = before.indexOf(old);
    if (at < 0) return;
    const index = (revision - this.#base - ((revision - this.#base) % chunkSize)) / chunkSize;
    let chunk = this.#chunks[index]!;
    if (chunk.owner !== this.#owner) {
      chunk = { owner: this.#owner, entries: chunk.entries.slice() };
      this.#chunks[index] = chunk;
    }
    const after = before.toSpliced(at, 1, ...(other === undefined ? [] : [other]));
    chunk.entries[(revision - this.#base) % chunkSize] = after.length === 1 ? after[0]! : after;
  }

  /** Whole chunks go; of the first one that stays, the entries before `revision` are emptied. */
  forgetBefore(revision: number): void {
    const end = Math.min(revision, this.#next);
    const count = Math.floor((end - this.#base) / chunkSize);
    if (count > 0) {
      this.#chunks = this.#chunks.slice(count);
      this.#base += count * chunkSize;
    }
    const chunk = this.#chunks[0];
    if (chunk === undefined || end <= this.#base) return;
    // A fork may read on in the same chunk.
    const entries = chunk.owner === this.#owner ? chunk.entries : chunk.entries.slice();
    this.#chunks[0] = { owner: this.#owner, entries: entries.fill([], 0, end - this.#base) };
  }
}
