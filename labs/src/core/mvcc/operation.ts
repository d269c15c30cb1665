/**
 * What the grader of lab 01 asks a store, and what it hears: data that travels as JSON.
 *
 * Shapes  key, end   latin1 text, one character a byte; no end: `key` alone; "": from `key` on;
 *                    else half-open [key, end)
 *         value      latin1 text
 *         kv         [key, value, createRevision, modRevision, version, lease]
 *         steps      one transaction; a single put or delete is a transaction of one step
 * Units   revision   1 for an empty store; 0 or absent is the newest
 */

export interface Query {
  readonly key: string;
  readonly end?: string;
  readonly revision?: number;
  /** 0 or absent is no limit; `count` ignores it. */
  readonly limit?: number;
  readonly countOnly?: boolean;
}

export type Step =
  | { readonly do: "put"; readonly key: string; readonly value: string; readonly lease: number }
  | { readonly do: "delete"; readonly key: string; readonly end?: string }
  | { readonly do: "range"; readonly query: Query }
  /** A reader outside the transaction, before it commits. */
  | { readonly do: "peek"; readonly query: Query };

/** The steps happen only when the key has this version (0: when it is absent). */
export interface Guard {
  readonly key: string;
  readonly version: number;
}

export type Operation =
  | { readonly op: "range"; readonly query: Query }
  | { readonly op: "txn"; readonly guard?: Guard; readonly steps: readonly Step[] }
  | { readonly op: "compact"; readonly revision: number }
  /** What was written at each revision from this one to the newest. */
  | { readonly op: "changes"; readonly from: number }
  /** Every version held. */
  | { readonly op: "versions" }
  | { readonly op: "state" }
  /** A copy to read from while the store goes on. */
  | { readonly op: "fork" }
  | { readonly op: "forkRange"; readonly query: Query }
  /** Memory in use since the first time it was asked. */
  | { readonly op: "measure" };

export type Kv = readonly [
  key: string,
  value: string,
  createRevision: number,
  modRevision: number,
  version: number,
  lease: string,
];

export interface RangeReply {
  readonly kvs: readonly Kv[];
  readonly count: number;
  readonly revision: number;
}

export type StepReply = { readonly kv: Kv } | { readonly deleted: number } | RangeReply;

export type ErrorKind = "Compacted" | "FutureRevision";

export type Reply =
  | RangeReply
  | { readonly done: boolean; readonly revision: number; readonly steps: readonly StepReply[] }
  | { readonly compactedRevision: number; readonly revision: number }
  | { readonly changes: readonly (readonly Kv[])[] }
  | { readonly versions: readonly Kv[] }
  | { readonly forked: number }
  | { readonly sizeBytes: number; readonly heapBytes: number }
  | { readonly error: ErrorKind }
  /** Something else was thrown. */
  | { readonly threw: string };

/** In the order of the interface's promise that is the same everywhere: by revision, then by key. */
export function sortVersions(kvs: readonly Kv[]): Kv[] {
  return [...kvs].sort((a, b) => a[3] - b[3] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}
