/**
 * A member: who it is, its state, and the way in for writes. Every service stands on it.
 */
import type { Clock, Log, Random } from "@nanokube/machinery";
import { type etcd, type Init, RpcError } from "@nanokube/rpc";
import type { Entry } from "../core/entry.ts";
import { EtcdError, errors } from "../core/errors.ts";
import type { FeatureGates } from "../core/feature-gates.ts";
import type { MemberState } from "../core/member-state.ts";
import type { CompactionHashes } from "./compaction-hashes.ts";
import type { Leases } from "./leases.ts";
import type { MetricsRegistry } from "./metrics.ts";
import type { Peers } from "./peers.ts";
import type { Proposals } from "./proposals.ts";
import type { RaftNode } from "./raft-node.ts";
import type { Reconfiguration } from "./reconfiguration.ts";
import type { Tidying } from "./tidying.ts";
import type { WebTokens } from "./web-tokens.ts";

export interface MemberIdentity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
}

export interface Limits {
  readonly txnOpsMax: number;
  readonly requestBytesMax: number;
  readonly progressNotifyMs: number;
  /** What takes longer to be applied, or found, is told of in the log. */
  readonly warnAfterMs: number;
}

export interface Member {
  readonly identity: MemberIdentity;
  /** Raft's term. */
  readonly term: number;
  readonly state: MemberState;
  readonly node: RaftNode;
  readonly peers: Peers;
  readonly leases: Leases;
  readonly reconfiguration: Reconfiguration;
  readonly proposals: Proposals;
  /** What compactions took while they ran. */
  readonly hashes: CompactionHashes;
  readonly tidying: Tidying;
  /** How long an election takes to begin. */
  readonly electionMs: number;
  readonly heartbeatMs: number;
  readonly limits: Limits;
  /** Absent: tokens are simple ones, which the state holds. */
  readonly webTokens: WebTokens | undefined;
  /** A client certificate's common name is its user's. */
  readonly clientCertAuth: boolean;
  readonly bcryptCost: number;
  readonly metrics: MetricsRegistry;
  readonly featureGates: FeatureGates;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function header(member: Member, revision?: number): etcd.ResponseHeader {
  return {
    clusterId: member.identity.clusterId,
    memberId: member.identity.memberId,
    revision: revision || member.state.store.revision,
    raftTerm: member.term,
  };
}

interface WithHeader {
  readonly header?: { readonly revision?: number | undefined } | undefined;
}

/** A state's response, complete; what changes only the cluster has none. */
export function answer<T extends WithHeader>(member: Member, response: T | undefined): T {
  const whole: WithHeader = { ...response, header: header(member, response?.header?.revision) };
  return whole as T;
}

/** Proposes a write and gives the complete response; the state's refusals come as RpcErrors. */
export function write<T>(member: Member, entry: Entry): Promise<Init<T>> | Init<T> {
  try {
    const response = member.proposals.propose(entry);
    if (!(response instanceof Promise)) return answer(member, response as WithHeader) as Init<T>;
    return response.then(
      (done) => answer(member, done as WithHeader) as Init<T>,
      (error) => {
        // What the state refuses was proposed well; this one was not.
        if (error instanceof EtcdError && !errors[error.kind].definite) {
          member.metrics.count("proposalsFailed");
        }
        throw toRpc(error);
      },
    );
  } catch (error) {
    throw toRpc(error);
  }
}

export function toRpc(error: unknown): unknown {
  return error instanceof EtcdError ? new RpcError(error.code, error.message) : error;
}

export async function guardedAsync<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toRpc(error);
  }
}

/** Runs a check or a read, turning the core's errors into the wire's. */
export function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toRpc(error);
  }
}
