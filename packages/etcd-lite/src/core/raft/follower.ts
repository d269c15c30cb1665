/**
 * A follower: takes what the leader says, and stands for election when it says nothing.
 *
 * It forwards proposals and reads to the leader it knows.
 */
import { invariant } from "./invariant.ts";
import type { Append, Heartbeat, InstallSnapshot, Message } from "./message.ts";
import { nobody } from "./message.ts";
import type { Raft, Role } from "./raft.ts";

export class Follower implements Role {
  readonly name = "follower";
  readonly #raft: Raft;

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  tick(): void {
    this.#raft.tickElection();
  }

  persisted(): void {}

  step(message: Message): void {
    const raft = this.#raft;
    switch (message.type) {
      case "append":
        this.#hear(message);
        followAppend(raft, message);
        return;
      case "heartbeat":
        this.#hear(message);
        followHeartbeat(raft, message);
        return;
      case "snapshot":
        this.#hear(message);
        followSnapshot(raft, message);
        return;
      case "timeoutNow":
        raft.takeOver();
        return;
      case "readIndexAnswer":
        raft.readConfirmed(message);
        return;
      default:
        return; // Answers to what it asked in another role, and what a leader was asked.
    }
  }

  #hear(message: Message): void {
    const raft = this.#raft;
    invariant(
      raft.leader === nobody || raft.leader === message.from,
      `two leaders in term ${raft.term}`,
    );
    raft.electionElapsed = 0;
    raft.leader = message.from;
  }
}

function followAppend(raft: Raft, message: Append): void {
  const { log } = raft;
  const { from: to, prevIndex, prevTerm, entries, commit, isNews } = message;
  const accepted = {
    type: "appendAnswer",
    to,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  } as const;
  if (prevIndex < log.committed) {
    // Old news: up to the commit index all logs agree.
    if (isNews !== true) raft.send({ ...accepted, index: log.committed });
    return;
  }
  const index = log.merge(prevIndex, prevTerm, entries);
  if (index !== undefined) {
    log.commitTo(Math.min(commit, index));
    if (isNews !== true) raft.send({ ...accepted, index });
    return;
  }
  // Where could they agree? Not at any entry of a later term than the leader's own before the gap.
  const hint = log.lastIndexNotAfter(Math.min(prevIndex, log.lastIndex), prevTerm);
  raft.send({
    ...accepted,
    index: prevIndex,
    rejected: true,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

function followHeartbeat(raft: Raft, { from: to, beat, commit }: Heartbeat): void {
  // The leader sends no more than what this member said that it has.
  raft.log.commitTo(Math.min(commit, raft.log.lastIndex));
  raft.send({ type: "heartbeatAnswer", to, beat, commit: 0 });
}

function followSnapshot(raft: Raft, { from: to, snapshot }: InstallSnapshot): void {
  const { log } = raft;
  const answer = { type: "appendAnswer", to, rejected: false, hintIndex: 0, hintTerm: 0 } as const;
  const isOld = snapshot.index <= log.committed;
  if (!isOld && log.term(snapshot.index) === snapshot.term) {
    // The log has it all: knowing that it is committed is enough.
    log.commitTo(snapshot.index);
  } else if (!isOld) raft.restore(snapshot);
  raft.send({ ...answer, index: log.committed });
}
