/**
 * Who belongs to the cluster, who of them votes, and what a majority says.
 *
 * Changes are made one member at a time, so that every majority before a change and every majority
 * after it have a member in common (thesis 4.1). A change counts when it is applied.
 */
import { invariant } from "./invariant.ts";
import type { MemberId, MembershipChange, MembershipShape } from "./message.ts";

export class Membership {
  readonly voters: Set<MemberId>;
  readonly learners: Set<MemberId>;

  constructor({ voters, learners }: MembershipShape) {
    this.voters = new Set(voters);
    this.learners = new Set(learners);
  }

  get shape(): MembershipShape {
    return { voters: [...this.voters], learners: [...this.learners] };
  }

  /** Everybody, learners too. */
  get all(): MemberId[] {
    return [...this.voters, ...this.learners];
  }

  has(id: MemberId): boolean {
    return this.voters.has(id) || this.learners.has(id);
  }

  get majority(): number {
    return Math.floor(this.voters.size / 2) + 1;
  }

  change({ type, id }: MembershipChange): void {
    this.learners.delete(id);
    if (type === "addVoter") this.voters.add(id);
    else {
      this.voters.delete(id);
      if (type === "addLearner") this.learners.add(id);
    }
    invariant(this.voters.size > 0, "a membership change removed the last voter");
  }

  /** The highest value that a majority of the voters has reached. */
  majorityValue(of: (voter: MemberId) => number): number {
    const values = [...this.voters].map(of).sort((a, b) => b - a);
    return values[this.majority - 1] ?? 0;
  }

  tally(votes: ReadonlyMap<MemberId, boolean>): "won" | "lost" | "pending" {
    let granted = 0;
    let refused = 0;
    for (const voter of this.voters) {
      const vote = votes.get(voter);
      if (vote === true) granted++;
      else if (vote === false) refused++;
    }
    if (granted >= this.majority) return "won";
    return refused > this.voters.size - this.majority ? "lost" : "pending";
  }
}
