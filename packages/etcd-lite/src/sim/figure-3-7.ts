/**
 * Figure 3.7 of the thesis (figure 8 of the paper) as far as one member sees it: an entry of an
 * older term comes to be on a majority. Who leads next may still overwrite it, so it must not count
 * as committed before an entry of the leader's own term stands behind it on a majority.
 */
import { nobody } from "../core/raft/message.ts";
import { Raft } from "../core/raft/raft.ts";

export interface Commits {
  /** When entry 2, of term 2, is on three of five. */
  readonly withOlderEntry: number;
  /** When entry 3, of the leader's own term 4, is there too. */
  readonly withOwnEntry: number;
}

export function commitsOfFigure(): Commits {
  const leader = new Raft({
    id: 1n,
    membership: { voters: [1n, 2n, 3n, 4n, 5n], learners: [] },
    hardState: { term: 3, vote: nobody, commit: 1 },
    log: {
      base: { index: 0, term: 0 },
      entries: [1, 2].map((index) => ({ index, term: 2, payload: { sizeBytes: 10 } })),
    },
    electionTicks: 10,
    heartbeatTicks: 1,
    random: () => 0,
    session: 1,
    preVote: false,
  });
  const save = () => {
    for (let storage = leader.takeStorage(); storage; storage = leader.takeStorage()) {
      leader.persisted(storage);
    }
  };
  leader.campaign();
  save();
  for (const from of [2n, 3n]) {
    leader.step({ type: "voteAnswer", from, to: 1n, term: 4, granted: true });
  }
  save();
  const accept = (from: bigint, index: number) => {
    const answer = { rejected: false, hintIndex: 0, hintTerm: 0, index };
    leader.step({ type: "appendAnswer", from, to: 1n, term: 4, ...answer });
  };
  accept(2n, 2);
  accept(3n, 2);
  const withOlderEntry = leader.log.committed;
  accept(2n, 3);
  accept(3n, 3);
  return { withOlderEntry, withOwnEntry: leader.log.committed };
}
