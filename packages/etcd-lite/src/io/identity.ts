/**
 * Who a member is: ids computed from peer URLs and the cluster token, exactly as etcd does, so that
 * the same flags give the same ids.
 *
 * Source  etcd v3.6 server/etcdserver/api/membership/member.go computeMemberID, cluster.go genID
 */
import { createHash } from "node:crypto";
import type { ClusterMember } from "../core/cluster.ts";
import type { MemberIdentity } from "./member.ts";

export interface InitialMember {
  readonly name: string;
  readonly peerURLs: readonly string[];
}

export interface IdentityOptions {
  readonly name?: string | undefined;
  readonly peerURLs?: readonly string[] | undefined;
  readonly clientURLs?: readonly string[] | undefined;
  readonly clusterToken?: string | undefined;
  /** Every member that the cluster begins with, or has, this one too; absent: this one alone. */
  readonly initialCluster?: readonly InitialMember[] | undefined;
}

export interface Bootstrap {
  readonly identity: MemberIdentity;
  /** In order of their ids: the first entries of the log, the same on every member. */
  readonly members: readonly ClusterMember[];
}

export function createIdentity(options: IdentityOptions): Bootstrap {
  const name = options.name ?? "default";
  const peerURLs = options.peerURLs ?? ["http://localhost:2380"];
  const clientURLs = options.clientURLs ?? ["http://localhost:2379"];
  const token = options.clusterToken ?? "etcd-cluster";
  const initial = options.initialCluster ?? [{ name, peerURLs }];
  const members = initial
    .map((member) => ({
      id: memberIdOf(member.peerURLs, token),
      name: member.name,
      peerURLs: member.peerURLs,
      // Only alone can one say this before all agree.
      clientURLs: initial.length === 1 ? clientURLs : [],
      isLearner: false,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const self = members.find((member) => member.name === name);
  if (self === undefined) {
    throw new Error(`couldn't find local name "${name}" in the initial cluster configuration`);
  }
  const ids = members.map(({ id }) => id);
  const clusterId = clusterIdOf(ids);
  return { identity: { name, peerURLs, clientURLs, memberId: self.id, clusterId }, members };
}

/** `salt`: etcd adds the time in seconds for members that join later. */
export function memberIdOf(peerURLs: readonly string[], salt: string): bigint {
  return firstEightBytes(Buffer.from([...peerURLs].sort().join("") + salt));
}

function clusterIdOf(sortedIds: readonly bigint[]): bigint {
  const bytes = Buffer.alloc(8 * sortedIds.length);
  for (const [i, id] of sortedIds.entries()) bytes.writeBigUInt64BE(id, 8 * i);
  return firstEightBytes(bytes);
}

function firstEightBytes(data: Buffer): bigint {
  return createHash("sha1").update(data).digest().readBigUInt64BE();
}
