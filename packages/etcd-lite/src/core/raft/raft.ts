/**
 * One member's share of the consensus: a state machine that decides and never acts.
 *
 *     step(message)  tick()  propose(payloads)  read(number)  persisted(storage)      in
 *     takeMessages()  takeStorage()  takeCommitted()  takeReads()                      out
 *
 * No clock (a tick is a tick), no socket, no disk. Who drives it sends messages at once, writes one
 * Storage after the other, sends its promises when it is durable, applies what is committed in
 * order. Messages may be lost, delayed, doubled, reordered; storage must not be.
 *
 * This file holds what every member does whatever its role: terms, votes, and the change of roles.
 * follower.ts, candidate.ts and leader.ts are the roles.
 *
 * Source  the Raft thesis (Ongaro 2014): 3 the algorithm, 4 membership, 6 reads, 9.6 pre-vote;
 *         10.2.1 a leader writes its own log while it sends. go.etcd.io/raft for check-quorum
 */
import { type Candidacy, Candidate } from "./candidate.ts";
import { Follower } from "./follower.ts";
import { Leader } from "./leader.ts";
import { Membership } from "./membership.ts";
import {
  type Draft,
  type HardState,
  type LogEntry,
  type MemberId,
  type MembershipChange,
  type MembershipShape,
  type Message,
  nobody,
  type Payload,
  type ProposeOutcome,
  type ReadState,
  type Snapshot,
  type Storage,
  type VoteAnswer,
  type VoteRequest,
} from "./message.ts";
import { type LogContent, RaftLog } from "./raft-log.ts";

export interface RaftOptions {
  readonly id: MemberId;
  readonly membership: MembershipShape;
  readonly hardState: HardState;
  readonly log: LogContent;
  /** Without a word from a leader for this long (up to twice as long, by chance): an election. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** As if it had waited for so many already: who starts need not wait for a leader that long. */
  readonly waitedTicks?: number | undefined;
  /** In [0, 1): spreads elections, so that members do not stand against each other for ever. */
  readonly random: () => number;
  /** Another one in each life of the member. */
  readonly session: number;
  /** Ask whether an election could be won before the term is raised. */
  readonly preVote?: boolean | undefined;
  /** A leader that hears no majority steps down; members that hear a leader do not vote. */
  readonly checkQuorum?: boolean | undefined;
  /** Answer reads by the clock of ticks, without asking: needs checkQuorum and honest ticks. */
  readonly leaseReads?: boolean | undefined;
  readonly appendBytesMax?: number | undefined;
  readonly inflightMax?: number | undefined;
  readonly uncommittedBytesMax?: number | undefined;
}

export interface Role {
  readonly name: "follower" | "preCandidate" | "candidate" | "leader";
  tick(): void;
  step(message: Message): void;
  /** Storage became durable. */
  persisted(storage: Storage): void;
}

const defaults = {
  preVote: true,
  checkQuorum: true,
  leaseReads: false,
  appendBytesMax: 512 * 1024,
  inflightMax: 256,
  uncommittedBytesMax: 64 * 1024 * 1024,
};

export class Raft {
  readonly id: MemberId;
  readonly settings: Required<{ [K in keyof typeof defaults]: (typeof defaults)[K] }> &
    Pick<RaftOptions, "electionTicks" | "heartbeatTicks" | "random" | "session">;
  readonly log: RaftLog;
  readonly membership: Membership;
  role: Role;
  term: number;
  vote: MemberId;
  leader: MemberId = nobody;
  /** Ticks since the leader (or, as leader, the last check of the quorum) was heard. */
  electionElapsed = 0;
  /** The same, after which this member stands for election: drawn anew for each term. */
  electionTimeout = 0;

  #saved: HardState;
  #messages: Message[] = [];
  #promises: Message[] = [];
  #reads: ReadState[] = [];
  #snapshot: Snapshot | undefined;
  #forwarded = 0;

  constructor(options: RaftOptions) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.settings = { ...defaults, ...(Object.fromEntries(given) as typeof options) } as never;
    this.id = options.id;
    this.log = new RaftLog(options.log);
    this.log.commitTo(Math.min(options.hardState.commit, this.log.lastIndex));
    this.membership = new Membership(options.membership);
    this.term = options.hardState.term;
    this.vote = options.hardState.vote;
    this.#saved = options.hardState;
    this.role = new Follower(this);
    this.resetElectionTimer();
    this.electionElapsed = options.waitedTicks ?? 0;
  }

  // What comes in.

  tick(): void {
    this.role.tick();
  }

  step(message: Message): void {
    if (message.type === "preVoteAnswer" || message.type === "voteAnswer") this.#learn(message);
    if (message.term > this.term) {
      if (isVoteRequest(message) && !message.isTransfer && this.#hearsLeader()) return;
      if (!isAboutFutureTerm(message)) {
        this.becomeFollower(message.term, isFromLeader(message) ? message.from : nobody);
      }
    } else if (message.term < this.term) {
      this.#answerStale(message);
      return;
    }
    if (isVoteRequest(message)) this.#answerVoteRequest(message);
    else this.role.step(message);
  }

  /**
   * What is committed is so for ever, whoever says it. A candidate may need the vote of a member
   * that it does not know to be removed, and that will never give it: that one can tell it so.
   */
  #learn({ committed }: VoteAnswer): void {
    if (committed === undefined || committed.term === 0) return;
    if (this.log.term(committed.index) === committed.term) this.log.commitTo(committed.index);
  }

  propose(payloads: readonly Payload[]): ProposeOutcome {
    if (this.role instanceof Leader) return this.role.propose(payloads);
    if (this.leader === nobody) return "noLeader";
    const { session } = this.settings;
    this.send({ type: "propose", to: this.leader, payloads, session, number: ++this.#forwarded });
    return "forwarded";
  }

  /** Asks which index a linearizable read has to wait for; false when there is nobody to ask. */
  read(read: number): boolean {
    if (this.role instanceof Leader) {
      this.role.read({ from: this.id, read });
      return true;
    }
    if (this.leader === nobody) return false;
    this.send({ type: "readIndex", to: this.leader, read, index: 0 });
    return true;
  }

  /** Stands for election now: a member that is alone, or that the leader chose. */
  campaign(): void {
    this.#stand({ isTransfer: false });
  }

  /** Called when what takeStorage() gave is durable; its promises may then be sent. */
  persisted(storage: Storage): void {
    const last = storage.entries.at(-1) ?? storage.snapshot;
    if (last !== undefined) this.log.persisted(last.index, last.term);
    this.role.persisted(storage);
  }

  /** A change of membership that is committed and was found valid. */
  changeMembership(change: MembershipChange): void {
    this.membership.change(change);
    if (this.role instanceof Leader) this.role.membershipChanged();
  }

  // What goes out.

  get hasMessages(): boolean {
    return this.#messages.length > 0;
  }

  /** Whether takeStorage() has something. */
  get hasStorage(): boolean {
    return this.#mustWrite || this.#promises.length > 0;
  }

  get #mustWrite(): boolean {
    const isSaved = this.term === this.#saved.term && this.vote === this.#saved.vote;
    return !isSaved || this.log.hasUnwritten || this.#snapshot !== undefined;
  }

  takeMessages(): readonly Message[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  /** The next thing to make durable: taken one at a time, when the one before is. */
  takeStorage(): Storage | undefined {
    if (!this.hasStorage) return undefined;
    // A commit index alone is not worth a write: it rides with the next one. It must ride there,
    // so that nobody stands for election unaware of a change of membership that it has.
    const isWrite = this.#mustWrite;
    const hardState = { term: this.term, vote: this.vote, commit: this.log.committed };
    const storage: Storage = {
      hardState: isWrite ? hardState : undefined,
      snapshot: this.#snapshot,
      entries: this.log.takeUnwritten(),
      promises: this.#promises,
    };
    if (isWrite) this.#saved = hardState;
    this.#snapshot = undefined;
    this.#promises = [];
    return storage;
  }

  takeCommitted(): readonly LogEntry[] {
    return this.log.takeCommitted();
  }

  takeReads(): readonly ReadState[] {
    const reads = this.#reads;
    this.#reads = [];
    return reads;
  }

  // What roles do.

  send(draft: Draft): void {
    const message = { ...draft, from: this.id, term: draft.term ?? this.term } as Message;
    // A vote asked for is one's own vote given: it has to outlive a crash as well.
    const isPromise =
      message.type === "vote" || message.type === "voteAnswer" || message.type === "appendAnswer";
    if (isPromise) this.#promises.push(message);
    else this.#messages.push(message);
  }

  readConfirmed(state: ReadState): void {
    this.#reads.push(state);
  }

  restore(snapshot: Snapshot): void {
    this.log.restore(snapshot);
    this.membership.voters.clear();
    this.membership.learners.clear();
    for (const id of snapshot.membership.voters) this.membership.voters.add(id);
    for (const id of snapshot.membership.learners) this.membership.learners.add(id);
    this.#snapshot = snapshot;
  }

  becomeFollower(term: number, leader: MemberId): void {
    this.#enterTerm(term);
    this.leader = leader;
    this.role = new Follower(this);
    this.resetElectionTimer();
  }

  becomeCandidate({ isTransfer }: { isTransfer: boolean }): void {
    this.#enterTerm(this.term + 1);
    this.vote = this.id;
    this.leader = nobody;
    this.resetElectionTimer();
    this.#enterCandidacy({ isPreVote: false, isTransfer });
  }

  becomeLeader(): void {
    this.leader = this.id;
    this.electionElapsed = 0;
    const leader = new Leader(this);
    this.role = leader;
    leader.begin();
  }

  resetElectionTimer(): void {
    const { electionTicks, random } = this.settings;
    this.electionElapsed = 0;
    this.electionTimeout = electionTicks + Math.floor(random() * electionTicks);
  }

  /** One tick of waiting for a leader, or for votes. */
  tickElection(): void {
    this.electionElapsed++;
    if (this.electionElapsed >= this.electionTimeout) this.#stand({ isTransfer: false });
  }

  /** The leader wishes this member to take over: it knows that the election can be won. */
  takeOver(): void {
    this.#stand({ isTransfer: true });
  }

  #stand({ isTransfer }: { isTransfer: boolean }): void {
    if (this.role instanceof Leader) return;
    // Who may not stand goes on waiting: as long as it was lately told of a leader it does not
    // vote, and that must end.
    if (!this.membership.voters.has(this.id) || this.#hasUnappliedChange()) return;
    if (isTransfer || !this.settings.preVote) {
      this.becomeCandidate({ isTransfer });
      return;
    }
    this.leader = nobody;
    this.resetElectionTimer();
    this.#enterCandidacy({ isPreVote: true, isTransfer });
  }

  #enterCandidacy(candidacy: Candidacy): void {
    const candidate = new Candidate(this, candidacy);
    this.role = candidate;
    candidate.begin();
  }

  /** Whose majority counts is not known before committed changes are applied. */
  #hasUnappliedChange(): boolean {
    for (let index = this.log.applied + 1; index <= this.log.committed; index++) {
      if (this.log.entry(index)?.payload?.isChange === true) return true;
    }
    return false;
  }

  #enterTerm(term: number): void {
    if (term === this.term) return;
    this.term = term;
    this.vote = nobody;
  }

  #hearsLeader(): boolean {
    const { checkQuorum, electionTicks } = this.settings;
    return checkQuorum && this.leader !== nobody && this.electionElapsed < electionTicks;
  }

  /** From a term that is over: who sent it may not know, and could hold up the others. */
  #answerStale(message: Message): void {
    const { checkQuorum, preVote } = this.settings;
    const { from: to } = message;
    if (isFromLeader(message) && (checkQuorum || preVote)) {
      this.send({ type: "appendAnswer", to, index: 0, rejected: true, hintIndex: 0, hintTerm: 0 });
    } else if (message.type === "preVote") {
      this.send({ type: "preVoteAnswer", to, granted: false });
    }
  }

  #answerVoteRequest(request: VoteRequest): void {
    const { from: to, term } = request;
    const isPreVote = request.type === "preVote";
    const isFree = this.vote === nobody && this.leader === nobody;
    const mayVote = this.vote === to || isFree || (isPreVote && term > this.term);
    const granted = mayVote && this.log.isUpToDate(request.lastIndex, request.lastTerm);
    const type = isPreVote ? "preVoteAnswer" : "voteAnswer";
    // A yes is for the term asked about; a no tells one's own.
    const index = Math.min(this.log.committed, request.lastIndex);
    const committed = { index, term: this.log.term(index) ?? 0 };
    this.send({ type, to, granted, term: granted ? term : this.term, committed });
    if (!granted || isPreVote) return;
    this.electionElapsed = 0;
    this.vote = to;
  }
}

function isVoteRequest(message: Message): message is VoteRequest {
  return message.type === "vote" || message.type === "preVote";
}

function isFromLeader({ type }: Message): boolean {
  return type === "append" || type === "heartbeat" || type === "snapshot";
}

/** A pre-vote asks about a term that nobody has entered. */
function isAboutFutureTerm(message: Message): boolean {
  return message.type === "preVote" || (message.type === "preVoteAnswer" && message.granted);
}
