/**
 * Drives a replica: the clock ticks it, messages come and go, its storage is written, one write
 * after the other, and what is committed is applied.
 *
 * While one write is on its way the next one gathers: many entries share one sync. Messages do not
 * wait for the disk, promises do. When the log cannot be written any more the member falls silent
 * (the others elect another leader) and acknowledges nothing again.
 */
import type { Clock, Log, TimerHandle } from "@nanokube/machinery";
import { Leader } from "../core/raft/leader.ts";
import type { HardState, MemberId, Message, Storage } from "../core/raft/message.ts";
import { nobody } from "../core/raft/message.ts";
import type { Raft } from "../core/raft/raft.ts";
import { Replica, type ReplicaOptions } from "../core/replica.ts";
import { isDiskFull } from "./disk.ts";
import type { Wal } from "./wal.ts";

/** The way to the other members: fire and forget. */
export interface PeerTransport {
  send(messages: readonly Message[]): void;
  close(): void;
}

export interface RaftNodeOptions {
  readonly replica: ReplicaOptions;
  /** Absent: everything is in memory. */
  readonly wal: Wal | undefined;
  readonly transport: PeerTransport | undefined;
  readonly clock: Clock;
  readonly logger: Log;
  readonly tickMs: number;
  /** Another leader, or none; also after a change of term. */
  readonly onLeader: (leader: MemberId) => void;
  readonly onTick: () => void;
  readonly onFailure: (error: Error) => void;
  /** A write is durable; so long it took. */
  readonly onSynced?: ((tookMs: number) => void) | undefined;
  /** The disk has no room, again and again until it has. */
  readonly onFull: () => void;
  readonly onFree: () => void;
}

const fullRetryMs = 500;
const lateTicks = 3;

export class RaftNode {
  readonly replica: Replica;
  readonly #options: RaftNodeOptions;
  /** What surely outlives a crash. */
  savedHardState: HardState;
  #isWriting = false;
  #isPumping = false;
  #isClosed = false;
  #failure: Error | undefined;
  #fullError: Error | undefined;
  #isClosing = false;
  #timer: TimerHandle | undefined;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #leader: MemberId = nobody;
  #idle: (() => void)[] = [];

  constructor(options: RaftNodeOptions) {
    this.#options = options;
    this.replica = new Replica(options.replica);
    this.savedHardState = options.replica.raft.hardState;
  }

  get raft(): Raft {
    return this.replica.raft;
  }

  /** Why nothing is written any more, if so. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get isLeader(): boolean {
    return this.raft.role.name === "leader";
  }

  /** It leads, and has applied all that was committed before it did. */
  get isCurrent(): boolean {
    const { log, term } = this.raft;
    return this.isLeader && log.term(log.applied) === term && log.applied === log.committed;
  }

  /** The only voter: what it says is a majority. */
  get isAlone(): boolean {
    const { membership, id } = this.raft;
    return membership.voters.size === 1 && membership.voters.has(id);
  }

  /** Resolves at once, or, for a member that is alone, when it leads and is up to date. */
  async start(): Promise<void> {
    this.replica.advance();
    this.#options.replica.onMembership?.();
    const { isAlone } = this;
    if (isAlone) this.raft.campaign();
    this.pump();
    if (isAlone) await this.#settled();
  }

  #settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const { log } = this.raft;
        if (this.#failure !== undefined) reject(this.#failure);
        else if (this.isLeader && log.applied === log.lastIndex) resolve();
        else this.#idle.push(check);
      };
      check();
    });
  }

  /**
   * It leads, and nobody else can: what it may answer without asking. Ticks that came late say that
   * this process stood still, and then they prove nothing.
   * Source  etcd v3.6 server/etcdserver/server.go isActive, which asks for less
   */
  get leadsSurely(): boolean {
    if (!this.isCurrent) return false;
    if (this.isAlone) return true;
    const { clock, tickMs } = this.#options;
    const isOnTime = clock.monotonic() - this.#tickedMs <= lateTicks * tickMs;
    return isOnTime && (this.raft.role as Leader).holdsLease;
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#failure !== undefined;
  }

  lost(id: MemberId): void {
    const { role } = this.raft;
    if (role instanceof Leader) role.unreachable(id);
  }

  snapshotSent(id: MemberId, isDone: boolean): void {
    const { role } = this.raft;
    if (role instanceof Leader) role.snapshotSent(id, isDone);
  }

  transferTo(id: MemberId): void {
    this.run(({ role }) => {
      if (role instanceof Leader) role.transferTo(id);
    });
  }

  /** Lets `action` do something to consensus, and carries out what follows from it. */
  run<T>(action: (raft: Raft) => T): T {
    const result = action(this.raft);
    this.pump();
    return result;
  }

  /** What came together is looked at together: one write, and one answer, for all of it. */
  step(messages: readonly Message[]): void {
    if (this.#isClosed || this.#failure !== undefined) return;
    for (const message of messages) this.raft.step(message);
    this.pump();
  }

  /** Carries out what consensus has decided, until there is nothing left but waiting. */
  pump(): void {
    if (this.#isPumping || this.#isClosed || this.#failure !== undefined) return;
    this.#isPumping = true;
    try {
      do {
        this.#send(this.raft.takeMessages());
        this.#store();
        this.replica.advance();
      } while (this.#hasMore());
      this.#tellLeader();
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#isPumping = false;
    }
    const { wal } = this.#options;
    wal?.applied(this.replica.state, (index) => this.raft.log.term(index));
    this.#arm();
  }

  #hasMore(): boolean {
    return this.raft.hasMessages || (!this.#isWriting && this.raft.hasStorage);
  }

  #store(): void {
    if (this.#isWriting) return;
    const storage = this.raft.takeStorage();
    if (storage === undefined) return;
    if (storage.snapshot !== undefined) this.replica.install(storage.snapshot);
    const { wal } = this.#options;
    if (wal === undefined || storage.hardState === undefined) {
      this.#stored(storage);
      return;
    }
    this.#isWriting = true;
    // What others need has been sent: they are not held up when this one waits for the disk.
    const isLone = storage.entries.length <= 1;
    this.#write(wal, storage, isLone).then(
      () => {
        this.#isWriting = false;
        if (this.#failure === undefined) this.#stored(storage);
        this.pump();
        if (!this.#isWriting) for (const resolve of this.#idle.splice(0)) resolve();
      },
      (error) => {
        this.#isWriting = false;
        this.#fail(error as Error);
      },
    );
  }

  /**
   * Alone, a full disk is waited for: nothing is acknowledged meanwhile, and the same bytes go to
   * the same place when there is room. With others a member that cannot write must fall silent, so
   * that another one leads.
   */
  async #write(wal: Wal, storage: Storage, isLone: boolean): Promise<void> {
    const { clock, logger, onSynced, onFull, onFree } = this.#options;
    for (;;) {
      try {
        const sinceMs = clock.monotonic();
        await wal.write(storage, isLone);
        onSynced?.(clock.monotonic() - sinceMs);
        if (this.#fullError === undefined) return;
        this.#fullError = undefined;
        logger.info({}, "the disk has room again");
        onFree();
        return;
      } catch (error) {
        if (!isDiskFull(error) || !this.isAlone || this.#isClosing) throw error;
        if (this.#fullError === undefined) {
          const text = (error as Error).message;
          logger.error({ error: text }, "the disk is full: refusing writes until there is room");
        }
        this.#fullError = error as Error;
        onFull();
        await new Promise<void>((resolve) => clock.setTimeout(resolve, fullRetryMs));
      }
    }
  }

  /** Why nothing can be written for now, if so. */
  get fullError(): Error | undefined {
    return this.#fullError;
  }

  #stored(storage: Storage): void {
    this.savedHardState = storage.hardState ?? this.savedHardState;
    this.raft.persisted(storage);
    this.#send(storage.promises);
  }

  #send(messages: readonly Message[]): void {
    if (messages.length === 0) return;
    const { transport } = this.#options;
    if (!messages.some(({ type }) => type === "snapshot")) {
      transport?.send(messages);
      return;
    }
    const whole = (message: Message): Message =>
      message.type === "snapshot" ? { ...message, snapshot: this.replica.snapshot() } : message;
    transport?.send(messages.map(whole));
  }

  #tellLeader(): void {
    const { leader } = this.raft;
    if (leader === this.#leader) return;
    this.#leader = leader;
    this.#options.onLeader(leader);
  }

  /** A leader without anybody to lead needs no clock. */
  #arm(): void {
    if (this.#timer !== undefined || this.#isClosed || this.#failure !== undefined) return;
    if (this.isLeader && this.raft.membership.all.length === 1) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#tickedMs = this.#options.clock.monotonic();
      this.raft.tick();
      this.pump();
      this.#options.onTick();
    }, this.#options.tickMs);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.logger.error(
      { error: error.message },
      "the log cannot be written: refusing all writes",
    );
    this.#options.onFailure(error);
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Stops as a process does that is killed: nothing is finished. */
  halt(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    if (this.#isWriting) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#isClosed = true;
    this.#options.transport?.close();
    await this.#options.wal?.close();
  }
}
