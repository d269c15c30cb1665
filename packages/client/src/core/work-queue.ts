/**
 * The queue between events and workers: a key is in it once, and is never worked on by two
 * at a time.
 *
 * A key added while a worker has it is remembered as dirty and queued again when that worker is
 * done; so a burst of events costs one more run, and no event is lost.
 *
 * Units   delays in milliseconds; the rate limiter's are 5 ms × 2^failures, 1000 s at most
 * Source  client-go util/workqueue: queue.go, delaying_queue.go, default_rate_limiters.go
 */
import { type Clock, systemClock, type TimerHandle } from "@nanokube/machinery";

export interface WorkQueueOptions {
  clock?: Clock | undefined;
  baseDelayMs?: number | undefined;
  maxDelayMs?: number | undefined;
}

export class WorkQueue<K = string> {
  readonly #clock: Clock;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #dirty = new Set<K>();
  readonly #processing = new Set<K>();
  readonly #failures = new Map<K, number>();
  readonly #waiting = new Map<K, { readyAt: number; timer: TimerHandle }>();
  #queue: K[] = [];
  #takers: ((key: K | undefined) => void)[] = [];
  #idlers: (() => void)[] = [];
  #shutDown = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 1_000_000;
  }

  /** Keys ready to be taken. */
  get length(): number {
    return this.#queue.length;
  }

  add(key: K): void {
    if (this.#shutDown || this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (this.#processing.has(key)) return;
    this.#queue.push(key);
    this.#hand();
  }

  /** Of two delays for one key the earlier counts. */
  addAfter(key: K, delayMs: number): void {
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const readyAt = this.#clock.monotonic() + delayMs;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      if (waiting.readyAt <= readyAt) return;
      this.#clock.clearTimeout(waiting.timer);
    }
    const timer = this.#clock.setTimeout(() => {
      this.#waiting.delete(key);
      this.add(key);
    }, delayMs);
    this.#waiting.set(key, { readyAt, timer });
  }

  /** After a failure: later each time, until `forget`. */
  addRateLimited(key: K): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs));
  }

  /** It worked, or is given up. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  numRequeues(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /**
   * The next key, when there is one; undefined when the queue is shut down and empty.
   * Owes a `done`.
   */
  get(): Promise<K | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  done(key: K): void {
    this.#processing.delete(key);
    if (this.#dirty.has(key)) {
      this.#queue.push(key);
      this.#hand();
    }
    this.#tellIdle();
  }

  /** Nothing ready and nothing worked on; delayed keys don't count. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#tellIdle();
    });
  }

  /** What is queued is still handed out; nothing new gets in. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { timer } of this.#waiting.values()) this.#clock.clearTimeout(timer);
    this.#waiting.clear();
    this.#hand();
  }

  #hand(): void {
    while (this.#takers.length > 0 && this.#queue.length > 0) {
      const key = this.#queue.shift()!;
      this.#dirty.delete(key);
      this.#processing.add(key);
      this.#takers.shift()!(key);
    }
    if (!this.#shutDown || this.#queue.length > 0) return;
    for (const take of this.#takers) take(undefined);
    this.#takers = [];
  }

  #tellIdle(): void {
    if (this.#queue.length > 0 || this.#processing.size > 0) return;
    for (const tell of this.#idlers) tell();
    this.#idlers = [];
  }
}

export interface WorkerOptions<K> {
  queue: WorkQueue<K>;
  workers: number;
  /** May return a delay in milliseconds after which the key is to be looked at again. */
  work: (key: K) => Promise<number | undefined>;
  /** What failed is tried again, rate limited. */
  onError: (error: unknown, key: K) => void;
}

/** Workers on a queue, until it is shut down and empty. */
export async function runWorkers<K>(options: WorkerOptions<K>): Promise<void> {
  const { queue, workers, work, onError } = options;
  const worker = async () => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      try {
        const againMs = await work(key);
        queue.forget(key);
        if (againMs !== undefined) queue.addAfter(key, againMs);
      } catch (error) {
        onError(error, key);
        queue.addRateLimited(key);
      } finally {
        queue.done(key);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
