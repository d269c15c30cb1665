/**
 * Changes of membership, and what is asked before they are proposed.
 *
 * With strictReconfigCheck (etcd's default) a change that could cost the majority is refused.
 *
 * Errors  MemberNotEnoughStarted, Unhealthy, LearnerNotReady, and what core/cluster.ts refuses
 * Source  etcd v3.6 server/etcdserver/server.go mayAddMember, mayRemoveMember, mayPromoteMember
 */

import type { RpcError } from "@nanokube/rpc";
import type { ClusterMember, MemberChangeRequest } from "../core/cluster.ts";
import { EtcdError, errors } from "../core/errors.ts";
import { Leader } from "../core/raft/leader.ts";
import { nobody } from "../core/raft/message.ts";
import { memberIdOf } from "./identity.ts";
import { guarded, type Member, toRpc, write } from "./member.ts";
import { quoted } from "./metrics.ts";

/** A connection younger than this does not count as healthy. */
const healthMs = 5000;
/** How much of the leader's log a learner must have. */
const readyShare = 0.9;

export class Reconfiguration {
  readonly #member: Member;
  readonly #isStrict: boolean;

  constructor(member: Member, { isStrict }: { isStrict: boolean }) {
    this.#member = member;
    this.#isStrict = isStrict;
  }

  async add(peerURLs: readonly string[], isLearner: boolean): Promise<ClusterMember> {
    const seconds = Math.floor(this.#member.clock.now() / 1000);
    const id = memberIdOf(peerURLs, String(seconds));
    const member = { id, name: "", peerURLs, clientURLs: [], isLearner };
    if (this.#isStrict) guarded(() => this.#mayAdd(member));
    await this.#change({ action: "add", member });
    return member;
  }

  async remove(id: bigint): Promise<void> {
    if (this.#isStrict) guarded(() => this.#mayRemove(id));
    await this.#handOverBefore(id);
    await this.#change({ action: "remove", member: { ...unnamed, id } });
  }

  /** A leader does not remove itself: somebody else leads first. */
  async #handOverBefore(id: bigint): Promise<void> {
    const { node, identity, state, clock, electionMs } = this.#member;
    if (id !== identity.memberId || !node.isLeader) return;
    const other = state.cluster.voters.find((voter) => voter.id !== id);
    if (other === undefined) return;
    const untilMs = clock.monotonic() + 2 * electionMs;
    while (node.isLeader && clock.monotonic() < untilMs) {
      node.transferTo(other.id);
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 50));
    }
  }

  async update(id: bigint, peerURLs: readonly string[]): Promise<void> {
    await this.#change({ action: "update", member: { ...unnamed, id, peerURLs } });
  }

  /** Only the leader knows how far a learner is: it is asked. */
  async promote(id: bigint): Promise<void> {
    const { node, peers, clock, proposals } = this.#member;
    const untilMs = clock.monotonic() + proposals.timeoutMs;
    while (clock.monotonic() < untilMs) {
      if (node.isLeader) {
        await this.promoteHere(id);
        return;
      }
      const { leader } = node.raft;
      if (leader !== nobody) {
        try {
          const options = { metadata: peers.metadata, timeoutMs: 5000 };
          await peers.client(leader)!.promote({ ID: id }, options);
          return;
        } catch (error) {
          const { code } = error as { code?: number };
          const isAnswer = code === 9 || code === 5; // A refusal, not a broken way.
          if (isAnswer && !String(error).includes("not leader")) throw error;
        }
      }
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 100));
    }
    throw toRpc(new EtcdError("Timeout"));
  }

  async promoteHere(id: bigint): Promise<Record<string, never>> {
    try {
      guarded(() => this.#mayPromote(id));
    } catch (error) {
      if (this.#member.node.isLeader) this.#promotionFailed(error as RpcError);
      throw error;
    }
    await this.#change({ action: "promote", member: { ...unnamed, id } });
    this.#member.metrics.count("learnerPromoted");
    return {};
  }

  #promotionFailed({ details }: RpcError): void {
    const isUnknown = details === errors.MemberNotFound.text;
    const reason = isUnknown ? "membership: ID not found" : details;
    const labels = `Reason=${quoted(reason)}`;
    this.#member.metrics.countLabelled("etcd_server_learner_promote_failures", labels);
  }

  #change(request: MemberChangeRequest): Promise<unknown> | unknown {
    return write(this.#member, { kind: "memberChange", request });
  }

  #mayAdd(member: ClusterMember): void {
    const { state } = this.#member;
    const { voters } = state.cluster;
    const started = voters.filter(isStarted).length;
    const future = voters.length + 1;
    const isOneToTwo = started === 1 && future === 2;
    if (!member.isLearner && !isOneToTwo && started < majorityOf(future)) {
      throw new EtcdError("MemberNotEnoughStarted");
    }
    if (this.#connectedCount(voters) < voters.length) throw new EtcdError("Unhealthy");
  }

  #mayRemove(id: bigint): void {
    const { state, identity, peers } = this.#member;
    const { cluster } = state;
    if (cluster.members.get(id)?.isLearner === true) return;
    const left = cluster.voters.filter((voter) => voter.id !== id);
    if (left.filter(isStarted).length < majorityOf(left.length)) {
      throw new EtcdError("MemberNotEnoughStarted");
    }
    // One that is down takes no part anyway.
    if (id !== identity.memberId && peers.activeSinceMs(id) === undefined) return;
    const active = this.#connectedCount(cluster.voters);
    if (active - 1 < majorityOf(cluster.voters.length - 1)) throw new EtcdError("Unhealthy");
  }

  #mayPromote(id: bigint): void {
    const { node, state } = this.#member;
    const { role, log } = node.raft;
    if (!(role instanceof Leader)) throw new EtcdError("NotLeader");
    const progress = role.progress.get(id);
    if (progress === undefined && !state.cluster.members.has(id)) {
      throw new EtcdError("MemberNotFound");
    }
    if (progress !== undefined && progress.match < log.durable * readyShare) {
      throw new EtcdError("LearnerNotReady");
    }
    if (!this.#isStrict) return;
    const { voters } = state.cluster;
    const started = voters.filter(isStarted).length + 1;
    if (started < majorityOf(voters.length + 1)) throw new EtcdError("MemberNotEnoughStarted");
  }

  /** Those that this member has been connected to for a while, and itself. */
  #connectedCount(members: readonly ClusterMember[]): number {
    const { identity, peers, clock } = this.#member;
    const nowMs = clock.monotonic();
    return members.filter(({ id }) => {
      if (id === identity.memberId) return true;
      const sinceMs = peers.activeSinceMs(id);
      return sinceMs !== undefined && nowMs - sinceMs >= healthMs;
    }).length;
  }
}

const unnamed = { name: "", peerURLs: [], clientURLs: [], isLearner: false };

const isStarted = ({ name }: ClusterMember) => name !== "";

const majorityOf = (count: number) => Math.floor(count / 2) + 1;
