/**
 * Who goes next at one priority level? Each flow may wait in a few of the queues (shuffle
 * sharding), and the queues take turns, so that a greedy flow fills its own queues and delays few
 * others.
 *
 * Units   seats: requests at work at once; a queue holds `queueLengthLimit` who wait
 * Errors  "queue-full", "concurrency-limit", "time-out": the request is answered with 429
 * Source  apiserver pkg/util/flowcontrol/fairqueuing/queueset/queueset.go,
 *         pkg/util/shufflesharding/dealer.go
 */
import type { Clock } from "@nanokube/machinery";
import { SeatDemand } from "./borrowing.ts";

export interface QueueSettings {
  seats: number;
  /** None: who finds no seat is turned away. */
  queuing: { queues: number; handSize: number; queueLengthLimit: number } | undefined;
}

export type Admission = "executing" | "queue-full" | "concurrency-limit" | "time-out";

interface Waiter {
  decide(outcome: Admission): void;
}

export class FairQueues {
  readonly #clock: Clock;
  #settings: QueueSettings;
  #queues: Waiter[][] = [];
  #executing = 0;
  #waiting = 0;
  #turn = 0;
  readonly #demand: SeatDemand;
  /** Requests that went on, that found no place, and that waited too long. */
  readonly counts = { dispatched: 0, rejected: 0, timedOut: 0 };

  constructor(settings: QueueSettings, clock: Clock) {
    this.#clock = clock;
    this.#demand = new SeatDemand(clock.monotonic());
    this.#settings = settings;
    this.configure(settings);
  }

  get executing(): number {
    return this.#executing;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Who waits goes on waiting, in the queues there are then. */
  configure(settings: QueueSettings): void {
    this.#settings = settings;
    const count = settings.queuing?.queues ?? 0;
    const old = this.#queues;
    this.#queues = Array.from({ length: Math.max(count, old.length) }, (_, i) => old[i] ?? []);
    this.#dispatch();
  }

  /** Resolves when the request may go on or is turned away; who goes on calls `leave` at its end. */
  enter(flow: string, waitMaxMs: number): Promise<Admission> {
    const { seats, queuing } = this.#settings;
    if (this.#executing < seats && this.#waiting === 0) {
      this.#executing++;
      this.counts.dispatched++;
      this.#demanded();
      return Promise.resolve("executing");
    }
    if (queuing === undefined) return this.#refused("concurrency-limit");
    const queue = this.#shortest(flow, queuing.queues, queuing.handSize);
    if (queue.length >= queuing.queueLengthLimit) return this.#refused("queue-full");
    return new Promise((resolve) => this.#wait(queue, resolve, waitMaxMs));
  }

  leave(): void {
    this.#executing--;
    this.#dispatch();
    this.#demanded();
  }

  /** What was wanted since the last time. */
  closePeriod(): ReturnType<SeatDemand["close"]> {
    return this.#demand.close(this.#clock.monotonic());
  }

  /** Queues in which somebody waits. */
  get activeQueues(): number {
    return this.#queues.filter((queue) => queue.length > 0).length;
  }

  #demanded(): void {
    this.#demand.set(this.#executing + this.#waiting, this.#clock.monotonic());
  }

  #refused(why: "concurrency-limit" | "queue-full"): Promise<Admission> {
    this.counts.rejected++;
    return Promise.resolve(why);
  }

  #wait(queue: Waiter[], resolve: (outcome: Admission) => void, waitMaxMs: number): void {
    const waiter: Waiter = {
      decide: (outcome) => {
        this.#clock.clearTimeout(timer);
        resolve(outcome);
      },
    };
    const timer = this.#clock.setTimeout(() => {
      const at = queue.indexOf(waiter);
      if (at < 0) return;
      queue.splice(at, 1);
      this.#waiting--;
      this.counts.timedOut++;
      this.#demanded();
      resolve("time-out");
    }, waitMaxMs);
    queue.push(waiter);
    this.#waiting++;
    this.#demanded();
  }

  #dispatch(): void {
    while (this.#waiting > 0 && this.#executing < this.#settings.seats) {
      let queue = this.#queues[this.#turn % this.#queues.length]!;
      while (queue.length === 0) queue = this.#queues[++this.#turn % this.#queues.length]!;
      this.#turn++;
      this.#waiting--;
      this.#executing++;
      this.counts.dispatched++;
      queue.shift()!.decide("executing");
    }
  }

  #shortest(flow: string, queues: number, handSize: number): Waiter[] {
    const hand = deal(fnv1a64(flow), queues, handSize).map((index) => this.#queues[index]!);
    return hand.reduce((best, queue) => (queue.length < best.length ? queue : best));
  }
}

/** Different cards of a deck, chosen by a number: the same number gives the same hand. */
export function deal(entropy: bigint, deckSize: number, handSize: number): number[] {
  const deck = Array.from({ length: deckSize }, (_, i) => i);
  const hand: number[] = [];
  let rest = entropy;
  for (let i = 0; i < Math.min(handSize, deckSize); i++) {
    const left = BigInt(deck.length);
    const [card] = deck.splice(Number(rest % left), 1);
    hand.push(card!);
    rest /= left;
  }
  return hand;
}

/** FNV-1a of a flow's name: few flows get the same hand. */
function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
