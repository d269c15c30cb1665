/**
 * What members say to each other between peer URLs.
 *
 * etcd's own peer protocol is not a seam: members of one cluster are of one make. Every call names
 * the cluster and the member it comes from, and is refused when they do not fit.
 *
 *     a stream of messages (HTTP/1.1 Upgrade, then core/peer-frames.ts): all of consensus; gRPC's
 *     frames and objects would cost more than what they carry
 *     Snapshot       a state for a member that is too far behind: head, then chunks
 *     Members        who belongs to this cluster: for a member that joins
 *     RenewLeases …  what only the leader can answer
 */
import {
  clientStream,
  etcd,
  type MethodInfo,
  message,
  type ServiceInfo,
  service,
  unary,
} from "@nanokube/rpc";
import type { ClusterMember } from "../core/cluster.ts";
import { ClusterMemberRecord } from "./entry-codec.ts";

interface SnapshotHead {
  from: bigint;
  /** The leader's. */
  term: number;
  /** Of the last entry that the state holds. */
  index: number;
  logTerm: number;
  voters: bigint[];
  learners: bigint[];
}

export interface SnapshotPart {
  /** In the first part only. */
  head?: SnapshotHead | undefined;
  chunk: Uint8Array;
}

export interface MembersResponse {
  clusterId: bigint;
  members: ClusterMember[];
}

export interface RenewLeasesRequest {
  ids: bigint[];
}

export interface RenewLeasesResponse {
  /** In the order asked for; 0 for a lease that is gone. */
  seconds: number[];
}

const Nothing = message<Nothing>("nanokube.etcdlite.Nothing", "");
const SnapshotHead = message<SnapshotHead>(
  "nanokube.etcdlite.SnapshotHead",
  [
    "from:1:uint64! term:2:uint64 index:3:uint64 logTerm:4:uint64",
    "voters:5:*uint64! learners:6:*uint64!",
  ].join(" "),
);
const SnapshotPart = message<SnapshotPart>(
  "nanokube.etcdlite.SnapshotPart",
  `head:1:.${SnapshotHead.name} chunk:2:bytes`,
);
const MembersResponse = message<MembersResponse>(
  "nanokube.etcdlite.MembersResponse",
  `clusterId:1:uint64! members:2:*.${ClusterMemberRecord.name}`,
);
const RenewLeasesRequest = message<RenewLeasesRequest>(
  "nanokube.etcdlite.RenewLeasesRequest",
  "ids:1:*int64!",
);
const RenewLeasesResponse = message<RenewLeasesResponse>(
  "nanokube.etcdlite.RenewLeasesResponse",
  "seconds:1:*int64",
);

const path = (method: string) => `/nanokube.etcdlite.Peer/${method}`;

type Nothing = Record<string, never>;
type Ask<I, O> = MethodInfo<I, O, false, false>;

const snapshot: MethodInfo<SnapshotPart, Nothing, true, false> = clientStream(
  path("Snapshot"),
  SnapshotPart,
  Nothing,
);
const members: Ask<Nothing, MembersResponse> = unary(path("Members"), Nothing, MembersResponse);
const renewLeases: Ask<RenewLeasesRequest, RenewLeasesResponse> = unary(
  path("RenewLeases"),
  RenewLeasesRequest,
  RenewLeasesResponse,
);
const timeToLive: Ask<etcd.LeaseTimeToLiveRequest, etcd.LeaseTimeToLiveResponse> = unary(
  path("TimeToLive"),
  etcd.LeaseTimeToLiveRequest,
  etcd.LeaseTimeToLiveResponse,
);
const promote: Ask<etcd.MemberPromoteRequest, etcd.MemberPromoteResponse> = unary(
  path("Promote"),
  etcd.MemberPromoteRequest,
  etcd.MemberPromoteResponse,
);
const methods = { snapshot, members, renewLeases, timeToLive, promote };

export const Peer: ServiceInfo<typeof methods> = service("nanokube.etcdlite.Peer", methods);

/** What a stream of messages is called when it is asked for. */
export const messagesProtocol = "nanokube-etcd-lite-raft";
export const clusterHeader = "x-etcd-cluster-id";
export const fromHeader = "x-server-from";
export const toHeader = "x-raft-to";
