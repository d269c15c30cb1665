/**
 * The network in a simulation: it loses, delays, doubles and reorders messages, and falls apart.
 */
import type { Random } from "@nanokube/machinery";
import type { MemberState } from "../core/member-state.ts";
import type { MemberId, Message } from "../core/raft/message.ts";
import type { Scheduler } from "./scheduler.ts";

export interface NetworkFaults {
  readonly dropShare: number;
  readonly doubleShare: number;
  readonly delayMsMax: number;
}

export interface Receiver {
  receive(message: Message): void;
  /** The way to a member is broken. */
  lost(id: MemberId): void;
  snapshotSent(id: MemberId, isDone: boolean): void;
}

export class SimNetwork {
  faults: NetworkFaults;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #receivers = new Map<MemberId, Receiver>();
  /** Which members cannot hear which: `from>to`. */
  readonly #cut = new Set<string>();

  constructor(scheduler: Scheduler, random: Random, faults: NetworkFaults) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.faults = faults;
  }

  join(id: MemberId, receiver: Receiver): void {
    this.#receivers.set(id, receiver);
  }

  leave(id: MemberId): void {
    this.#receivers.delete(id);
  }

  /** Every pair of members in different groups, in one direction or both. */
  partition(groups: ReadonlyMap<MemberId, number>, isOneWay: boolean): void {
    this.heal();
    for (const [a, groupA] of groups) {
      for (const [b, groupB] of groups) {
        if (groupA === groupB || (isOneWay && groupA > groupB)) continue;
        this.#cut.add(`${a}>${b}`);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#sendOne(message);
      if (this.#random.next() < this.faults.doubleShare) this.#sendOne(message);
    }
  }

  #sendOne(message: Message): void {
    const { from, to } = message;
    const isLost = this.#random.next() < this.faults.dropShare;
    const ms = 0.1 + this.#random.next() ** 4 * this.faults.delayMsMax;
    this.#scheduler.after(ms, () => {
      const sender = this.#receivers.get(from);
      const receiver = this.#receivers.get(to);
      const isThrough = !isLost && receiver !== undefined && !this.#cut.has(`${from}>${to}`);
      if (message.type === "snapshot") sender?.snapshotSent(to, isThrough);
      if (isThrough) receiver.receive(whole(message));
      else if (this.#random.next() < 0.3) sender?.lost(to);
    });
  }
}

/** What is delivered twice must not be shared: states are changed by who gets them. */
function whole(message: Message): Message {
  if (message.type !== "snapshot") return message;
  const content = (message.snapshot.content as MemberState).fork();
  return { ...message, snapshot: { ...message.snapshot, content } };
}
