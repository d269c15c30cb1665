/**
 * An etcd v3 server in TypeScript: MVCC, watch, lease, write-ahead log, Raft.
 *
 * @packageDocumentation
 */
export { type ErrorFact, type ErrorName, EtcdError, errors } from "./core/errors.ts";
export type { KeySpan, KeyValue } from "./core/key-value.ts";
export { createLessor, type Lease, type Lessor } from "./core/lessor.ts";
export {
  createMvccStore,
  type MvccStore,
  type RangeQuery,
  type RangeResult,
  type StoreContent,
  type WriteTransaction,
} from "./core/mvcc-store.ts";
export type * from "./core/raft/message.ts";
export { Raft, type RaftOptions, type Role } from "./core/raft/raft.ts";
export type { LogContent } from "./core/raft/raft-log.ts";
export {
  createWatchHub,
  type Delivery,
  type WatchHub,
  type WatchSpec,
  type WatchStream,
} from "./core/watch-hub.ts";
export { createEtcd, type Etcd, type EtcdOptions, type StoreFork } from "./io/etcd.ts";
