/**
 * What is refused before it is even proposed: requests that no state could make right.
 *
 * Errors  EmptyKey, InvalidSortOption, ValueProvided, LeaseProvided, TooManyOps, KeyNotFound (an
 *         empty operation), DuplicateKey (two writes of a key in one transaction)
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/key.go
 */
import type { etcd } from "@nanokube/rpc";
import { keyText } from "./bytes.ts";
import { EtcdError } from "./errors.ts";

export function checkRange(r: etcd.RangeRequest): void {
  if (r.key.length === 0) throw new EtcdError("EmptyKey");
  if (r.sortOrder < 0 || r.sortOrder > 2) throw new EtcdError("InvalidSortOption");
  if (r.sortTarget < 0 || r.sortTarget > 4) throw new EtcdError("InvalidSortOption");
}

export function checkPut(r: etcd.PutRequest): void {
  if (r.key.length === 0) throw new EtcdError("EmptyKey");
  if (r.ignoreValue && r.value.length > 0) throw new EtcdError("ValueProvided");
  if (r.ignoreLease && r.lease !== 0n) throw new EtcdError("LeaseProvided");
}

export function checkDeleteRange(r: etcd.DeleteRangeRequest): void {
  if (r.key.length === 0) throw new EtcdError("EmptyKey");
}

export function checkTxn(r: etcd.TxnRequest, opsMax: number): void {
  checkTxnOps(r, opsMax);
  // After the counts, so that the quadratic part is bounded.
  writesOf(r.success);
  writesOf(r.failure);
}

function checkTxnOps(r: etcd.TxnRequest, opsMax: number): void {
  const count = Math.max(r.compare.length, r.success.length, r.failure.length);
  if (count > opsMax) throw new EtcdError("TooManyOps");
  for (const compare of r.compare) if (compare.key.length === 0) throw new EtcdError("EmptyKey");
  for (const op of r.success) checkOp(op, opsMax - count);
  for (const op of r.failure) checkOp(op, opsMax - count);
}

function checkOp(op: etcd.RequestOp, opsMax: number): void {
  if (op.requestRange !== undefined) checkRange(op.requestRange);
  else if (op.requestPut !== undefined) checkPut(op.requestPut);
  else if (op.requestDeleteRange !== undefined) checkDeleteRange(op.requestDeleteRange);
  else if (op.requestTxn !== undefined) checkTxnOps(op.requestTxn, opsMax);
  else throw new EtcdError("KeyNotFound");
}

interface Writes {
  readonly puts: Set<string>;
  readonly deletes: Spans;
}

/** The keys that operations write; the two arms of a nested transaction exclude each other. */
function writesOf(ops: readonly etcd.RequestOp[]): Writes {
  const deletes = new Spans();
  for (const { requestDeleteRange: r } of ops) {
    if (r !== undefined) deletes.add(keyText(r.key), keyText(r.rangeEnd));
  }
  const puts = new Set<string>();
  for (const { requestTxn } of ops) {
    if (requestTxn === undefined) continue;
    const success = writesOf(requestTxn.success);
    const failure = writesOf(requestTxn.failure);
    for (const key of success.puts) addPut(puts, deletes, key);
    for (const key of failure.puts) {
      if (!success.puts.has(key)) addPut(puts, deletes, key);
      else if (deletes.has(key)) throw new EtcdError("DuplicateKey");
    }
    deletes.addAll(success.deletes);
    deletes.addAll(failure.deletes);
  }
  for (const { requestPut } of ops) {
    if (requestPut !== undefined) addPut(puts, deletes, keyText(requestPut.key));
  }
  return { puts, deletes };
}

function addPut(puts: Set<string>, deletes: Spans, key: string): void {
  if (puts.has(key) || deletes.has(key)) throw new EtcdError("DuplicateKey");
  puts.add(key);
}

/**
 * Spans of deleted keys. As in etcd, an end of one zero byte is taken literally here, so that a
 * delete "from a key on" beside a put is not refused.
 */
class Spans {
  #spans: { from: string; to: string }[] = [];
  #isSorted = true;

  add(key: string, rangeEnd: string): void {
    this.#spans.push({ from: key, to: rangeEnd === "" ? `${key}\0` : rangeEnd });
    this.#isSorted = false;
  }

  addAll(other: Spans): void {
    this.#spans.push(...other.#spans);
    this.#isSorted = false;
  }

  has(key: string): boolean {
    if (!this.#isSorted) this.#merge();
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#spans[middle]!.to <= key) low = middle + 1;
      else high = middle;
    }
    const span = this.#spans[low];
    return span !== undefined && span.from <= key;
  }

  #merge(): void {
    const sorted = this.#spans
      .filter(({ from, to }) => from < to)
      .sort((a, b) => (a.from < b.from ? -1 : 1));
    const merged: { from: string; to: string }[] = [];
    for (const span of sorted) {
      const last = merged.at(-1);
      if (last === undefined || last.to < span.from) merged.push({ ...span });
      else if (last.to < span.to) last.to = span.to;
    }
    this.#spans = merged;
    this.#isSorted = true;
  }
}
