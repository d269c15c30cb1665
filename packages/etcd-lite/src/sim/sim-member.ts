/**
 * A member in a simulation: the same wiring as a real one (io/consensus.ts), on a simulated disk,
 * network and clock. It can be killed at any moment and started again on what its disk has.
 */
import { nullLog, type Random } from "@nanokube/machinery";
import type { Channel } from "@nanokube/rpc";
import type { Message } from "../core/raft/message.ts";
import type { Raft } from "../core/raft/raft.ts";
import { type Consensus, openConsensus } from "../io/consensus.ts";
import type { InitialMember } from "../io/identity.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimNetwork } from "./sim-network.ts";

export interface SimMemberOptions {
  readonly name: string;
  readonly initialCluster: () => readonly InitialMember[];
  readonly joinExisting: boolean;
  /** Asked for by a member that joins. */
  readonly connect: () => Channel;
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly random: Random;
  readonly clockRate: number;
  readonly keptEntries: number;
  readonly leaseReads: boolean;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly appendBytesMax: number;
  readonly inflightMax: number;
}

export const urlOf = (name: string) => `http://${name}:2380`;

export const heartbeatMs = 10;
export const electionMs = 100;

export class SimMember {
  readonly name: string;
  /** What it runs with now; undefined while it is down. */
  consensus: Consensus | undefined;
  isRemoved = false;
  id = 0n;
  readonly #options: SimMemberOptions;
  #incarnation = 0;
  #starting = 0;
  /** Those that wait for this incarnation's answers. */
  readonly #onDeath = new Set<() => void>();
  failure: Error | undefined;
  #promised = { term: 0, index: 0, entryTerm: 0 };

  constructor(options: SimMemberOptions) {
    this.#options = options;
    this.name = options.name;
  }

  /** It has run before: its disk may know more than nothing. */
  get hasStarted(): boolean {
    return this.#incarnation > 0;
  }

  get isJoining(): boolean {
    return this.#options.joinExisting;
  }

  get isUp(): boolean {
    return this.consensus !== undefined;
  }

  /** A process of it reads its disk: another one would be refused the directory. */
  get isStarting(): boolean {
    return this.#starting > 0 && this.#starting === this.#incarnation;
  }

  async start(): Promise<void> {
    this.#starting = this.#incarnation + 1;
    try {
      await this.#open();
    } finally {
      this.#starting = 0;
    }
  }

  async #open(): Promise<void> {
    const { name, scheduler, network, disk, random, initialCluster } = this.#options;
    const incarnation = ++this.#incarnation;
    const consensus = await openConsensus({
      name,
      peerURLs: [urlOf(name)],
      clientURLs: [],
      initialCluster: initialCluster(),
      joinExisting: this.#options.joinExisting,
      connect: this.#options.connect,
      disk: disk.forProcess(),
      clock: scheduler.clock(this.#options.clockRate),
      random,
      log: nullLog,
      quotaBytes: -1,
      heartbeatMs,
      electionMs,
      requestTimeoutMs: 400,
      keptEntries: this.#options.keptEntries,
      preVote: this.#options.preVote,
      checkQuorum: this.#options.checkQuorum,
      appendBytesMax: this.#options.appendBytesMax,
      inflightMax: this.#options.inflightMax,
      leaseReads: this.#options.leaseReads,
      segmentBytes: 4096,
      snapshotAfterBytes: 3000,
      transport: () => ({
        send: (messages) => {
          if (incarnation === this.#incarnation) network.send(messages);
        },
        close() {},
      }),
      onLeader() {},
      onTick() {},
      onRemoved() {},
    });
    if (incarnation !== this.#incarnation) return; // Killed while it started.
    this.consensus = consensus;
    this.id = consensus.identity.memberId;
    const { node } = consensus;
    this.#checkKept(node.raft);
    network.join(this.id, {
      receive: (message: Message) => node.step([message]),
      lost: (id) => node.lost(id),
      snapshotSent: (id, isDone) => node.snapshotSent(id, isDone),
    });
    node.start().catch((error) => {
      this.failure = error as Error;
    });
  }

  /** What it promised before it died: a term, and a log up to an index. */
  #checkKept({ term, log }: Raft): void {
    const { term: lastTerm, index, entryTerm } = this.#promised;
    if (term < lastTerm) throw new Error(`durability: term ${lastTerm} became ${term}`);
    const found = log.term(index);
    if (found !== entryTerm && index >= log.firstIndex && term === lastTerm) {
      throw new Error(`durability: entry ${index} of term ${entryTerm} is now of ${found}`);
    }
    if (log.lastIndex < log.firstIndex - 1) throw new Error("durability: the log is gone");
  }

  /** The process dies, wherever it is. */
  kill(): void {
    this.#incarnation++;
    const { consensus } = this;
    if (consensus !== undefined) {
      const { log } = consensus.node.raft;
      const { term } = consensus.node.savedHardState;
      this.#promised = { term, index: log.durable, entryTerm: log.term(log.durable) ?? 0 };
    }
    this.#options.disk.crash();
    this.consensus = undefined;
    if (consensus === undefined) return;
    this.#options.network.leave(this.id);
    consensus.node.halt();
    for (const onDeath of [...this.#onDeath]) onDeath();
    this.#onDeath.clear();
  }

  /** Rejects when the member dies first: nobody knows what became of it. */
  ask<T>(run: (consensus: Consensus) => Promise<T>): Promise<T> {
    const { consensus } = this;
    if (consensus === undefined) return Promise.reject(new Error("down"));
    return new Promise((resolve, reject) => {
      const onDeath = () => reject(new Error("died"));
      this.#onDeath.add(onDeath);
      run(consensus)
        .then(resolve, reject)
        .finally(() => this.#onDeath.delete(onDeath));
    });
  }
}
