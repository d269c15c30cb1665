/**
 * Time in a simulation: events in order of their moment, one after the other, nothing at once.
 */
import type { Clock, TimerHandle } from "@nanokube/machinery";

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCanceled: boolean;
}

export class Scheduler {
  nowMs = 0;
  eventCount = 0;
  #heap: Event[] = [];
  #order = 0;

  after(ms: number, run: () => void): Event {
    const event = {
      atMs: this.nowMs + Math.max(ms, 0),
      order: this.#order++,
      run,
      isCanceled: false,
    };
    this.#push(event);
    return event;
  }

  /** A clock that runs `rate` times as fast as time does. */
  clock(rate: number): Clock {
    const startMs = 1_700_000_000_000;
    return {
      now: () => startMs + this.nowMs * rate,
      monotonic: () => this.nowMs * rate,
      setTimeout: (run, ms) => this.after(ms / rate, run) as unknown as TimerHandle,
      clearTimeout: (handle) => {
        (handle as unknown as Event).isCanceled = true;
      },
    };
  }

  /** Runs events up to a moment; `check` after each of them. */
  async run(untilMs: number, check: () => void): Promise<void> {
    for (let event = this.#heap[0]; event && event.atMs <= untilMs; event = this.#heap[0]) {
      this.#pop();
      if (event.isCanceled) continue;
      this.nowMs = event.atMs;
      this.eventCount++;
      event.run();
      await settled();
      check();
    }
    this.nowMs = untilMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Everything that can go on without time going on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
