/**
 * A candidate: asks everybody for their vote.
 *
 * Twice: first whether they would vote (`preCandidate`, in nobody's term), then in earnest. A
 * member that was cut off therefore does not disturb the others when it comes back (thesis 9.6).
 */
import { type MemberId, type Message, nobody, type Storage } from "./message.ts";
import type { Raft, Role } from "./raft.ts";

export interface Candidacy {
  readonly isPreVote: boolean;
  readonly isTransfer: boolean;
}

export class Candidate implements Role {
  readonly name: "preCandidate" | "candidate";
  readonly #raft: Raft;
  readonly #candidacy: Candidacy;
  readonly #votes = new Map<MemberId, boolean>();

  constructor(raft: Raft, candidacy: Candidacy) {
    this.#raft = raft;
    this.#candidacy = candidacy;
    this.name = candidacy.isPreVote ? "preCandidate" : "candidate";
  }

  begin(): void {
    const { isPreVote, isTransfer } = this.#candidacy;
    const { id, log, membership } = this.#raft;
    const { lastIndex, lastTerm } = log;
    const type = isPreVote ? "preVote" : "vote";
    const term = isPreVote ? this.#raft.term + 1 : this.#raft.term;
    for (const to of membership.voters) {
      if (to !== id) this.#raft.send({ type, to, term, lastIndex, lastTerm, isTransfer });
    }
    // Would it vote for itself? Yes. Its vote in earnest counts when the disk has it.
    if (isPreVote) this.#count(id, true);
  }

  tick(): void {
    this.#raft.tickElection();
  }

  persisted({ hardState }: Storage): void {
    if (this.#candidacy.isPreVote || hardState?.term !== this.#raft.term) return;
    this.#count(this.#raft.id, true);
  }

  step(message: Message): void {
    const raft = this.#raft;
    switch (message.type) {
      case "append":
      case "heartbeat":
      case "snapshot":
        // Somebody else won this term.
        raft.becomeFollower(raft.term, message.from);
        raft.role.step(message);
        return;
      case "preVoteAnswer":
        if (this.#candidacy.isPreVote) this.#count(message.from, message.granted);
        return;
      case "voteAnswer":
        if (!this.#candidacy.isPreVote) this.#count(message.from, message.granted);
        return;
      case "timeoutNow":
        raft.takeOver();
        return;
      default:
        return;
    }
  }

  #count(voter: MemberId, granted: boolean): void {
    if (!this.#votes.has(voter)) this.#votes.set(voter, granted);
    const raft = this.#raft;
    const result = raft.membership.tally(this.#votes);
    if (result === "lost") raft.becomeFollower(raft.term, nobody);
    else if (result === "won" && this.#candidacy.isPreVote) raft.becomeCandidate(this.#candidacy);
    else if (result === "won") raft.becomeLeader();
  }
}
