/**
 * Who a member is: ids computed from its peer URLs and the cluster token, exactly as etcd does, so
 * that the same flags give the same ids.
 *
 * Source  etcd v3.6 server/etcdserver/api/membership/member.go computeMemberID, cluster.go genID
 */
import { createHash } from "node:crypto";
import type { MemberIdentity } from "./member.ts";

export interface IdentityOptions {
  readonly name?: string | undefined;
  readonly peerURLs?: readonly string[] | undefined;
  readonly clientURLs?: readonly string[] | undefined;
  readonly clusterToken?: string | undefined;
}

export function createIdentity(options: IdentityOptions): MemberIdentity {
  const name = options.name ?? "default";
  const peerURLs = options.peerURLs ?? ["http://localhost:2380"];
  const clientURLs = options.clientURLs ?? ["http://localhost:2379"];
  const token = options.clusterToken ?? "etcd-cluster";
  const memberId = firstEightBytes(Buffer.from([...peerURLs].sort().join("") + token));
  const memberBytes = Buffer.alloc(8);
  memberBytes.writeBigUInt64BE(memberId);
  return { name, peerURLs, clientURLs, memberId, clusterId: firstEightBytes(memberBytes) };
}

function firstEightBytes(data: Buffer): bigint {
  return createHash("sha1").update(data).digest().readBigUInt64BE();
}
