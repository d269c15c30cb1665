/**
 * How large a request is to etcd, which measures it inside of what goes into its log.
 *
 *     InternalRaftRequest   header (field 100: the request's id), and the request as one more field
 * The id begins with the low 16 bits of the member's, so that its length differs between members.
 * Source  etcd v3.6 server/etcdserver/v3_server.go processInternalRaftRequestOnce;
 *         pkg/idutil/id.go; api/etcdserverpb/raft_internal.proto
 */

/** Tag (two bytes) and length of the header, and the tag of the id in it. */
const headerBytes = 2 + 1 + 1;
/** Bits of an id under those of the member. */
const idBits = 48;

export function raftRequestBytes(requestBytes: number, memberId: bigint): number {
  return headerBytes + idBytes(memberId) + 1 + varintBytes(requestBytes) + requestBytes;
}

function idBytes(memberId: bigint): number {
  const prefix = Number(BigInt.asUintN(16, memberId));
  return Math.ceil((idBits + (32 - Math.clz32(prefix))) / 7);
}

function varintBytes(value: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7));
}
