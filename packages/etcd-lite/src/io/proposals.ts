/**
 * Who waits for what: writes for their place in the log, reads for the proof that they see all
 * that was acknowledged before them.
 *
 * All proposals of one turn of the event loop go together. A proposal that was lost on the way (its
 * leader died) is not known to be lost: it times out, and a client has to look.
 *
 * Errors  NoLeader, TooManyRequests at once; Timeout, TimeoutLeaderFail after a while;
 *         LeaderChanged for reads; Stopped
 */
import type { Clock } from "@nanokube/machinery";
import type { Entry } from "../core/entry.ts";
import { EtcdError } from "../core/errors.ts";
import { nobody } from "../core/raft/message.ts";
import type { Applied, Proposal } from "../core/replica.ts";
import { raftRequestBytes } from "../core/request-size.ts";
import { propose } from "./proposal.ts";
import type { RaftNode } from "./raft-node.ts";

interface Waiter {
  resolve(response: unknown): void;
  reject(error: unknown): void;
  readonly sinceMs: number;
}

export interface ProposalsOptions {
  readonly clock: Clock;
  /** Tells this member's proposals from all others. */
  readonly origin: number;
  readonly timeoutMs: number;
  /** Of a request as etcd measures it. */
  readonly requestBytesMax: number;
  /** Nothing has to be waited for: no disk, and nobody else. */
  readonly isImmediate: boolean;
  readonly electionMs: number;
}

const readRetryMs = 500;
/** Proposals under way at once; etcd's limit between committed and applied. */
const waitingMax = 5000;

export class Proposals {
  readonly #options: ProposalsOptions;
  #node!: RaftNode;
  #sequence = 0;
  #gathered: Proposal[] = [];
  readonly #waiting = new Map<number, Waiter>();
  #isScheduled = false;
  #isClosed = false;
  #leaderLostMs = Number.NEGATIVE_INFINITY;
  #readNumber = 0;
  /** The reads that were asked for with #readNumber, and those that came after. */
  #asked: Waiter[] = [];
  #nextReads: Waiter[] = [];
  #askedMs = 0;
  /** Questions to the leader that came to nothing, and that took too long. */
  readsFailed = 0;
  readsSlow = 0;

  constructor(options: ProposalsOptions) {
    this.#options = options;
    // An answer to a read that was asked before a crash must not be taken for a new one's.
    this.#readNumber = options.origin * 2 ** 20;
  }

  attach(node: RaftNode): void {
    this.#node = node;
  }

  /** How long anybody waits for the cluster. */
  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get pending(): number {
    return this.#waiting.size;
  }

  get failure(): Error | undefined {
    return this.#node.failure;
  }

  propose(entry: Entry): unknown | Promise<unknown> {
    this.#refuseWhenStopped();
    if (this.#node.fullError !== undefined) throw new EtcdError("NoSpace");
    const { origin, isImmediate } = this.#options;
    const proposal = propose(entry, { origin, sequence: ++this.#sequence });
    this.#checkSize(proposal);
    if (isImmediate && this.#node.isAlone) return this.#proposeNow(proposal);
    if (this.#waiting.size >= waitingMax && !this.#node.isAlone) {
      throw new EtcdError("TooManyRequests");
    }
    this.#gathered.push(proposal);
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      // The turn of the event loop is the natural group: all that arrived in it share the sync.
      setImmediate(() => this.#flush());
    }
    return this.#wait(proposal);
  }

  #checkSize({ raw }: Proposal): void {
    const { requestBytesMax } = this.#options;
    const sizeBytes = raftRequestBytes(raw.bytes.length, this.#node.raft.id);
    if (sizeBytes > requestBytesMax) throw new EtcdError("RequestTooLarge");
  }

  #refuseWhenStopped(): void {
    if (this.#isClosed || this.failure !== undefined) throw new EtcdError("Stopped");
  }

  #wait({ sequence }: Proposal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sinceMs = this.#options.clock.monotonic();
      this.#waiting.set(sequence, { resolve, reject, sinceMs });
    });
  }

  /** Applied before it returns. */
  #proposeNow(proposal: Proposal): unknown {
    const outcome: { response?: unknown; error?: unknown } = {};
    this.#waiting.set(proposal.sequence, {
      resolve: (response) => Object.assign(outcome, { response }),
      reject: (error) => Object.assign(outcome, { error }),
      sinceMs: 0,
    });
    this.#node.run((raft) => raft.propose([proposal]));
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.response;
  }

  #flush(): void {
    this.#isScheduled = false;
    const proposals = this.#gathered;
    this.#gathered = [];
    if (proposals.length === 0) return;
    const outcome = this.#node.run((raft) => raft.propose(proposals));
    if (outcome === "appended" || outcome === "forwarded") return;
    if (outcome === "tooMany") this.#refuse(proposals, new EtcdError("TooManyRequests"));
    // An election, or a change of leaders: there will be one soon, or it times out.
    else if (!this.#isClosed) this.#gathered.push(...proposals);
  }

  #refuse(proposals: readonly Proposal[], error: Error): void {
    for (const { sequence } of proposals) {
      this.#waiting.get(sequence)?.reject(error);
      this.#waiting.delete(sequence);
    }
  }

  applied({ sequence, response, error }: Applied): void {
    const waiter = this.#waiting.get(sequence);
    if (waiter === undefined) return;
    this.#waiting.delete(sequence);
    if (error === undefined) waiter.resolve(response);
    else waiter.reject(error);
  }

  /** Undefined when a read may look at once; else when it may. */
  barrier(): Promise<void> | undefined {
    if (this.#node.isAlone && this.#node.isCurrent) return undefined;
    this.#refuseWhenStopped();
    return new Promise<void>((resolve, reject) => {
      const sinceMs = this.#options.clock.monotonic();
      this.#nextReads.push({ resolve: () => resolve(), reject, sinceMs });
      if (this.#asked.length === 0 && this.#nextReads.length === 1) {
        setImmediate(() => this.#askRead());
      }
    });
  }

  #askRead(): void {
    if (this.#asked.length > 0 || this.#nextReads.length === 0) return;
    this.#asked = this.#nextReads;
    this.#nextReads = [];
    this.#readNumber++;
    this.#sendRead();
  }

  #sendRead(): void {
    this.#askedMs = this.#options.clock.monotonic();
    this.#node.run((raft) => raft.read(this.#readNumber));
  }

  readReady(read: number): void {
    if (read !== this.#readNumber) return;
    const ready = this.#asked;
    this.#asked = [];
    for (const { resolve } of ready) resolve(undefined);
    if (this.#nextReads.length > 0) setImmediate(() => this.#askRead());
  }

  leaderChanged(leader: bigint): void {
    const nowMs = this.#options.clock.monotonic();
    if (leader === nobody) {
      this.#leaderLostMs = nowMs;
      return;
    }
    const failed = this.#asked;
    if (failed.length > 0) this.readsFailed++;
    this.#asked = [];
    for (const { reject } of failed) reject(new EtcdError("LeaderChanged"));
    setImmediate(() => {
      this.#flush();
      this.#askRead();
    });
  }

  /** Ends what has waited too long, and asks again for what may have been lost. */
  tick(): void {
    const { clock, timeoutMs } = this.#options;
    const nowMs = clock.monotonic();
    for (const [sequence, { sinceMs, reject }] of this.#waiting) {
      if (nowMs - sinceMs < timeoutMs) break; // In the order in which they came.
      this.#waiting.delete(sequence);
      reject(this.#timeoutOf(sinceMs));
    }
    this.#gathered = this.#gathered.filter(({ sequence }) => this.#waiting.has(sequence));
    if (this.#gathered.length > 0) this.#flush();
    const isLate = ({ sinceMs }: Waiter) => nowMs - sinceMs >= timeoutMs;
    if (this.#asked.some(isLate)) this.readsSlow++;
    for (const { reject } of [...this.#asked, ...this.#nextReads].filter(isLate)) {
      reject(new EtcdError("Timeout"));
    }
    this.#asked = this.#asked.filter((waiter) => !isLate(waiter));
    this.#nextReads = this.#nextReads.filter((waiter) => !isLate(waiter));
    if (this.#asked.length === 0) this.#askRead();
    else if (nowMs - this.#askedMs >= readRetryMs) this.#sendRead();
  }

  #timeoutOf(sinceMs: number): EtcdError {
    const lostBefore = this.#leaderLostMs > sinceMs - 2 * this.#options.electionMs;
    const isLeaderless = this.#node.raft.leader === nobody;
    return new EtcdError(lostBefore || isLeaderless ? "TimeoutLeaderFail" : "Timeout");
  }

  /** The log failed, or waits for room: what waits may or may not be in it. */
  fail(): void {
    const waiting = [...this.#waiting.values(), ...this.#asked, ...this.#nextReads];
    this.#waiting.clear();
    this.#asked = [];
    this.#nextReads = [];
    this.#gathered = [];
    for (const { reject } of waiting) reject(new EtcdError("Timeout"));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#flush();
    await this.#node.close();
    const waiting = [...this.#waiting.values(), ...this.#asked, ...this.#nextReads];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new EtcdError("Stopped"));
  }
}
