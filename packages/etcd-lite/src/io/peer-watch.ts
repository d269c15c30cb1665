/**
 * Says once in the log that peers are out of reach, or that nobody leads, and once that it is over.
 *
 * A moment is no news: only what lasts as long as an election is told.
 */
import { nobody } from "../core/raft/message.ts";
import type { Member } from "./member.ts";

export class PeerWatch {
  readonly #member: Member;
  /** Since when each trouble has lasted; the leader's is under `nobody`. */
  readonly #sinceMs = new Map<bigint, number>();
  readonly #told = new Set<bigint>();

  constructor(member: Member) {
    this.#member = member;
  }

  /** Called with each tick. */
  tick(): void {
    const { node, peers, state, identity, log } = this.#member;
    if (node.isAlone) return;
    for (const { id, name, peerURLs } of state.cluster.members.values()) {
      if (id === identity.memberId) continue;
      const facts = { peer: id.toString(16), name, urls: peerURLs };
      const change = this.#note(id, peers.activeSinceMs(id) === undefined);
      if (change === "begun") log.error(facts, "cannot reach a peer");
      else if (change === "over") log.info(facts, "a peer is in reach again");
    }
    const change = this.#note(nobody, node.raft.leader === nobody);
    const facts = { term: node.raft.term };
    if (change === "begun") log.error(facts, "no leader: requests that need one fail");
    else if (change === "over") log.info(facts, "there is a leader again");
  }

  #note(what: bigint, isTrouble: boolean): "begun" | "over" | undefined {
    if (!isTrouble) {
      this.#sinceMs.delete(what);
      return this.#told.delete(what) ? "over" : undefined;
    }
    const { clock, electionMs } = this.#member;
    const nowMs = clock.monotonic();
    const sinceMs = this.#sinceMs.get(what) ?? nowMs;
    this.#sinceMs.set(what, sinceMs);
    if (this.#told.has(what) || nowMs - sinceMs < electionMs) return undefined;
    this.#told.add(what);
    return "begun";
  }
}
