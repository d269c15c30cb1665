/**
 * What members say to each other, and what a member asks of the world around it.
 *
 * Shapes  LogEntry   one place of the log; without a payload it is the mark of a new leader
 *         Message    one step of the protocol; `term` is the sender's, `from` and `to` are members
 *         Storage    what must be durable before `promises` may be sent
 * Source  the Raft thesis (Ongaro 2014), chapters 3, 4 and 6; go.etcd.io/raft for the names
 */

export type MemberId = bigint;

/** In place of a leader or a vote: there is none. */
export const nobody: MemberId = 0n;

/** What an entry carries; consensus looks at its size only, and at whether it is a change. */
export interface Payload {
  readonly sizeBytes: number;
  /** True for a change of membership: one at a time. */
  readonly isChange?: boolean | undefined;
  /** Whom the change removes. A leader does not remove itself: it hands over first. */
  readonly removes?: MemberId | undefined;
}

export interface LogEntry {
  readonly index: number;
  readonly term: number;
  readonly payload: Payload | undefined;
}

/** What a member must not forget; `commit` is a hint that may lag. */
export interface HardState {
  readonly term: number;
  readonly vote: MemberId;
  readonly commit: number;
}

export interface MembershipShape {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

/** The state after an entry, in place of the log up to it. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly membership: MembershipShape;
  /** The state itself, for who applies it. */
  readonly content?: unknown;
}

export type MembershipChange =
  | { readonly type: "addVoter"; readonly id: MemberId } // promotes a learner, too
  | { readonly type: "addLearner"; readonly id: MemberId }
  | { readonly type: "remove"; readonly id: MemberId };

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
}

export interface VoteRequest extends Envelope {
  readonly type: "preVote" | "vote";
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader itself asked for this election: it overrides everybody's trust in that leader. */
  readonly isTransfer: boolean;
}

export interface VoteAnswer extends Envelope {
  readonly type: "preVoteAnswer" | "voteAnswer";
  readonly granted: boolean;
  /** Of the candidate's log, as far as the voter has it: the last entry known to be committed. */
  readonly committed?: { readonly index: number; readonly term: number } | undefined;
}

export interface Append extends Envelope {
  readonly type: "append";
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly LogEntry[];
  readonly commit: number;
  /** It only tells what is committed: an answer is wanted when it does not fit, else not. */
  readonly isNews?: boolean | undefined;
}

/** Accepted: everything up to `index` is durable. Rejected: `index` is the prevIndex refused. */
export interface AppendAnswer extends Envelope {
  readonly type: "appendAnswer";
  readonly index: number;
  readonly rejected: boolean;
  /** A place where the logs may agree, with the term that the follower has there. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** `beat` numbers the rounds of one leader: its answers confirm that it led when it was sent. */
export interface Heartbeat extends Envelope {
  readonly type: "heartbeat" | "heartbeatAnswer";
  readonly beat: number;
  readonly commit: number;
}

export interface InstallSnapshot extends Envelope {
  readonly type: "snapshot";
  readonly snapshot: Snapshot;
}

export interface TimeoutNow extends Envelope {
  readonly type: "timeoutNow";
}

/**
 * Proposals on their way to the leader. Each batch is numbered within one life of its sender: a
 * leader takes no number twice, and none that is older than one it took.
 */
export interface Forwarded extends Envelope {
  readonly type: "propose";
  readonly session: number;
  readonly number: number;
  readonly payloads: readonly Payload[];
}

export interface ReadIndex extends Envelope {
  readonly type: "readIndex" | "readIndexAnswer";
  /** The asking member's own number for this read. */
  readonly read: number;
  /** In answers: what must be applied before the read may look. */
  readonly index: number;
}

export type Message =
  | VoteRequest
  | VoteAnswer
  | Append
  | AppendAnswer
  | Heartbeat
  | InstallSnapshot
  | TimeoutNow
  | Forwarded
  | ReadIndex;

/** A message that has its type and content, and gets sender and term on its way out. */
export type Draft = Message extends infer M
  ? M extends Message
    ? Omit<M, "from" | "term"> & { readonly term?: number }
    : never
  : never;

/** One write to the disk: first `snapshot`, then `entries`, and `hardState` with them. */
export interface Storage {
  readonly hardState: HardState | undefined;
  readonly snapshot: Snapshot | undefined;
  /** They replace everything in the log from the first one's index on. */
  readonly entries: readonly LogEntry[];
  /** To be sent when all this, and all Storage before it, is durable: not earlier. */
  readonly promises: readonly Message[];
}

/** A read may be answered once `index` is applied. */
export interface ReadState {
  readonly read: number;
  readonly index: number;
}

export type ProposeOutcome = "appended" | "forwarded" | "noLeader" | "transferring" | "tooMany";
