/**
 * KV requests on a store: Range, Put, DeleteRange, Txn, as etcd's applier does them.
 *
 * Responses carry `header.revision` only; who answers fills in the rest.
 * Errors  LeaseNotFound, KeyNotFound (ignoreValue/ignoreLease of an absent key), Compacted,
 *         FutureRevision; a transaction is checked whole before its first write
 * Source  etcd v3.6 server/etcdserver/txn/txn.go
 */
import { encoded, type etcd, type Init } from "@nanokube/rpc";
import { compareBytes, keyBytes, keyText } from "./bytes.ts";
import { EtcdError } from "./errors.ts";
import { type KeyValue, noValue, spanOf } from "./key-value.ts";
import type { Lessor } from "./lessor.ts";
import type { MvccStore, RangeQuery, RangeResult, WriteTransaction } from "./mvcc-store.ts";
import type { OperationTally } from "./operation-tally.ts";
import { PackedVersion } from "./packed-version.ts";

interface Readable {
  range(query: RangeQuery): RangeResult;
}

export function toMessage(kv: KeyValue, keysOnly = false): etcd.KeyValue {
  return {
    key: keyBytes(kv.key),
    createRevision: kv.createRevision,
    modRevision: kv.modRevision,
    version: kv.version,
    value: keysOnly ? noValue : kv.value,
    lease: kv.lease,
  };
}

/** The same as part of an answer: what stands encoded in the store is not taken apart. */
export function toAnswer(kv: KeyValue, keysOnly = false): Init<etcd.KeyValue> {
  return kv instanceof PackedVersion && !keysOnly ? encoded(kv) : toMessage(kv, keysOnly);
}

export function executeRange(view: Readable, r: etcd.RangeRequest): Init<etcd.RangeResponse> {
  const filters = rangeFilters(r);
  const isPlain = r.sortOrder === 0 && filters.length === 0;
  const result = view.range({
    ...spanOf(keyText(r.key), keyText(r.rangeEnd)),
    revision: r.revision,
    limit: isPlain && r.limit > 0 ? r.limit + 1 : 0,
    countOnly: r.countOnly,
  });
  let { kvs } = result;
  for (const keep of filters) kvs = kvs.filter(keep);
  sortKeyValues(kvs, r);
  const more = r.limit > 0 && kvs.length > r.limit;
  if (more) kvs = kvs.slice(0, r.limit);
  return {
    header: { revision: result.revision },
    kvs: kvs.map((kv) => toAnswer(kv, r.keysOnly)),
    more,
    count: result.count,
  };
}

export function rangeFilters(r: etcd.RangeRequest): ((kv: KeyValue) => boolean)[] {
  const filters: ((kv: KeyValue) => boolean)[] = [];
  if (r.maxModRevision !== 0) filters.push((kv) => kv.modRevision <= r.maxModRevision);
  if (r.minModRevision !== 0) filters.push((kv) => kv.modRevision >= r.minModRevision);
  if (r.maxCreateRevision !== 0) filters.push((kv) => kv.createRevision <= r.maxCreateRevision);
  if (r.minCreateRevision !== 0) filters.push((kv) => kv.createRevision >= r.minCreateRevision);
  return filters;
}

const descending = 2;
type Order = (a: KeyValue, b: KeyValue) => number;
const orders: readonly Order[] = [
  (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  (a, b) => a.version - b.version,
  (a, b) => a.createRevision - b.createRevision,
  (a, b) => a.modRevision - b.modRevision,
  (a, b) => compareBytes(a.value, b.value),
];

/** Keys come sorted; another target sorts ascending even when no order is asked for. */
export function sortKeyValues(kvs: KeyValue[], { sortOrder, sortTarget }: etcd.RangeRequest): void {
  if (sortTarget === 0 && sortOrder !== descending) return;
  const order = orders[sortTarget]!;
  kvs.sort(sortOrder === descending ? (a, b) => order(b, a) : order);
}

export function executePut(
  { txn, lessor, tally }: Omit<TxnContext, "store">,
  r: etcd.PutRequest,
): Init<etcd.PutResponse> {
  // The other way round inside a transaction: whichever etcd looks at first is what it answers.
  checkLease(lessor, r);
  checkPrevious(txn, r);
  return put({ txn, tally }, r);
}

type Writing = Pick<TxnContext, "txn" | "tally">;

function put({ txn, tally }: Writing, r: etcd.PutRequest): Init<etcd.PutResponse> {
  const key = keyText(r.key);
  let value = r.value;
  let lease = r.lease;
  let before: KeyValue | undefined;
  if (r.ignoreValue || r.ignoreLease || r.prevKv) {
    before = txn.range({ key, end: undefined }).kvs[0];
    tally?.range();
  }
  if (r.ignoreValue && before !== undefined) value = before.value;
  if (r.ignoreLease && before !== undefined) lease = before.lease;
  tally?.put(r.key.length + value.length);
  const kv = txn.put(key, value, lease);
  const prevKv = r.prevKv && before !== undefined ? toAnswer(before) : undefined;
  return { header: { revision: kv.modRevision }, prevKv };
}

function checkPrevious(view: Readable, r: etcd.PutRequest): void {
  if (!r.ignoreValue && !r.ignoreLease) return;
  const { kvs } = view.range({ key: keyText(r.key), end: undefined });
  if (kvs.length === 0) throw new EtcdError("KeyNotFound");
}

function checkLease(lessor: Lessor, r: etcd.PutRequest): void {
  if (r.lease !== 0n && lessor.find(r.lease) === undefined) throw new EtcdError("LeaseNotFound");
}

export function executeDeleteRange(
  { txn, tally }: Writing,
  r: etcd.DeleteRangeRequest,
): Init<etcd.DeleteRangeResponse> {
  if (r.prevKv) tally?.range();
  tally?.delete();
  const span = spanOf(keyText(r.key), keyText(r.rangeEnd));
  const prevKvs = r.prevKv ? txn.range(span).kvs.map((kv) => toAnswer(kv)) : [];
  const deleted = txn.deleteRange(span);
  const revision = txn.changes.length > 0 ? txn.revision : txn.revision - 1;
  return { header: { revision }, deleted, prevKvs };
}

/** A transaction of ranges only needs no log entry. */
export function isReadOnly(r: etcd.TxnRequest): boolean {
  return [...r.success, ...r.failure].every((op) => op.requestRange !== undefined);
}

export interface TxnContext {
  readonly store: MvccStore;
  readonly lessor: Lessor;
  readonly txn: WriteTransaction;
  /** Counts what is done, for whoever wants to know. */
  readonly tally?: OperationTally | undefined;
}

export function executeTxn(context: TxnContext, r: etcd.TxnRequest): Init<etcd.TxnResponse> {
  const plan = planTxn(context, r);
  checkPlan(context, plan);
  const { txn, tally } = context;
  if (!isReadOnly(r)) tally?.end(); // What was looked at so far is a transaction of its own.
  const { succeeded, responses } = runPlan(context, plan);
  const revision = txn.changes.length > 0 ? txn.revision : txn.revision - 1;
  return { header: { revision }, succeeded, responses };
}

/** Which arm each transaction takes: decided before any write, nested ones too. */
interface Plan {
  readonly succeeded: boolean;
  readonly steps: readonly { readonly op: etcd.RequestOp; readonly nested?: Plan }[];
}

function planTxn(context: TxnContext, r: etcd.TxnRequest): Plan {
  const succeeded = r.compare.every((compare) => holds(context, compare));
  const steps = (succeeded ? r.success : r.failure).map((op) =>
    op.requestTxn === undefined ? { op } : { op, nested: planTxn(context, op.requestTxn) },
  );
  return { succeeded, steps };
}

function checkPlan(context: TxnContext, plan: Plan): void {
  const { store, lessor, tally } = context;
  for (const { op, nested } of plan.steps) {
    if (op.requestRange !== undefined) checkRangeState(store, op.requestRange.revision);
    else if (op.requestPut !== undefined) {
      if (op.requestPut.ignoreValue || op.requestPut.ignoreLease) tally?.range();
      checkPrevious(store, op.requestPut);
      checkLease(lessor, op.requestPut);
    } else if (nested !== undefined) checkPlan(context, nested);
  }
}

function checkRangeState(store: MvccStore, revision: number): void {
  if (revision === 0) return;
  if (revision > store.revision) throw new EtcdError("FutureRevision");
  if (revision < store.compactedRevision) throw new EtcdError("Compacted");
}

function runPlan(context: Writing, plan: Plan): Init<etcd.TxnResponse> {
  const responses = plan.steps.map(({ op, nested }): Init<etcd.ResponseOp> => {
    if (op.requestRange !== undefined) {
      context.tally?.range();
      return { responseRange: executeRange(context.txn, op.requestRange) };
    }
    if (op.requestPut !== undefined) return { responsePut: put(context, op.requestPut) };
    if (op.requestDeleteRange !== undefined) {
      return { responseDeleteRange: executeDeleteRange(context, op.requestDeleteRange) };
    }
    return { responseTxn: { header: {}, ...runPlan(context, nested!) } };
  });
  return { succeeded: plan.succeeded, responses };
}

const compareValue = 3;

function holds({ store, tally }: TxnContext, compare: etcd.Compare): boolean {
  tally?.range();
  const span = spanOf(keyText(compare.key), keyText(compare.rangeEnd));
  const { kvs } = store.range(span);
  if (kvs.length === 0) {
    // An absent key has no value, not even an empty one; its numbers are 0.
    return compare.target !== compareValue && compareOne(compare, absent);
  }
  return kvs.every((kv) => compareOne(compare, kv));
}

const absent: KeyValue = {
  key: "",
  value: noValue,
  createRevision: 0,
  modRevision: 0,
  sub: 0,
  version: 0,
  lease: 0n,
};

function compareOne(compare: etcd.Compare, kv: KeyValue): boolean {
  const order = orderOf(compare, kv);
  switch (compare.result) {
    case 0:
      return order === 0;
    case 1:
      return order > 0;
    case 2:
      return order < 0;
    case 3:
      return order !== 0;
    default:
      return true;
  }
}

function orderOf(compare: etcd.Compare, kv: KeyValue): number {
  switch (compare.target) {
    case 0:
      return kv.version - (compare.version ?? 0);
    case 1:
      return kv.createRevision - (compare.createRevision ?? 0);
    case 2:
      return kv.modRevision - (compare.modRevision ?? 0);
    case compareValue:
      return compareBytes(kv.value, compare.value ?? noValue);
    case 4: {
      const wanted = compare.lease ?? 0n;
      return kv.lease < wanted ? -1 : kv.lease > wanted ? 1 : 0;
    }
    default:
      return 0;
  }
}
