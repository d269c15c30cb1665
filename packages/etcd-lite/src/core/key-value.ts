/**
 * One version of a key, and the nouns that go with it.
 *
 * Shapes  key, end  bytes held as latin1 text, so that `<` is etcd's byte order
 *         end       undefined: `key` alone; "": every key from `key` on; else half-open [key, end)
 *         value     bytes that nobody changes any more
 *         version   1 when created, counts puts since; 0 marks a tombstone (a delete)
 * Units   revision  int64 on the wire, a safe integer here; one per write transaction
 * Source  etcd v3.6 api/mvccpb/kv.proto
 */

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Place among the changes of its transaction. */
  readonly sub: number;
  readonly version: number;
  readonly lease: bigint;
}

export interface KeySpan {
  readonly key: string;
  readonly end: string | undefined;
}

export const noValue = new Uint8Array(0);

export function isTombstone(kv: KeyValue): boolean {
  return kv.version === 0;
}

/** What `range_end` means: absent is one key, one zero byte is "from key on". */
export function spanOf(key: string, rangeEnd: string): KeySpan {
  if (rangeEnd === "") return { key, end: undefined };
  return { key, end: rangeEnd === "\0" ? "" : rangeEnd };
}

export function isInSpan({ key, end }: KeySpan, candidate: string): boolean {
  if (end === undefined) return candidate === key;
  return candidate >= key && (end === "" || candidate < end);
}
