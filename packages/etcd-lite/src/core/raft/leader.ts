/**
 * A leader: puts proposals into the log, brings everybody's log up to its own, and says what is
 * committed: what a majority has durably, of its own term (thesis 3.6.2).
 */
import { invariant } from "./invariant.ts";
import type {
  AppendAnswer,
  Forwarded,
  Heartbeat,
  MemberId,
  Message,
  Payload,
  ProposeOutcome,
  Storage,
} from "./message.ts";
import { nobody } from "./message.ts";
import { Progress } from "./progress.ts";
import type { Raft, Role } from "./raft.ts";
import { type ReadRequest, Reads } from "./reads.ts";

export class Leader implements Role {
  readonly name = "leader";
  readonly progress = new Map<MemberId, Progress>();
  /** To whom the leadership is being handed; no proposals meanwhile. */
  transferee: MemberId = nobody;
  readonly #raft: Raft;
  readonly #reads = new Reads();
  readonly #lastBatches = new Map<string, number>();
  #heartbeatElapsed = 0;
  #uncommittedBytes = 0;
  /** No change of membership before this index is applied: it may be another one. */
  #lastChangeIndex: number;

  constructor(raft: Raft) {
    this.#raft = raft;
    this.#lastChangeIndex = raft.log.lastIndex;
    this.#followMembership();
  }

  /** The first entry of a term: what stands before it can be committed with it. */
  begin(): void {
    this.#push(undefined);
    this.#broadcastAppend();
  }

  // Time.

  tick(): void {
    const raft = this.#raft;
    this.#reads.tick();
    this.#heartbeatElapsed++;
    raft.electionElapsed++;
    if (raft.electionElapsed >= raft.settings.electionTicks) {
      raft.electionElapsed = 0;
      this.transferee = nobody; // It did not take over in time.
      const isOut = !raft.membership.voters.has(raft.id);
      if (isOut || (raft.settings.checkQuorum && !this.#hearsMajority())) {
        raft.becomeFollower(raft.term, nobody);
        return;
      }
    }
    if (this.#heartbeatElapsed < raft.settings.heartbeatTicks) return;
    this.#heartbeatElapsed = 0;
    this.#broadcastHeartbeat();
  }

  #hearsMajority(): boolean {
    const { id, membership } = this.#raft;
    const active = [...membership.voters].filter(
      (voter) => voter === id || this.progress.get(voter)!.isActive,
    );
    for (const progress of this.progress.values()) progress.isActive = false;
    return active.length >= membership.majority;
  }

  #broadcastHeartbeat(): void {
    const { log } = this.#raft;
    const beat = this.#reads.nextBeat();
    for (const { id: to, match } of this.progress.values()) {
      const commit = Math.min(match, log.committed);
      this.#raft.send({ type: "heartbeat", to, beat, commit });
    }
  }

  // Messages.

  step(message: Message): void {
    const progress = this.progress.get(message.from);
    switch (message.type) {
      case "propose":
        if (this.#isNewBatch(message)) this.propose(message.payloads);
        return;
      case "readIndex":
        this.read(message);
        return;
      case "appendAnswer":
        if (progress !== undefined) this.#appendAnswered(progress, message);
        return;
      case "heartbeatAnswer":
        if (progress !== undefined) this.#heartbeatAnswered(progress, message);
        return;
      default:
        invariant(
          message.type !== "append" && message.type !== "heartbeat",
          `two leaders in term ${this.#raft.term}`,
        );
    }
  }

  persisted(_storage: Storage): void {
    if (this.#advanceCommit()) this.#broadcastAppend();
  }

  // Proposals.

  propose(payloads: readonly Payload[]): ProposeOutcome {
    if (this.transferee !== nobody) return "transferring";
    const sizeBytes = payloads.reduce((sum, payload) => sum + payload.sizeBytes, 0);
    const { uncommittedBytesMax } = this.#raft.settings;
    if (this.#uncommittedBytes > 0 && this.#uncommittedBytes + sizeBytes > uncommittedBytesMax) {
      return "tooMany";
    }
    this.#uncommittedBytes += sizeBytes;
    for (const payload of payloads) this.#push(payload);
    this.#broadcastAppend();
    return "appended";
  }

  /** Twice delivered is not twice proposed; what a faster one overtook is as good as lost. */
  #isNewBatch({ from, session, number }: Forwarded): boolean {
    const sender = `${from}:${session}`;
    if (number <= (this.#lastBatches.get(sender) ?? 0)) return false;
    this.#lastBatches.set(sender, number);
    return true;
  }

  /** Whether a change of membership can be proposed now. */
  get canChange(): boolean {
    return this.#lastChangeIndex <= this.#raft.log.applied;
  }

  #push(payload: Payload | undefined): void {
    const { log, term } = this.#raft;
    const index = log.lastIndex + 1;
    if (payload?.isChange === true) {
      const removesSelf = payload.removes === this.#raft.id;
      if (removesSelf) this.#handOverToBest();
      if (removesSelf || !this.canChange) {
        log.push({ index, term, payload: undefined }); // Refused: it does nothing.
        return;
      }
      this.#lastChangeIndex = index;
    }
    log.push({ index, term, payload });
  }

  #broadcastAppend(): void {
    for (const progress of this.progress.values()) this.#sendAppend(progress);
  }

  /** Everything that the member lacks and the window allows; at least the news of a commit. */
  #sendAppend(progress: Progress): void {
    if (!this.#sendOneAppend(progress, true)) return;
    while (progress.state === "replicate" && this.#sendOneAppend(progress, false));
  }

  #sendOneAppend(progress: Progress, evenEmpty: boolean): boolean {
    const { log, settings } = this.#raft;
    if (progress.isPaused(settings.inflightMax)) return false;
    const prevIndex = progress.next - 1;
    const prevTerm = log.term(prevIndex);
    const entries = log.slice(progress.next, settings.appendBytesMax);
    if (prevTerm === undefined || entries === undefined) return this.#sendSnapshot(progress);
    if (entries.length === 0 && !evenEmpty) return false;
    const { id: to } = progress;
    const { committed: commit } = log;
    // A member that surely has the log so far need not say so again: half of all messages.
    const isNews = entries.length === 0 && progress.state === "replicate";
    this.#raft.send({ type: "append", to, prevIndex, prevTerm, entries, commit, isNews });
    progress.sent(prevIndex + entries.length, entries.length);
    return true;
  }

  #sendSnapshot(progress: Progress): boolean {
    const { log, membership } = this.#raft;
    if (!progress.isActive) return false; // It would be made for nobody.
    const { applied: index } = log;
    progress.awaitSnapshot(index);
    const snapshot = { index, term: log.term(index)!, membership: membership.shape };
    this.#raft.send({ type: "snapshot", to: progress.id, snapshot });
    return false;
  }

  #appendAnswered(progress: Progress, answer: AppendAnswer): void {
    const { log, settings } = this.#raft;
    progress.isActive = true;
    if (answer.rejected) {
      // Entries of a later term than the follower's at its hint cannot be in its log.
      const { index } =
        answer.hintTerm > 0
          ? log.lastIndexNotAfter(Math.min(answer.hintIndex, log.lastIndex), answer.hintTerm)
          : { index: answer.hintIndex };
      if (progress.rejected(answer.index, index)) this.#sendAppend(progress);
      return;
    }
    const wasPaused = progress.isPaused(settings.inflightMax);
    const isNews = progress.acknowledged(answer.index);
    if (progress.state === "probe") progress.replicate();
    else if (progress.state === "snapshot" && progress.match + 1 >= log.firstIndex) {
      progress.replicate();
    }
    if (isNews && this.#advanceCommit()) this.#broadcastAppend();
    else if (wasPaused || progress.next <= log.lastIndex) this.#sendNews(progress);
    if (progress.id === this.transferee && progress.match === log.lastIndex) this.#handOver();
  }

  /** Like #sendAppend, but nothing when there is nothing. */
  #sendNews(progress: Progress): void {
    while (this.#sendOneAppend(progress, false) && progress.state === "replicate");
  }

  #heartbeatAnswered(progress: Progress, { beat }: Heartbeat): void {
    const { log } = this.#raft;
    progress.isActive = true;
    progress.isWaiting = false;
    progress.beat = Math.max(progress.beat, beat);
    // Appends may have been lost, and with them every reason to try again.
    if (progress.match < log.lastIndex || progress.state === "probe") this.#prod(progress);
    this.#confirmReads();
  }

  #prod(progress: Progress): void {
    const { log, settings } = this.#raft;
    const isAllSent = progress.next > log.lastIndex || progress.isPaused(settings.inflightMax);
    if (progress.state === "replicate" && isAllSent) {
      // All that may be sent is sent, and not all is answered: an empty append finds out whether it
      // arrived. Without it a window full of lost appends would stay full.
      const [prevIndex, commit] = [progress.next - 1, log.committed];
      const prevTerm = log.term(prevIndex);
      const { id: to } = progress;
      if (prevTerm !== undefined) {
        this.#raft.send({ type: "append", to, prevIndex, prevTerm, entries: [], commit });
        return;
      }
      progress.probe(); // Compacted meanwhile: it will take a snapshot.
    }
    this.#sendAppend(progress);
  }

  #advanceCommit(): boolean {
    const { log, membership, id, term } = this.#raft;
    const index = membership.majorityValue((voter) =>
      voter === id ? log.durable : (this.progress.get(voter)?.match ?? 0),
    );
    if (log.term(index) !== term) return false; // Counting says nothing about older terms.
    const before = log.committed;
    if (!log.commitTo(index)) return false;
    this.#releaseBytes(before, index);
    this.#confirmReads();
    return true;
  }

  #releaseBytes(before: number, index: number): void {
    for (let at = before + 1; at <= index; at++) {
      this.#uncommittedBytes -= this.#raft.log.entry(at)?.payload?.sizeBytes ?? 0;
    }
    this.#uncommittedBytes = Math.max(this.#uncommittedBytes, 0);
  }

  // Reads.

  read(request: ReadRequest): void {
    const { log, settings, term, membership, id } = this.#raft;
    const hasCommitted = log.term(log.committed) === term;
    if (hasCommitted && this.#isProvenByAsking(request)) {
      const { from: to, read } = request;
      this.#raft.send({ type: "readIndexAnswer", to, read, index: log.committed });
      return;
    }
    this.#reads.ask(request, hasCommitted ? log.committed : undefined);
    const isSure =
      (membership.majority === 1 && membership.voters.has(id)) ||
      (settings.leaseReads && this.holdsLease);
    if (isSure) this.#reads.trust();
    else if (hasCommitted) this.#broadcastHeartbeat();
    this.#confirmReads();
  }

  /**
   * A voter that asks was still in this term after its read had come: so it votes for nobody else
   * before that, as an answer to a heartbeat would say. With this leader that can be a majority.
   */
  #isProvenByAsking({ from }: ReadRequest): boolean {
    const { id, membership } = this.#raft;
    const { voters, majority } = membership;
    return majority === 2 && from !== id && voters.has(id) && voters.has(from);
  }

  /** By the clock of ticks nobody else can have been elected: a majority still votes for nobody. */
  get holdsLease(): boolean {
    if (this.transferee !== nobody || !this.#raft.settings.checkQuorum) return false;
    return this.#reads.ticksSince(this.#majorityBeat()) < this.#raft.settings.electionTicks;
  }

  /** The last round of heartbeats that a majority answered. */
  #majorityBeat(): number {
    const { id, membership } = this.#raft;
    return membership.majorityValue((voter) =>
      voter === id ? Number.MAX_SAFE_INTEGER : (this.progress.get(voter)?.beat ?? 0),
    );
  }

  #confirmReads(): void {
    const { log, term, id } = this.#raft;
    // Until an entry of its own term is committed a leader does not know what is.
    if (log.term(log.committed) !== term) return;
    if (this.#reads.releasePostponed(log.committed)) this.#broadcastHeartbeat();
    for (const { from: to, read, index } of this.#reads.takeConfirmed(this.#majorityBeat())) {
      if (to === id) this.#raft.readConfirmed({ read, index });
      else this.#raft.send({ type: "readIndexAnswer", to, read, index });
    }
  }

  // Members.

  membershipChanged(): void {
    this.#followMembership();
    // A smaller majority may have more in common.
    if (this.#advanceCommit()) this.#broadcastAppend();
    else for (const progress of this.progress.values()) this.#sendNews(progress);
    const { voters } = this.#raft.membership;
    if (!voters.has(this.transferee)) this.transferee = nobody;
    // Removed by a leader before it: the others have yet to hear that this is committed.
    if (!voters.has(this.#raft.id)) this.#handOverToBest();
  }

  #followMembership(): void {
    const { membership, id, log } = this.#raft;
    for (const known of this.progress.keys())
      if (!membership.has(known)) this.progress.delete(known);
    for (const member of membership.all) {
      if (member === id || this.progress.has(member)) continue;
      const progress = new Progress(member, log.lastIndex + 1);
      progress.isActive = true; // Else the next check of the quorum would come too early for it.
      this.progress.set(member, progress);
    }
  }

  transferTo(id: MemberId): void {
    const progress = this.progress.get(id);
    if (progress === undefined || !this.#raft.membership.voters.has(id)) return;
    this.#raft.electionElapsed = 0;
    this.transferee = id;
    if (progress.match === this.#raft.log.lastIndex) this.#handOver();
    else this.#sendAppend(progress);
  }

  /** Whoever has most of the log. */
  #handOverToBest(): void {
    const { membership } = this.#raft;
    const best = [...this.progress.values()]
      .filter(({ id }) => membership.voters.has(id))
      .sort((a, b) => b.match - a.match)[0];
    if (best !== undefined) this.transferTo(best.id);
  }

  #handOver(): void {
    this.#raft.send({ type: "timeoutNow", to: this.transferee });
  }

  /** The way to a member is broken: what is under way to it may be lost. */
  unreachable(id: MemberId): void {
    const progress = this.progress.get(id);
    if (progress?.state === "replicate") progress.probe();
  }

  snapshotSent(id: MemberId, isDone: boolean): void {
    const progress = this.progress.get(id);
    if (progress?.state !== "snapshot") return;
    if (!isDone) progress.snapshotIndex = 0;
    progress.probe();
    progress.isWaiting = true; // Until it says something itself.
  }
}
