/**
 * The other end of peer links: what other members ask of this one.
 *
 * Source  etcd v3.6 server/etcdserver/api/rafthttp/http.go for what is refused
 */
import { codes, type Handlers, RpcError, type ServerCall } from "@nanokube/rpc";
import type { Member } from "./member.ts";
import { guarded, guardedAsync } from "./member.ts";
import { removedText } from "./peer-link.ts";
import { clusterHeader, fromHeader, fromWire, type Peer } from "./peer-protocol.ts";
import { readSnapshot } from "./snapshot.ts";

export function createPeerService(member: Member): Handlers<typeof Peer> {
  const { node, state, identity } = member;
  return {
    messages: async (call) => {
      checkPeer(member, call);
      call.write({}); // Welcome.
      for await (const batch of call.requests) {
        for (const wire of batch.messages) {
          const message = fromWire(wire);
          if (message !== undefined && message.to === identity.memberId) node.step(message);
        }
      }
    },

    snapshot: async (call) => {
      checkPeer(member, call);
      const chunks: Uint8Array[] = [];
      const head: { index: number; term: number; from: bigint; logTerm: number }[] = [];
      const membership = { voters: [] as bigint[], learners: [] as bigint[] };
      for await (const part of call.requests) {
        if (part.head !== undefined) {
          head.push(part.head);
          membership.voters.push(...part.voters);
          membership.learners.push(...part.learners);
        } else chunks.push(Buffer.from(part.chunk));
      }
      const { index, term, from, logTerm } = head[0]!;
      const { quotaBytes } = state;
      const data = Buffer.concat(chunks);
      const nowMs = member.clock.now();
      const { state: content } = readSnapshot(data, "from the leader", { quotaBytes, nowMs });
      const snapshot = { index, term: logTerm, membership, content };
      node.step({ type: "snapshot", from, to: identity.memberId, term, snapshot });
      return {};
    },

    // Also for a member that joins, and does not know yet who it is.
    members: () => ({ clusterId: identity.clusterId, members: state.cluster.sorted }),

    renewLease: ({ ID }) => guardedAsync(() => member.leases.renewForOthers(ID)),
    timeToLive: (request) => guarded(() => member.leases.timeToLiveHere(request)),
    promote: ({ ID }) => member.reconfiguration.promoteHere(ID),
  };
}

/** Is the caller of this cluster, and still in it? */
function checkPeer({ identity, state }: Member, { metadata }: ServerCall): void {
  const cluster = metadata[clusterHeader];
  if (cluster !== identity.clusterId.toString(16)) {
    throw new RpcError(codes.FAILED_PRECONDITION, "etcdserver: cluster ID mismatch");
  }
  const from = BigInt(`0x${metadata[fromHeader] ?? "0"}`);
  if (state.cluster.removed.has(from)) {
    throw new RpcError(codes.FAILED_PRECONDITION, `etcdserver: ${removedText}`);
  }
}
