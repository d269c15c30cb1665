/**
 * Operations on a student's MvccStore: each becomes calls of the interface, each result plain data.
 *
 * Results are copied at once, and the array of a range is turned round afterwards: it belongs to
 * the caller, and a store that keeps it would notice.
 */
import type { MvccStore, RangeResult, WriteTransaction } from "@nanokube/etcd-lite";
import {
  type Kv,
  type Operation,
  type Query,
  type RangeReply,
  type Reply,
  type Step,
  type StepReply,
  sortVersions,
} from "../../../core/mvcc/operation.ts";

export interface Slot {
  create(deps: { fail(kind: "Compacted" | "FutureRevision"): Error }): MvccStore;
}

export interface Driver {
  run(op: Operation): Reply;
}

const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

class StoreError extends Error {
  readonly kind: string;
  constructor(kind: string) {
    super(kind);
    this.kind = kind;
  }
}

type StoredKv = ReturnType<WriteTransaction["put"]>;

function plainKv(kv: StoredKv): Kv {
  const { value } = kv;
  const text =
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : `not bytes: ${value}`;
  return [kv.key, text, kv.createRevision, kv.modRevision, kv.version, String(kv.lease)];
}

function plainRange(result: RangeResult): RangeReply {
  const kvs = result.kvs.map(plainKv);
  result.kvs.reverse();
  return { kvs, count: result.count, revision: result.revision };
}

const storeQuery = ({ key, end, ...rest }: Query) => ({ key, end, ...rest });

export function createDriver(slot: Slot, heapBytes: () => number): Driver {
  let fork: MvccStore | undefined;
  let heapBefore: number | undefined;
  const store = createdOnce(slot);
  const run = (op: Operation): Reply => {
    if (op.op === "fork") {
      fork = store().fork();
      return { forked: fork.revision };
    }
    if (op.op === "forkRange") return plainRange(fork!.range(storeQuery(op.query)));
    if (op.op === "measure") {
      const heap = heapBytes();
      heapBefore ??= heap;
      return { sizeBytes: store().sizeBytes, heapBytes: Math.max(heap - heapBefore, 0) };
    }
    return runOn(store(), op);
  };
  return {
    run(op) {
      try {
        return run(op);
      } catch (error) {
        const { kind } = Object(error) as { kind?: unknown };
        if (kind === "Compacted" || kind === "FutureRevision") return { error: kind };
        return { threw: describeThrown(error) };
      }
    },
  };
}

/** At the first operation, so that what create() throws is that operation's answer, and all later. */
function createdOnce(slot: Slot): () => MvccStore {
  let made: { readonly store: MvccStore } | { readonly thrown: unknown } | undefined;
  const make = (): NonNullable<typeof made> => {
    try {
      return { store: slot.create({ fail: (kind) => new StoreError(kind) }) };
    } catch (thrown) {
      return { thrown };
    }
  };
  return () => {
    made ??= make();
    if ("thrown" in made) throw made.thrown;
    return made.store;
  };
}

function runOn(store: MvccStore, op: Operation): Reply {
  switch (op.op) {
    case "range":
      return plainRange(store.range(storeQuery(op.query)));
    case "txn":
      return runTransaction(store, op);
    case "compact":
      store.compact(op.revision);
      return { compactedRevision: store.compactedRevision, revision: store.revision };
    case "changes": {
      const changes: Kv[][] = [];
      for (let at = op.from; at <= store.revision; at++) {
        changes.push(store.changesAt(at).map(plainKv));
      }
      return { changes };
    }
    case "versions":
      return { versions: sortVersions([...store.versions()].map(plainKv)) };
    case "state":
      return { compactedRevision: store.compactedRevision, revision: store.revision };
    default:
      throw new Error(`no such operation: ${op.op}`);
  }
}

function runTransaction(store: MvccStore, op: Operation & { op: "txn" }): Reply {
  const { guard } = op;
  for (const step of op.steps) {
    // As etcd does: refused before anything is written.
    if (step.do === "range" && step.query.revision !== undefined) {
      store.range({ ...storeQuery(step.query), countOnly: true });
    }
  }
  const txn = store.begin();
  if (guard !== undefined) {
    const [found] = txn.range({ key: guard.key, end: undefined }).kvs;
    if ((found?.version ?? 0) !== guard.version) {
      return { done: false, revision: store.revision, steps: [] };
    }
  }
  const steps = op.steps.map((step) => runStep(store, txn, step));
  txn.commit();
  return { done: true, revision: store.revision, steps };
}

function runStep(store: MvccStore, txn: WriteTransaction, step: Step): StepReply {
  switch (step.do) {
    case "put":
      return { kv: plainKv(txn.put(step.key, toBytes(step.value), BigInt(step.lease))) };
    case "delete":
      return { deleted: txn.deleteRange({ key: step.key, end: step.end }) };
    case "range":
      return plainRange(txn.range(storeQuery(step.query)));
    case "peek":
      return plainRange(store.range(storeQuery(step.query)));
  }
}

/** "TypeError: x is not a function (mvcc-store.ts:12)" */
export function describeThrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /([\w.-]+\.[cm]?[jt]s:\d+):\d+\)?$/m.exec(error.stack ?? "")?.[1];
  const name = error.name === "Error" ? "" : `${error.name}: `;
  return `${name}${error.message}${place === undefined ? "" : ` (${place})`}`;
}
