/**
 * What consensus and the log are at, for whoever looks on: /health, /metrics.
 */
import { nobody } from "../core/raft/message.ts";
import type { Member } from "./member.ts";

export function hasLeader({ node }: Member): boolean {
  return node.raft.leader !== nobody;
}

export function isLeader({ node }: Member): boolean {
  return node.isLeader;
}

export function isLearner({ state, identity }: Member): boolean {
  return state.cluster.members.get(identity.memberId)?.isLearner ?? false;
}

export function committedIndex({ node }: Member): number {
  return node.raft.log.committed;
}

export function pendingProposals({ proposals }: Member): number {
  return proposals.pending;
}

/** Why nothing is written any more, or for now, if so. */
export function diskFailure({ node }: Member): Error | undefined {
  return node.failure ?? node.fullError;
}
