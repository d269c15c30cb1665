/**
 * My store. `create` is what the grader calls; everything else is yours.
 *
 * It starts as a map of the newest values, which is what most people think etcd is. It compiles, it
 * runs, and it forgets everything that makes etcd etcd. Stage a begins in `put` and `range`.
 */
import type {
  KeySpan,
  KeyValue,
  MvccStore,
  RangeQuery,
  RangeResult,
  WriteTransaction,
} from "@nanokube/etcd-lite";

export interface Deps {
  /** The error to throw: `throw deps.fail("Compacted")`. */
  fail(kind: "Compacted" | "FutureRevision"): Error;
}

export function create(deps: Deps): MvccStore {
  return new MyStore(deps);
}

class MyStore implements MvccStore {
  readonly #deps: Deps;
  readonly #values = new Map<string, Uint8Array>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** 1 for an empty store; one more for every transaction that changes something. */
  get revision(): number {
    return 1;
  }

  /** -1 before the first compaction. */
  get compactedRevision(): number {
    return -1;
  }

  get keyCount(): number {
    return this.#values.size;
  }

  /** Bytes of all versions held. */
  get sizeBytes(): number {
    return 0;
  }

  /** query.end: undefined is one key, "" is every key from query.key on, else half-open. */
  range(query: RangeQuery): RangeResult {
    if ((query.revision ?? 0) > this.revision) throw this.#deps.fail("FutureRevision");
    const value = this.#values.get(query.key);
    if (value === undefined) return { kvs: [], count: 0, revision: this.revision };
    return { kvs: [this.#keyValue(query.key, value)], count: 1, revision: this.revision };
  }

  #keyValue(key: string, value: Uint8Array): KeyValue {
    return { key, value, createRevision: 0, modRevision: 0, sub: 0, version: 0, lease: 0n };
  }

  begin(): WriteTransaction {
    return {
      revision: this.revision,
      changes: [],
      range: (query: RangeQuery) => this.range(query),
      put: (key: string, value: Uint8Array) => {
        this.#values.set(key, value);
        return this.#keyValue(key, value);
      },
      deleteRange: ({ key }: KeySpan) => (this.#values.delete(key) ? 1 : 0),
      commit: () => {},
    };
  }

  compact(_revision: number): void {}

  changesAt(_revision: number): readonly KeyValue[] {
    return [];
  }

  versions(): Iterable<KeyValue> {
    return [];
  }

  fork(): MvccStore {
    return this;
  }
}
