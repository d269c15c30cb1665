/**
 * Consensus and the state that it replicates, joined: what is committed is applied, who proposed it
 * is told, reads are let through when what they must see is there.
 *
 * Pure like both of its parts: whoever drives it (io/raft-node.ts, or the simulation) moves its
 * messages and its storage.
 */
import type { Entry } from "./entry.ts";
import type { WritablePayload } from "./log-records.ts";
import type { MemberState } from "./member-state.ts";
import { invariant } from "./raft/invariant.ts";
import type { LogEntry, MembershipChange, Snapshot } from "./raft/message.ts";
import { Raft, type RaftOptions } from "./raft/raft.ts";
import type { RawEntry } from "./wal-frame.ts";

/** A proposal; who made it knows it again by origin and sequence. */
export interface Proposal extends WritablePayload {
  readonly origin: number;
  readonly sequence: number;
  /** There where it was made, until it is applied; elsewhere it is decoded for that. */
  entry?: Entry | undefined;
}

export interface Applied {
  readonly sequence: number;
  readonly response: unknown;
  readonly error: unknown;
}

/** How long entries take is measured by whoever has a clock. */
export interface ApplyTiming {
  now(): number;
  applied(entry: Entry, error: unknown, sinceMs: number): void;
}

export interface ReplicaOptions {
  readonly raft: RaftOptions;
  readonly state: MemberState;
  /** What this member's proposals carry. */
  readonly origin: number;
  readonly decode: (raw: RawEntry) => Entry;
  readonly nowMs: () => number;
  /** For members that lag; more, and they get a snapshot. */
  readonly keptEntries?: number | undefined;
  /** One of this member's proposals is done, or refused. */
  readonly onApplied: (applied: Applied) => void;
  /** What a read with this number must see is there. */
  readonly onRead: (read: number) => void;
  /** Members came or went. */
  readonly onMembership?: (() => void) | undefined;
  readonly timing?: ApplyTiming | undefined;
}

/** How much of the log is kept for members that lag, as in etcd: then a snapshot is sent instead. */
const keptEntriesMax = 5000;
const keptBytesMax = 16 * 1024 * 1024;

export class Replica {
  readonly raft: Raft;
  readonly state: MemberState;
  readonly #options: ReplicaOptions;
  #compactedAt = 0;
  #reads: { readonly read: number; readonly index: number }[] = [];

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.raft = new Raft(options.raft);
    this.state = options.state;
    invariant(this.state.index === this.raft.log.applied, "the state is not where the log begins");
  }

  /** Applies what can be applied. */
  advance(): void {
    for (const entry of this.raft.takeCommitted()) this.#apply(entry);
    for (const read of this.raft.takeReads()) this.#reads.push(read);
    if (this.#reads.length > 0) this.#releaseReads();
    this.#compact();
  }

  #apply({ index, payload }: LogEntry): void {
    const { state } = this;
    invariant(index === state.index + 1, `entry ${index} applied after ${state.index}`);
    if (payload === undefined) {
      state.skip();
      return;
    }
    const proposal = payload as Proposal;
    const { origin, decode, onApplied, nowMs, timing } = this.#options;
    const entry = proposal.entry ?? decode(proposal.raw);
    // The log needs its bytes only: the request is views on all that came with it.
    if (proposal.entry !== undefined) proposal.entry = undefined;
    let response: unknown;
    let error: unknown;
    const sinceMs = timing === undefined ? 0 : timing.now();
    try {
      response = state.apply(entry, nowMs());
      if (entry.kind === "memberChange" && response !== undefined) {
        this.raft.changeMembership(response as MembershipChange);
        this.#options.onMembership?.();
      }
    } catch (thrown) {
      // A refusal is an outcome like any other: the same on every member.
      if (!(thrown instanceof Error) || thrown.name !== "EtcdError") throw thrown;
      error = thrown;
    }
    timing?.applied(entry, error, sinceMs);
    if (proposal.origin === origin) onApplied({ sequence: proposal.sequence, response, error });
  }

  #releaseReads(): void {
    const { index } = this.state;
    const ready = this.#reads.filter((read) => read.index <= index);
    if (ready.length === 0) return;
    this.#reads = this.#reads.filter((read) => read.index > index);
    for (const { read } of ready) this.#options.onRead(read);
  }

  /** The leader's state in place of this one. */
  install({ index, content }: Snapshot): void {
    this.state.adopt(content as MemberState);
    invariant(this.state.index === index, "a snapshot is not what it says");
    this.#options.onMembership?.();
    this.#releaseReads();
  }

  /** What a lagging member is to be sent: the state as it is now. */
  snapshot(): Snapshot {
    const { state, raft } = this;
    const { index } = state;
    const content = state.fork();
    return { index, term: raft.log.term(index)!, membership: raft.membership.shape, content };
  }

  /** Keeps what a lagging member may need, but not more; alone there is nobody to need it. */
  #compact(): void {
    const { log, membership } = this.raft;
    const isAlone = membership.all.length === 1;
    const { keptEntries = keptEntriesMax } = this.#options;
    const every = Math.min(isAlone ? 64 : 1024, keptEntries);
    if (log.applied - this.#compactedAt < every) return;
    this.#compactedAt = log.applied;
    let from = log.applied + 1;
    const first = isAlone ? from : Math.max(from - keptEntries, log.firstIndex);
    for (let sizeBytes = 0; from > first && sizeBytes < keptBytesMax; from--) {
      sizeBytes += log.entry(from - 1)?.payload?.sizeBytes ?? 0;
    }
    log.compact(from - 1);
  }
}
