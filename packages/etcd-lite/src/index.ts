/**
 * An etcd v3 server in TypeScript: MVCC, watch, lease, write-ahead log.
 *
 * @packageDocumentation
 */
export {};
