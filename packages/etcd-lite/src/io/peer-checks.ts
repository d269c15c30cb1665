/**
 * What members ask of each other to compare what they hold.
 *
 * Source  etcd v3.6 server/etcdserver/corrupt.go hashKVHandler
 */
import {
  codes,
  etcd,
  type Handlers,
  type Init,
  type MethodInfo,
  RpcError,
  type ServiceInfo,
  service,
  unary,
} from "@nanokube/rpc";
import { hashKV as hashNow } from "../core/hash-kv.ts";
import { guarded, header, type Member } from "./member.ts";
import { clusterHeader } from "./peer-protocol.ts";

const hashKV: MethodInfo<etcd.HashKVRequest, etcd.HashKVResponse, false, false> = unary(
  "/nanokube.etcdlite.PeerChecks/HashKV",
  etcd.HashKVRequest,
  etcd.HashKVResponse,
);
const methods = { hashKV };

export const PeerChecks: ServiceInfo<typeof methods> = service(
  "nanokube.etcdlite.PeerChecks",
  methods,
);

export function createPeerChecks(member: Member): Handlers<typeof PeerChecks> {
  return {
    hashKV: (request, { metadata }) => {
      if (metadata[clusterHeader] !== member.identity.clusterId.toString(16)) {
        throw new RpcError(codes.FAILED_PRECONDITION, "etcdserver: cluster ID mismatch");
      }
      return answerHashKV(member, request);
    },
  };
}

/** What a compaction took while it ran counts before what can be added up now. */
export async function answerHashKV(
  member: Member,
  { revision }: etcd.HashKVRequest,
): Promise<Init<etcd.HashKVResponse>> {
  const { clock, metrics } = member;
  const fromMs = clock.monotonic();
  const taken = revision > 0 ? await member.hashes.find(revision) : undefined;
  const found = taken ?? guarded(() => hashNow(member.state.store, revision));
  metrics.observe("hashRevision", clock.monotonic() - fromMs);
  const { hash, compactRevision, hashRevision } = found;
  return { header: header(member), hash, compactRevision, hashRevision };
}
