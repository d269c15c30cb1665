/**
 * Who goes next at one priority level? Each flow may wait in a few of the queues (shuffle
 * sharding), and the queue goes next whose oldest request would be done first if all queues were
 * served at once (fair queuing): a greedy flow fills its own queues and delays few others.
 *
 * Units   seats: what is at work at once; a queue holds `queueLengthLimit` who wait; progress and
 *         work are in seat-seconds of a world in which all queues are served alike
 * Errors  "queue-full", "concurrency-limit", "time-out": the request is answered with 429
 * Source  apiserver pkg/util/flowcontrol/fairqueuing/queueset/{queueset,doc}.go,
 *         pkg/util/shufflesharding/dealer.go
 */
import type { Clock, TimerHandle } from "@nanokube/machinery";
import { SeatDemand } from "./borrowing.ts";
import { dealer } from "./deal.ts";
import type { WorkEstimate } from "./work-estimate.ts";

export interface QueueSettings {
  seats: number;
  /** None: who finds no seat is turned away. */
  queuing: { queues: number; handSize: number; queueLengthLimit: number } | undefined;
}

export type Refusal = "queue-full" | "concurrency-limit" | "time-out";

/** What is known of a request that takes seats here. */
export interface Seated<Details> {
  readonly details: Details;
  work: WorkEstimate;
  readonly arrivedMs: number;
  /** Not a number while it waits. */
  startedMs: number;
  readonly queue: Queue<Details> | undefined;
  /** Called once, at its end. */
  leave(): void;
}

/** What of a level's requests somebody counts. */
export interface Observer<Details> {
  queued(details: Details, seats: number, change: 1 | -1): void;
  executing(details: Details, seats: number, change: 1 | -1): void;
  /** The request stays, its seats go. */
  seatsOnly(details: Details, seats: number): void;
}

/** One that waits or executes, in a queue or beside all of them. */
class Request<Details> implements Seated<Details> {
  readonly details: Details;
  readonly arrivedMs: number;
  readonly arrivalR: number;
  readonly queue: Queue<Details> | undefined;
  work: WorkEstimate;
  startedMs = Number.NaN;
  timer: TimerHandle | undefined;
  decide: (outcome: Seated<Details> | Refusal) => void = () => undefined;
  leave: () => void = () => undefined;

  constructor(asked: Asked<Details>, queue: Queue<Details> | undefined, now: number, r: number) {
    this.details = asked.details;
    this.work = asked.work;
    this.queue = queue;
    this.arrivedMs = now;
    this.arrivalR = r;
  }

  get seats(): number {
    return Math.max(this.work.initialSeats, this.work.finalSeats);
  }

  get totalWork(): number {
    const { initialSeats, finalSeats, additionalMs } = this.work;
    return initialSeats * estimatedSeconds + finalSeats * (additionalMs / 1000);
  }
}

export interface Queue<Details> {
  readonly waiting: Request<Details>[];
  readonly executing: Set<Request<Details>>;
  seatsInUse: number;
  /** How far progress is when its next request goes on, where all are served alike. */
  nextDispatchR: number;
}

export interface Asked<Details> {
  flow: string;
  work: WorkEstimate;
  details: Details;
}

/** How long a request takes, before it is known. */
const estimatedSeconds = 0.003;

export class FairQueues<Details = unknown> {
  readonly #clock: Clock;
  readonly #observer: Observer<Details> | undefined;
  #settings: QueueSettings;
  #queues: Queue<Details>[] = [];
  #handOf: (flow: string) => readonly number[] = () => [];
  /** Those that are in no queue. */
  readonly #queueless = new Set<Request<Details>>();
  #executing = 0;
  #seatsInUse = 0;
  #waiting = 0;
  #seatsWaiting = 0;
  #activeQueues = 0;
  #robin = -1;
  #enqueued = 0;
  #currentR = 0;
  #syncedMs: number;
  readonly #demand: SeatDemand;
  /** Requests that went on, that found no place, that waited too long, and that were too wide. */
  readonly counts = { dispatched: 0, rejected: 0, timedOut: 0, unaccommodated: 0 };

  constructor(settings: QueueSettings, clock: Clock, observer?: Observer<Details>) {
    this.#clock = clock;
    this.#observer = observer;
    this.#syncedMs = clock.monotonic();
    this.#demand = new SeatDemand(clock.monotonic());
    this.#settings = settings;
    this.configure(settings);
  }

  get executing(): number {
    return this.#executing;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  /** As many as there are now, with those borrowed. */
  get seatsNow(): number {
    return this.#settings.seats;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get currentR(): number {
    return this.#currentR;
  }

  get queues(): readonly Queue<Details>[] {
    return this.#queues;
  }

  get queueless(): Iterable<Seated<Details>> {
    return this.#queueless;
  }

  /** Who waits goes on waiting, in the queues there are then. */
  configure(settings: QueueSettings): void {
    this.#sync();
    this.#settings = settings;
    const { queuing } = settings;
    const count = queuing?.queues ?? 0;
    while (this.#queues.length < count) this.#queues.push(emptyQueue());
    if (queuing !== undefined) this.#handOf = dealer(queuing.queues, queuing.handSize);
    this.#dispatch();
  }

  /** The request at work, or why not; a promise while it waits. */
  enter(
    asked: Asked<Details>,
    waitMaxMs: number,
  ): Seated<Details> | Refusal | Promise<Seated<Details> | Refusal> {
    this.#sync();
    const { queuing } = this.#settings;
    if (queuing === undefined) return this.#enterBeside(asked);
    const queue = this.#choose(asked.flow);
    const isFull = this.#seatsInUse >= this.#settings.seats;
    if (isFull && queue.waiting.length >= queuing.queueLengthLimit) {
      return this.#refused("queue-full");
    }
    const request = new Request(asked, queue, this.#syncedMs, this.#currentR);
    if (isIdle(queue)) {
      queue.nextDispatchR = this.#currentR;
      this.#activeQueues++;
    }
    this.#join(request, queue);
    let outcome: Seated<Details> | Refusal | undefined;
    request.decide = (decided) => {
      outcome = decided;
    };
    this.#dispatch();
    if (outcome !== undefined) return outcome;
    return new Promise((resolve) => {
      request.decide = resolve;
      request.timer = this.#clock.setTimeout(() => this.#timeIsOver(request), waitMaxMs);
    });
  }

  /** What was wanted since the last time. */
  closePeriod(): ReturnType<SeatDemand["close"]> {
    return this.#demand.close(this.#clock.monotonic());
  }

  /** Queues in which somebody waits. */
  get activeQueues(): number {
    return this.#queues.filter(({ waiting }) => waiting.length > 0).length;
  }

  #enterBeside(asked: Asked<Details>): Seated<Details> | Refusal {
    const request = new Request(asked, undefined, this.#syncedMs, this.#currentR);
    if (!this.#hasPlaceFor(request.seats)) return this.#refused("concurrency-limit");
    this.#queueless.add(request);
    this.#begin(request);
    return request;
  }

  #join(request: Request<Details>, queue: Queue<Details>): void {
    queue.waiting.push(request);
    this.#waiting++;
    this.#seatsWaiting += request.seats;
    this.#observer?.queued(request.details, request.seats, 1);
    this.#demanded();
  }

  #unjoin(request: Request<Details>): void {
    this.#waiting--;
    this.#seatsWaiting -= request.seats;
    this.#observer?.queued(request.details, request.seats, -1);
  }

  #begin(request: Request<Details>): void {
    request.startedMs = this.#syncedMs;
    request.leave = () => this.#leave(request);
    this.#executing++;
    this.#seatsInUse += request.seats;
    this.counts.dispatched++;
    this.#observer?.executing(request.details, request.seats, 1);
    this.#demanded();
  }

  #leave(request: Request<Details>): void {
    this.#sync();
    const { queue, seats } = request;
    const { initialSeats, additionalMs } = request.work;
    this.#executing--;
    this.#observer?.executing(request.details, 0, -1);
    if (queue === undefined) this.#queueless.delete(request);
    else {
      queue.executing.delete(request);
      const seconds = (this.#syncedMs - request.startedMs) / 1000;
      queue.nextDispatchR -= initialSeats * (estimatedSeconds - seconds);
      this.#bound(queue);
      if (isIdle(queue)) this.#activeQueues--;
    }
    const release = (): void => {
      this.#seatsInUse -= seats;
      if (queue !== undefined) queue.seatsInUse -= seats;
      this.#observer?.seatsOnly(request.details, -seats);
      this.#demanded();
      this.#dispatch();
    };
    if (additionalMs <= 0) release();
    else {
      this.#clock.setTimeout(() => {
        this.#sync();
        release();
      }, additionalMs);
    }
  }

  #timeIsOver(request: Request<Details>): void {
    const queue = request.queue!;
    const at = queue.waiting.indexOf(request);
    if (at < 0) return;
    this.#sync();
    queue.waiting.splice(at, 1);
    if (isIdle(queue)) this.#activeQueues--;
    this.#unjoin(request);
    this.counts.timedOut++;
    this.#demanded();
    request.decide("time-out");
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#waiting > 0 && this.#seatsInUse < this.#settings.seats) {
      const [at, queue] = this.#nextQueue();
      const request = queue.waiting[0]!;
      if (!this.#hasPlaceFor(request.seats)) {
        this.counts.unaccommodated++;
        return;
      }
      this.#robin = at;
      queue.waiting.shift();
      this.#unjoin(request);
      if (request.timer !== undefined) this.#clock.clearTimeout(request.timer);
      this.#narrow(request);
      queue.executing.add(request);
      queue.seatsInUse += request.seats;
      queue.nextDispatchR += request.totalWork;
      this.#begin(request);
      this.#bound(queue);
      request.decide(request);
    }
  }

  /** Its work stays the same: fewer seats for longer. */
  #narrow(request: Request<Details>): void {
    const { finalSeats, additionalMs } = request.work;
    const { seats } = this.#settings;
    if (finalSeats <= seats) return;
    const longerMs = (additionalMs * finalSeats) / seats;
    request.work = { ...request.work, finalSeats: seats, additionalMs: longerMs };
  }

  /** The queue whose oldest request would be done first; of equal ones, whose turn it is. */
  #nextQueue(): [number, Queue<Details>] {
    const count = this.#queues.length;
    let best = -1;
    let bestR = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= count; step++) {
      const at = (this.#robin + step) % count;
      const queue = this.#queues[at]!;
      const oldest = queue.waiting[0];
      if (oldest === undefined) continue;
      const doneR = queue.nextDispatchR + oldest.totalWork;
      if (doneR >= bestR) continue;
      best = at;
      bestR = doneR;
    }
    return [best, this.#queues[best]!];
  }

  /** A request that is too wide for the level has it for itself. */
  #hasPlaceFor(seats: number): boolean {
    const { seats: limit } = this.#settings;
    if (seats > limit) return this.#executing === 0 && limit > 0;
    return this.#seatsInUse + seats <= limit;
  }

  /** Nothing is dispatched before it came. */
  #bound(queue: Queue<Details>): void {
    const oldest = queue.waiting[0];
    if (oldest === undefined) return;
    queue.nextDispatchR = Math.max(queue.nextDispatchR, oldest.arrivalR);
  }

  /** Of the flow's queues the one with the least work waiting. */
  #choose(flow: string): Queue<Details> {
    const hand = this.#handOf(flow);
    const offset = this.#enqueued++ % hand.length;
    let best: Queue<Details> | undefined;
    let leastWork = Number.POSITIVE_INFINITY;
    for (let i = 0; i < hand.length && leastWork > 0; i++) {
      const queue = this.#queues[hand[(offset + i) % hand.length]!]!;
      const work = workIn(queue);
      if (work >= leastWork) continue;
      leastWork = work;
      best = queue;
    }
    return best!;
  }

  /** Progress of the world in which all queues are served at the same rate. */
  #sync(): void {
    const now = this.#clock.monotonic();
    const seconds = (now - this.#syncedMs) / 1000;
    this.#syncedMs = now;
    if (this.#activeQueues === 0) return;
    const wanted = this.#seatsInUse + this.#seatsWaiting;
    this.#currentR += (seconds * Math.min(wanted, this.#settings.seats)) / this.#activeQueues;
  }

  #demanded(): void {
    this.#demand.set(this.#seatsInUse + this.#seatsWaiting, this.#clock.monotonic());
  }

  #refused(why: "concurrency-limit" | "queue-full"): Refusal {
    this.counts.rejected++;
    return why;
  }
}

function emptyQueue<Details>(): Queue<Details> {
  return { waiting: [], executing: new Set(), seatsInUse: 0, nextDispatchR: 0 };
}

function isIdle<Details>({ waiting, executing }: Queue<Details>): boolean {
  return waiting.length === 0 && executing.size === 0;
}

/** Seat-seconds. */
export function workIn<Details>(queue: Queue<Details>): number {
  return queue.waiting.reduce((sum, { totalWork }) => sum + totalWork, 0);
}
