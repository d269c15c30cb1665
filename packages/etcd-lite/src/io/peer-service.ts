/**
 * The other end of peer links: what other members ask of this one.
 *
 * Source  etcd v3.6 server/etcdserver/api/rafthttp/http.go for what is refused
 */
import {
  codes,
  type Handlers,
  type Metadata,
  RpcError,
  type ServerStream,
  type UpgradeHandler,
} from "@nanokube/rpc";
import { MessageReader } from "../core/peer-frames.ts";
import type { Member } from "./member.ts";
import { guarded, guardedAsync } from "./member.ts";
import { removedText } from "./peer-link.ts";
import type { PeerCounters } from "./peer-metrics.ts";
import {
  clusterHeader,
  fromHeader,
  messagesProtocol,
  type Peer,
  type SnapshotPart,
  toHeader,
} from "./peer-protocol.ts";
import { createProposal } from "./proposal.ts";
import { readSnapshot } from "./snapshot.ts";

export function createPeerService(member: Member): Handlers<typeof Peer> {
  const { state, identity } = member;
  return {
    snapshot: async (call) => {
      const sender = checkPeer(member, call.metadata);
      const counters = member.peers.metrics.of(sender);
      const sinceMs = member.clock.monotonic();
      counters.snapshotsReceiving = (counters.snapshotsReceiving ?? 0) + 1;
      let isDone = false;
      try {
        await takeSnapshot(member, call, counters);
        isDone = true;
      } finally {
        counters.snapshotReceived(isDone, member.clock.monotonic() - sinceMs);
      }
      return {};
    },

    // Also for a member that joins, and does not know yet who it is.
    members: () => ({ clusterId: identity.clusterId, members: state.cluster.sorted }),

    renewLeases: ({ ids }) =>
      guardedAsync(async () => ({ seconds: await member.leases.renewForOthers(ids) })),
    timeToLive: (request) => guarded(() => member.leases.timeToLiveHere(request)),
    promote: ({ ID }) => member.reconfiguration.promoteHere(ID),
  };
}

type SnapshotCall = ServerStream<SnapshotPart, unknown>;

async function takeSnapshot(
  member: Member,
  call: SnapshotCall,
  counters: PeerCounters,
): Promise<void> {
  const { node, state, identity, metrics } = member;
  const chunks: Uint8Array[] = [];
  let found: SnapshotPart["head"];
  for await (const { head, chunk } of call.requests) {
    counters.receivedBytes += chunk.length;
    if (head !== undefined) found = head;
    else chunks.push(Buffer.from(chunk));
  }
  const { index, term, from, logTerm, ...membership } = found!;
  const { quotaBytes, storage } = state;
  const data = Buffer.concat(chunks);
  const nowMs = member.clock.now();
  metrics.snapshotsApplying++;
  try {
    const options = { quotaBytes, nowMs, storage };
    const { state: content } = readSnapshot(data, "from the leader", options);
    const snapshot = { index, term: logTerm, membership, content };
    node.step([{ type: "snapshot", from, to: identity.memberId, term, snapshot }]);
  } finally {
    metrics.snapshotsApplying--;
  }
}

/** Streams of messages: what arrives together is dealt with together. */
export function createPeerStreams(member: Member): UpgradeHandler {
  const { node, identity, log } = member;
  return ({ protocol, headers }, accept) => {
    const metadata = headers as Metadata;
    if (protocol !== messagesProtocol) {
      throw new RpcError(codes.UNIMPLEMENTED, `unknown protocol ${protocol}`);
    }
    const from = checkPeer(member, metadata);
    const to = identity.memberId;
    if (metadata[toHeader] !== to.toString(16)) {
      throw new RpcError(codes.FAILED_PRECONDITION, "etcdserver: raft ID mismatch");
    }
    const stream = accept();
    const reader = new MessageReader({ from, to }, createProposal);
    const counters = member.peers.metrics.of(from);
    stream.on("data", (bytes) => {
      counters.receivedBytes += bytes.length;
      try {
        node.step(reader.push(bytes));
      } catch (error) {
        counters.receivedFailures++;
        log.warn({ from: from.toString(16), error: String(error) }, "cannot read from a peer");
        stream.destroy();
      }
    });
    stream.on("end", () => stream.destroy());
  };
}

/** Is the caller of this cluster, and still in it? Answers who it is. */
function checkPeer({ identity, state }: Member, metadata: Metadata): bigint {
  const cluster = metadata[clusterHeader];
  if (cluster !== identity.clusterId.toString(16)) {
    throw new RpcError(codes.FAILED_PRECONDITION, "etcdserver: cluster ID mismatch");
  }
  const text = String(metadata[fromHeader] ?? "0");
  const from = BigInt(/^[0-9a-f]{1,16}$/.test(text) ? `0x${text}` : "0");
  if (state.cluster.removed.has(from)) {
    throw new RpcError(codes.FAILED_PRECONDITION, `etcdserver: ${removedText}`);
  }
  return from;
}
