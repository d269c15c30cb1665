/**
 * A write transaction on the packed store: records are written as it goes, and become visible with
 * its commit. One that is dropped is taken back when the next one begins.
 */
import { type KeySpan, type KeyValue, noValue } from "./key-value.ts";
import type { RangeQuery, RangeResult, WriteTransaction } from "./mvcc-store.ts";
import type { VersionContent } from "./packed-version.ts";

/** What it needs of its store. References: see record-arena.ts; 0 is none. */
export interface TransactionStore {
  readonly revision: number;
  newest(key: string): number;
  version(ref: number): KeyValue;
  rangeAt(query: RangeQuery, current: number): RangeResult;
  write(content: VersionContent, sub: number, newest: number): number;
  undo(key: string, ref: number, newest: number): void;
  advance(refs: readonly number[]): void;
}

export class PackedTransaction implements WriteTransaction {
  readonly changes: KeyValue[] = [];
  readonly revision: number;
  readonly #store: TransactionStore;
  readonly #refs: number[] = [];
  /** What each written key had newest before. */
  readonly #newest: number[] = [];

  constructor(store: TransactionStore) {
    this.#store = store;
    this.revision = store.revision + 1;
  }

  range(query: RangeQuery): RangeResult {
    return this.#store.rangeAt(query, this.changes.length > 0 ? this.revision : this.revision - 1);
  }

  put(key: string, value: Uint8Array, lease: bigint): KeyValue {
    const { revision: modRevision } = this;
    const newest = this.#store.newest(key);
    const before = newest > 0 ? this.#store.version(newest) : undefined;
    const createRevision = before === undefined ? modRevision : before.createRevision;
    const version = before === undefined ? 1 : before.version + 1;
    const content = { key, value, createRevision, modRevision, version, lease };
    return this.#write(content, newest);
  }

  deleteRange(span: KeySpan): number {
    const { kvs } = this.range(span);
    for (const { key } of kvs) {
      const { revision: modRevision } = this;
      const none = { value: noValue, createRevision: 0, version: 0, lease: 0n };
      this.#write({ key, modRevision, ...none }, this.#store.newest(key));
    }
    return kvs.length;
  }

  #write(content: VersionContent, newest: number): KeyValue {
    const ref = this.#store.write(content, this.changes.length, newest);
    const kv = this.#store.version(ref);
    this.#refs.push(ref);
    this.#newest.push(newest);
    this.changes.push(kv);
    return kv;
  }

  commit(): void {
    if (this.changes.length > 0) this.#store.advance(this.#refs);
  }

  /** As if it had never been: what was dropped without a commit. */
  rollback(): void {
    for (let i = this.changes.length - 1; i >= 0; i--) {
      this.#store.undo(this.changes[i]!.key, this.#refs[i]!, this.#newest[i]!);
    }
    this.changes.length = 0;
    this.#refs.length = 0;
  }
}
