/**
 * A queue between one producer that must not wait and one consumer that iterates.
 *
 * push() answers false when more than `highWater` messages wait: the producer then pauses its
 * source until `onDrain`. end() lets the consumer finish what is queued; fail() does so and then
 * throws. A consumer that leaves its loop calls `onReturn`.
 */

export interface QueueHooks {
  onDrain?: () => void;
  onReturn?: () => void;
}

export class MessageQueue<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  readonly #hooks: QueueHooks;
  readonly #highWater: number;
  #items: T[] = [];
  #head = 0;
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #isFull = false;
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
  }

  fail(error: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "failed";
    this.#error = error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.size > 0) {
      const value = this.#items[this.#head]!;
      this.#items[this.#head++] = undefined as T;
      this.#compact();
      return Promise.resolve({ done: false, value });
    }
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
