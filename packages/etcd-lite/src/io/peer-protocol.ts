/**
 * What members say to each other, on the wire: a gRPC service of our own between peer URLs.
 *
 * etcd's own peer protocol is not a seam: members of one cluster are of one make. Every call names
 * the cluster and the member it comes from, and is refused when they do not fit.
 *
 *     Messages       a stream of batches, one a turn of the event loop, without answers
 *     Snapshot       a state for a member that is too far behind: head, then chunks
 *     Members        who belongs to this cluster: for a member that joins
 *     RenewLease … what only the leader can answer
 */
import {
  bidi,
  clientStream,
  etcd,
  type MethodInfo,
  message,
  type ServiceInfo,
  service,
  unary,
} from "@nanokube/rpc";
import type { ClusterMember } from "../core/cluster.ts";
import type { LogEntry, Message, Payload } from "../core/raft/message.ts";
import type { Proposal } from "../core/replica.ts";
import { ClusterMemberRecord } from "./entry-codec.ts";
import { createProposal } from "./proposal.ts";

interface WireEntry {
  term: number;
  /** 0 is the mark of a new leader. */
  kind: number;
  bytes: Uint8Array;
  origin: number;
  sequence: number;
}

/** All types of messages in one; each uses the fields that it needs. */
interface WireMessage {
  type: number;
  from: bigint;
  to: bigint;
  term: number;
  index: number;
  logTerm: number;
  commit: number;
  flag: boolean;
  hintIndex: number;
  hintTerm: number;
  number: number;
  entries: WireEntry[];
}

export interface WireBatch {
  messages: WireMessage[];
}

export interface SnapshotPart {
  /** In the first part only. */
  head?: WireMessage | undefined;
  voters: bigint[];
  learners: bigint[];
  chunk: Uint8Array;
}

export interface MembersResponse {
  clusterId: bigint;
  members: ClusterMember[];
}

const Nothing = message<Nothing>("nanokube.etcdlite.Nothing", "");
const WireEntry = message<WireEntry>(
  "nanokube.etcdlite.WireEntry",
  "term:1:uint64 kind:2:int32 bytes:3:bytes origin:4:uint32 sequence:5:uint64",
);
const WireMessage = message<WireMessage>(
  "nanokube.etcdlite.WireMessage",
  [
    "type:1:int32 from:2:uint64! to:3:uint64! term:4:uint64 index:5:uint64 logTerm:6:uint64",
    "commit:7:uint64 flag:8:bool hintIndex:9:uint64 hintTerm:10:uint64 number:11:uint64",
    `entries:12:*.${WireEntry.name}`,
  ].join(" "),
);
const WireBatch = message<WireBatch>(
  "nanokube.etcdlite.WireBatch",
  `messages:1:*.${WireMessage.name}`,
);
const SnapshotPart = message<SnapshotPart>(
  "nanokube.etcdlite.SnapshotPart",
  `head:1:.${WireMessage.name} voters:2:*uint64! learners:3:*uint64! chunk:4:bytes`,
);
const MembersResponse = message<MembersResponse>(
  "nanokube.etcdlite.MembersResponse",
  `clusterId:1:uint64! members:2:*.${ClusterMemberRecord.name}`,
);

const path = (method: string) => `/nanokube.etcdlite.Peer/${method}`;

type Nothing = Record<string, never>;
type Ask<I, O> = MethodInfo<I, O, false, false>;

const messages: MethodInfo<WireBatch, Nothing, true, true> = bidi(
  path("Messages"),
  WireBatch,
  Nothing,
);
const snapshot: MethodInfo<SnapshotPart, Nothing, true, false> = clientStream(
  path("Snapshot"),
  SnapshotPart,
  Nothing,
);
const members: Ask<Nothing, MembersResponse> = unary(path("Members"), Nothing, MembersResponse);
const renewLease: Ask<etcd.LeaseKeepAliveRequest, etcd.LeaseKeepAliveResponse> = unary(
  path("RenewLease"),
  etcd.LeaseKeepAliveRequest,
  etcd.LeaseKeepAliveResponse,
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
const methods = { messages, snapshot, members, renewLease, timeToLive, promote };

export const Peer: ServiceInfo<typeof methods> = service("nanokube.etcdlite.Peer", methods);

export const clusterHeader = "x-etcd-cluster-id";
export const fromHeader = "x-server-from";

const types: readonly Message["type"][] = [
  "preVote",
  "preVoteAnswer",
  "vote",
  "voteAnswer",
  "append",
  "appendAnswer",
  "heartbeat",
  "heartbeatAnswer",
  "snapshot",
  "timeoutNow",
  "propose",
  "readIndex",
  "readIndexAnswer",
];

const blank = {
  index: 0,
  logTerm: 0,
  commit: 0,
  flag: false,
  hintIndex: 0,
  hintTerm: 0,
  number: 0,
  entries: [] as WireEntry[],
};

export function toWire(message: Message): WireMessage {
  const { from, to, term } = message;
  const wire = { ...blank, type: types.indexOf(message.type), from, to, term };
  switch (message.type) {
    case "preVote":
    case "vote": {
      const { lastIndex: index, lastTerm: logTerm, isTransfer: flag } = message;
      return { ...wire, index, logTerm, flag };
    }
    case "preVoteAnswer":
    case "voteAnswer":
      return { ...wire, flag: message.granted };
    case "append": {
      const { prevIndex: index, prevTerm: logTerm, commit } = message;
      const entries = message.entries.map((e) => toWireEntry(e.payload, e.term));
      return { ...wire, index, logTerm, commit, entries };
    }
    case "appendAnswer": {
      const { index, rejected: flag, hintIndex, hintTerm } = message;
      return { ...wire, index, flag, hintIndex, hintTerm };
    }
    case "heartbeat":
    case "heartbeatAnswer":
      return { ...wire, number: message.beat, commit: message.commit };
    case "snapshot": {
      const { index, term: logTerm } = message.snapshot;
      return { ...wire, index, logTerm };
    }
    case "propose":
      return {
        ...wire,
        index: message.session,
        number: message.number,
        entries: message.payloads.map((payload) => toWireEntry(payload, 0)),
      };
    case "readIndex":
    case "readIndexAnswer":
      return { ...wire, number: message.read, index: message.index };
    case "timeoutNow":
      return wire;
  }
}

function toWireEntry(payload: Payload | undefined, term: number): WireEntry {
  if (payload === undefined) return { term, kind: 0, bytes: noBytes, origin: 0, sequence: 0 };
  const { raw, origin, sequence } = payload as Proposal;
  return { term, kind: raw.kind, bytes: raw.bytes, origin, sequence };
}

const noBytes = new Uint8Array();

/** Undefined for a type that a newer member may have. */
export function fromWire(wire: WireMessage): Message | undefined {
  const { from, to, term, index, flag } = wire;
  const envelope = { from, to, term };
  const type = types[wire.type];
  switch (type) {
    case "preVote":
    case "vote": {
      const { logTerm: lastTerm } = wire;
      return { ...envelope, type, lastIndex: index, lastTerm, isTransfer: flag };
    }
    case "preVoteAnswer":
    case "voteAnswer":
      return { ...envelope, type, granted: flag };
    case "append": {
      const entries = wire.entries.map((entry, i) => fromWireEntry(entry, index + 1 + i));
      const { logTerm: prevTerm, commit } = wire;
      return { ...envelope, type, prevIndex: index, prevTerm, commit, entries };
    }
    case "appendAnswer": {
      const { hintIndex, hintTerm } = wire;
      return { ...envelope, type, index, rejected: flag, hintIndex, hintTerm };
    }
    case "heartbeat":
    case "heartbeatAnswer":
      return { ...envelope, type, beat: wire.number, commit: wire.commit };
    case "propose": {
      const payloads = wire.entries.map((entry) => fromWireEntry(entry, 0).payload!);
      return { ...envelope, type, payloads, session: index, number: wire.number };
    }
    case "readIndex":
    case "readIndexAnswer":
      return { ...envelope, type, read: wire.number, index };
    case "timeoutNow":
      return { ...envelope, type };
    default:
      return undefined;
  }
}

function fromWireEntry(entry: WireEntry, index: number): LogEntry {
  const { term, kind, origin, sequence } = entry;
  if (kind === 0) return { index, term, payload: undefined };
  // A copy: a view would keep the network's whole chunk in memory.
  const raw = { kind, bytes: Buffer.from(entry.bytes) };
  return { index, term, payload: createProposal(raw, { origin, sequence }) };
}
