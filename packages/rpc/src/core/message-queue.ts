/**
 * A queue between one producer that must not wait and one consumer that iterates.
 *
 * push() answers false when more than `highWater` messages wait: the producer then pauses its
 * source until `onDrain`. end() lets the consumer finish what is queued; fail() does so and then
 * throws. A consumer that leaves its loop calls `onReturn`.
 *
 * `forEach` is the same without a promise an item: an item that finds nobody busy is taken at once,
 * in the turn in which it was pushed.
 */

export interface QueueHooks {
  onDrain?: () => void;
  onReturn?: () => void;
}

interface Taker<T> {
  take(item: T): void | Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export class MessageQueue<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  readonly #hooks: QueueHooks;
  readonly #highWater: number;
  #items: T[] = [];
  #head = 0;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #isFull = false;
  #taker: Taker<T> | undefined;
  /** The taker asked for time: what comes meanwhile is queued. */
  #isTaking = false;
  #waiting: { resolve(r: IteratorResult<T, undefined>): void; reject(e: unknown): void }[] = [];

  constructor(hooks: QueueHooks = {}, highWater = 64) {
    this.#hooks = hooks;
    this.#highWater = highWater;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Above the high water, until it has drained to half of it. */
  get isFull(): boolean {
    return this.#isFull;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  push(item: T): boolean {
    if (this.#state !== "open") return true;
    if (this.#taker !== undefined && !this.#isTaking && this.size === 0) {
      this.#take(this.#taker, item);
      return true;
    }
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: item });
      return true;
    }
    this.#items.push(item);
    if (this.size >= this.#highWater) this.#isFull = true;
    return !this.#isFull;
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined });
    this.#takeAll();
  }

  fail(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    this.#takeAll();
  }

  /** Calls `take` with each item, one after the other; resolves at the end, or rejects. */
  forEach(take: (item: T) => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#taker = { take, resolve, reject };
      this.#takeAll();
    });
  }

  #takeAll(): void {
    while (this.#taker !== undefined && !this.#isTaking && this.size > 0) {
      this.#take(this.#taker, this.#shift());
    }
    if (this.#taker === undefined || this.#isTaking) return;
    if (this.#state === "ended") this.#taker.resolve();
    else if (this.#state === "failed") this.#taker.reject(this.#error);
  }

  #take(taker: Taker<T>, item: T): void {
    try {
      const later = taker.take(item);
      if (!(later instanceof Promise)) return;
      this.#isTaking = true;
      later.then(
        () => {
          this.#isTaking = false;
          this.#takeAll();
        },
        (error) => this.#stopTaking(error),
      );
    } catch (error) {
      this.#stopTaking(error);
    }
  }

  #stopTaking(error: unknown): void {
    this.#taker?.reject(error);
    this.#taker = undefined;
    this.return();
  }

  #shift(): T {
    const value = this.#items[this.#head]!;
    this.#items[this.#head++] = undefined as T;
    this.#compact();
    return value;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.size > 0) return Promise.resolve({ done: false, value: this.#shift() });
    if (this.#state === "ended") return Promise.resolve({ done: true, value: undefined });
    if (this.#state === "failed") return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.#head = 0;
    const wasOpen = this.#state === "open";
    this.end();
    if (wasOpen) this.#hooks.onReturn?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  #compact(): void {
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    if (this.#isFull && this.size * 2 <= this.#highWater) {
      this.#isFull = false;
      this.#hooks.onDrain?.();
    }
  }
}
