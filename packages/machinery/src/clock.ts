/**
 * Time as an argument: what every core takes in place of Date.now and setTimeout.
 *
 * Shapes  Clock        now() is wall time, monotonic() never goes back; both in milliseconds
 *         FakeClock    stands still until step(ms); fires due timers in order of their time
 * Source  k8s.io/utils/clock (Clock) and clock/testing (FakeClock)
 */

/** What setTimeout hands out; opaque, only good for clearTimeout of the same clock. */
export type TimerHandle = { readonly __timer?: never };

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; for measuring, never for showing. */
  monotonic(): number;
  setTimeout(fn: () => void, ms: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

export interface FakeClock extends Clock {
  /** Moves time on by `ms`: fires what is due, in order, and lets promises settle after each. */
  step(ms: number): Promise<void>;
  /** Timers waiting to fire. */
  readonly pending: number;
}

/** setTimeout of the platform holds 31 bits of milliseconds; a longer wait is chained. */
const longestTimerMs = 2 ** 31 - 1;

interface SystemTimer {
  id: ReturnType<typeof globalThis.setTimeout> | undefined;
}

function armSystemTimer(timer: SystemTimer, fn: () => void, ms: number): void {
  if (ms <= longestTimerMs) {
    timer.id = globalThis.setTimeout(fn, ms);
    return;
  }
  const rest = ms - longestTimerMs;
  timer.id = globalThis.setTimeout(() => armSystemTimer(timer, fn, rest), longestTimerMs);
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, ms) {
    const timer: SystemTimer = { id: undefined };
    armSystemTimer(timer, fn, ms);
    return timer as TimerHandle;
  },
  clearTimeout(handle) {
    globalThis.clearTimeout((handle as SystemTimer).id);
  },
};

interface FakeTimer {
  atMs: number;
  sequence: number;
  fn: () => void;
}

// Held from module load on, so that a test runner's own fake timers cannot stop a step.
const immediate = globalThis.setImmediate;

/** One turn of the event loop: every promise that can settle without real I/O has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    immediate(resolve);
  });
}

/** A clock that stands still; starts at 2026-01-01T00:00:00Z unless told. */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<FakeTimer>();
  let nowMs = startMs;
  let sequence = 0;

  const nextDue = (untilMs: number): FakeTimer | undefined => {
    let first: FakeTimer | undefined;
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue;
      const earlier =
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.sequence < first.sequence);
      if (earlier) first = timer;
    }
    return first;
  };

  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    get pending() {
      return timers.size;
    },
    setTimeout(fn, ms) {
      const timer: FakeTimer = { atMs: nowMs + Math.max(0, ms), sequence: sequence++, fn };
      timers.add(timer);
      return timer as TimerHandle;
    },
    clearTimeout(handle) {
      timers.delete(handle as FakeTimer);
    },
    async step(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let due = nextDue(untilMs); due !== undefined; due = nextDue(untilMs)) {
        timers.delete(due);
        nowMs = Math.max(nowMs, due.atMs);
        due.fn();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clock.clearTimeout(handle);
      reject(signal?.reason);
    };
    const handle = clock.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
