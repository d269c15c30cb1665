/**
 * Queues of keys under a prefix, oldest first: what locks and elections have in common.
 *
 * Whoever waits has a key there that hangs on a lease; who has the oldest key has the lock, or
 * leads. All goes through the KV handlers with the caller's call, so that permissions hold.
 * Source  etcd v3.6 client/v3/concurrency/{session,key}.go
 */
import { codes, etcd, type Handlers, type Init, RpcError, type ServerCall } from "@nanokube/rpc";
import { keyBytes, keyText } from "../core/bytes.ts";
import { isTombstone, type KeySpan, type KeyValue } from "../core/key-value.ts";
import type { Member } from "./member.ts";

const sessionTTLSeconds = 60;
const created = 2;
const ascending = 1;
const descending = 2;

export interface ConcurrencyParts {
  readonly member: Member;
  readonly kv: Handlers<typeof etcd.KV>;
  readonly lease: Handlers<typeof etcd.Lease>;
}

export class Concurrency {
  readonly #parts: ConcurrencyParts;

  constructor(parts: ConcurrencyParts) {
    this.#parts = parts;
  }

  /** The lease that a caller's key hangs on: his own, or a new one. */
  async session(id: bigint, call: ServerCall): Promise<bigint> {
    if (id !== 0n) return id;
    const request = etcd.LeaseGrantRequest.fill({ TTL: sessionTTLSeconds });
    return (await passed(() => this.#parts.lease.leaseGrant!(request, call))).ID!;
  }

  async txn(request: Init<etcd.TxnRequest>, call: ServerCall): Promise<etcd.TxnResponse> {
    const filled = etcd.TxnRequest.fill(request);
    return etcd.TxnResponse.fill(await passed(() => this.#parts.kv.txn!(filled, call)));
  }

  async get(request: Init<etcd.RangeRequest>, call: ServerCall): Promise<etcd.RangeResponse> {
    const filled = etcd.RangeRequest.fill(request);
    return etcd.RangeResponse.fill(await passed(() => this.#parts.kv.range!(filled, call)));
  }

  async delete(key: Uint8Array, call: ServerCall): Promise<etcd.DeleteRangeResponse> {
    const filled = etcd.DeleteRangeRequest.fill({ key });
    const response = await passed(() => this.#parts.kv.deleteRange!(filled, call));
    return etcd.DeleteRangeResponse.fill(response);
  }

  /** Until every key under the prefix that is as old as that is gone. */
  async untilOldest(prefix: string, createRevisionMax: number, call: ServerCall): Promise<void> {
    for (;;) {
      const newest = { sortTarget: created, sortOrder: descending, limit: 1 };
      const range = { ...prefixRange(prefix), ...newest, maxCreateRevision: createRevisionMax };
      const { kvs, header } = await this.get(range, call);
      if (kvs.length === 0) return;
      const span = { key: keyText(kvs[0]!.key), end: undefined };
      await this.firstChange({ span, from: header!.revision, isWanted: isTombstone }, call);
    }
  }

  /** The first change that is wanted, at or after a revision. Ends with the call. */
  firstChange({ span, from, isWanted }: Wanted, call: ServerCall): Promise<KeyValue> {
    return new Promise((resolve, reject) => {
      const stop = this.follow({ span, from }, (change) => {
        if (!isWanted(change)) return;
        finish();
        resolve(change);
      });
      const onAbort = () => {
        finish();
        reject(new RpcError(codes.CANCELLED, "context canceled"));
      };
      const finish = () => {
        call.signal.removeEventListener("abort", onAbort);
        stop();
      };
      if (call.signal.aborted) onAbort();
      else call.signal.addEventListener("abort", onAbort);
    });
  }

  /** Every change of the span at or after a revision, one by one; the result ends it. */
  follow(from: Omit<Wanted, "isWanted">, tell: (change: KeyValue) => void): () => void {
    let isStopped = false;
    const stream = this.#parts.member.state.hub.open(({ changes }) => {
      for (const change of changes) if (!isStopped) tell(change);
    });
    const filters = { noPut: false, noDelete: false };
    stream.create({ ...from.span, id: 1, startRevision: from.from, ...filters });
    // After the caller has what it needs to stop again: the past may hold the change already.
    queueMicrotask(() => {
      while (!isStopped && !stream.isCaughtUp) {
        for (const { changes } of stream.catchUp()) {
          for (const change of changes) if (!isStopped) tell(change);
        }
      }
    });
    return () => {
      isStopped = true;
      stream.close();
    };
  }
}

/** etcd's own client stands in between there, and errors that pass it lose their code. */
async function passed<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RpcError) throw new RpcError(codes.UNKNOWN, error.details);
    throw error;
  }
}

interface Wanted {
  readonly span: KeySpan;
  readonly from: number;
  isWanted(change: KeyValue): boolean;
}

/** The caller's key in the queue. */
export function queueKey(prefix: string, lease: bigint): string {
  return `${prefix}${lease.toString(16)}`;
}

export function prefixRange(prefix: string): { key: Buffer; rangeEnd: Buffer } {
  return { key: keyBytes(prefix), rangeEnd: keyBytes(prefixEnd(prefix)) };
}

/** The prefix with its last byte raised; always there, since prefixes here end in "/". */
export function prefixEnd(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}

export function oldest(prefix: string): Init<etcd.RangeRequest> {
  return { ...prefixRange(prefix), sortTarget: created, sortOrder: ascending, limit: 1 };
}

/** `create revision of key = revision`, as a compare. */
export function createdAt(key: Uint8Array, createRevision: number): Init<etcd.Compare> {
  return { key, target: 1, result: 0, createRevision };
}
