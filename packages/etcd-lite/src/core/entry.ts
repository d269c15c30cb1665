/**
 * What the log says: one write request each, complete enough to be done again at the next start.
 *
 * Nothing in an entry depends on when it is applied: ids are chosen, and expiries decided, before.
 * Source  etcd v3.6 api/etcdserverpb/raft_internal.proto InternalRaftRequest
 */
import type { etcd } from "@nanokube/rpc";
import type { AuthEntry } from "./auth/auth-entry.ts";
import type { Identity } from "./auth/auth-store.ts";
import type { DowngradeRequest, MemberAttributesRequest, MemberChangeRequest } from "./cluster.ts";

/** About the cluster itself: nobody's permission counts when they are applied. */
export type ClusterEntry =
  | { readonly kind: "memberChange"; readonly request: MemberChangeRequest }
  | { readonly kind: "memberAttributes"; readonly request: MemberAttributesRequest }
  | { readonly kind: "downgradeInfo"; readonly request: DowngradeRequest }
  | { readonly kind: "clusterVersion"; readonly request: { readonly version: string } }
  | { readonly kind: "leaseCheckpoint"; readonly request: etcd.LeaseCheckpointRequest };

/** The request as it came, where it did: it need not be encoded again. */
interface AsReceived {
  readonly bytes?: Buffer | undefined;
}

export type PlainEntry =
  | ({ readonly kind: "put"; readonly request: etcd.PutRequest } & AsReceived)
  | ({ readonly kind: "deleteRange"; readonly request: etcd.DeleteRangeRequest } & AsReceived)
  | ({ readonly kind: "txn"; readonly request: etcd.TxnRequest } & AsReceived)
  | { readonly kind: "compact"; readonly request: etcd.CompactionRequest }
  | { readonly kind: "leaseGrant"; readonly request: etcd.LeaseGrantRequest }
  | { readonly kind: "leaseRevoke"; readonly request: etcd.LeaseRevokeRequest }
  | { readonly kind: "alarm"; readonly request: etcd.AlarmRequest }
  | ClusterEntry
  | AuthEntry;

export type PlainKind = PlainEntry["kind"];

/** An entry that somebody asked for whom the member knows. */
export interface EntryAs {
  readonly kind: "as";
  readonly who: Identity;
  readonly entry: PlainEntry;
}

export type Entry = PlainEntry | EntryAs;
export type EntryKind = Entry["kind"];
