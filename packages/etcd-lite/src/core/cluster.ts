/**
 * The members of the cluster, as the log says: who they are, where they listen, who was removed.
 *
 * Part of the replicated state: every member has the same table after the same entry. An id that
 * was removed never comes back.
 *
 * Errors  MemberExist, PeerURLExist, MemberNotFound, MemberNotLearner, TooManyLearners, IDRemoved
 * Source  etcd v3.6 server/etcdserver/api/membership/cluster.go ValidateConfigurationChange
 */
import { EtcdError } from "./errors.ts";
import type { MembershipChange, MembershipShape } from "./raft/message.ts";

export interface ClusterMember {
  readonly id: bigint;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}

export interface MemberChangeRequest {
  readonly action: "add" | "remove" | "update" | "promote";
  readonly member: ClusterMember;
}

/** What a member says of itself when it has started. */
export interface MemberAttributesRequest {
  readonly id: bigint;
  readonly name: string;
  readonly clientURLs: readonly string[];
}

/** A cluster whose members shall be exchanged for those of the release before. */
export interface DowngradeRequest {
  readonly enabled: boolean;
  /** `3.5.0`; empty when it is over. */
  readonly version: string;
}

/** What this release's cluster is at, unless it is on its way down. */
export const newestClusterVersion = "3.6.0";

export class Cluster {
  /** What all members are able to: the leader sets it. */
  version = newestClusterVersion;
  downgradeTarget: string | undefined;
  readonly members = new Map<bigint, ClusterMember>();
  readonly removed = new Set<bigint>();
  maxLearners = 1;

  get shape(): MembershipShape {
    const all = [...this.members.values()];
    return {
      voters: all.filter(({ isLearner }) => !isLearner).map(({ id }) => id),
      learners: all.filter(({ isLearner }) => isLearner).map(({ id }) => id),
    };
  }

  get voters(): ClusterMember[] {
    return this.sorted.filter(({ isLearner }) => !isLearner);
  }

  get sorted(): ClusterMember[] {
    return [...this.members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Makes the change, and says what it is for consensus; undefined when it is none of its. */
  change({ action, member }: MemberChangeRequest): MembershipChange | undefined {
    const { id } = member;
    this.check({ action, member });
    const before = this.members.get(id)!;
    switch (action) {
      case "add":
        this.members.set(id, member);
        return { type: member.isLearner ? "addLearner" : "addVoter", id };
      case "promote":
        this.members.set(id, { ...before, isLearner: false });
        return { type: "addVoter", id };
      case "update":
        this.members.set(id, { ...before, peerURLs: member.peerURLs });
        return undefined;
      case "remove":
        this.members.delete(id);
        this.removed.add(id);
        return { type: "remove", id };
    }
  }

  check({ action, member }: MemberChangeRequest): void {
    const { id } = member;
    const known = this.members.get(id);
    if (this.removed.has(id)) throw new EtcdError("MemberNotFound");
    if (action === "add") {
      if (known !== undefined) throw new EtcdError("MemberExist");
      this.#checkURLs(member);
      const learners = this.sorted.filter(({ isLearner }) => isLearner).length;
      if (member.isLearner && learners >= this.maxLearners) throw new EtcdError("TooManyLearners");
      return;
    }
    if (known === undefined) throw new EtcdError("MemberNotFound");
    if (action === "promote" && !known.isLearner) throw new EtcdError("MemberNotLearner");
    if (action === "update") this.#checkURLs(member);
    // Nobody would be left to decide anything.
    if (action === "remove" && !known.isLearner && this.voters.length === 1) {
      throw new EtcdError("MemberNotEnoughStarted");
    }
  }

  #checkURLs({ id, peerURLs }: ClusterMember): void {
    for (const other of this.members.values()) {
      if (other.id === id) continue;
      if (peerURLs.some((url) => other.peerURLs.includes(url))) throw new EtcdError("PeerURLExist");
    }
  }

  setAttributes({ id, name, clientURLs }: MemberAttributesRequest): void {
    const member = this.members.get(id);
    if (member !== undefined) this.members.set(id, { ...member, name, clientURLs });
  }

  setDowngrade({ enabled, version }: DowngradeRequest): void {
    this.downgradeTarget = enabled ? version : undefined;
  }

  /** Becomes what another is. */
  copy(other: Cluster): void {
    this.restore(other.members.values(), other.removed);
    this.version = other.version;
    this.downgradeTarget = other.downgradeTarget;
  }

  restore(members: Iterable<ClusterMember>, removed: Iterable<bigint>): void {
    this.members.clear();
    this.removed.clear();
    for (const member of members) this.members.set(member.id, member);
    for (const id of removed) this.removed.add(id);
  }
}
