/**
 * The scheduling queue: ready pods by priority, failed ones until something changes.
 *
 * A pod is active (to be tried now), in back-off (tried not long ago), unschedulable (waiting for
 * an event that may help, or five minutes) or gated (waiting for its gates to be removed).
 *
 * Units   milliseconds; back-off 1 s doubling to 10 s
 * Source  pkg/scheduler/backend/queue/scheduling_queue.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { podKey } from "./node-info.ts";

export const backoffInitialMs = 1000;
export const backoffMaxMs = 10_000;
export const unschedulableMaxMs = 5 * 60_000;

interface Entry {
  pod: Pod;
  attempts: number;
  addedMs: number;
  /** Order of arrival, so that equals are served first come, first served. */
  sequence: number;
  place: "active" | "backoff" | "unschedulable" | "gated" | "inFlight";
  readyMs: number;
  failedMs: number;
}

export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #isGated: (pod: Pod) => boolean;
  #sequence = 0;
  /** Counts events that may help, so that a failure decided before one is retried soon. */
  #moves = 0;

  constructor(isGated: (pod: Pod) => boolean) {
    this.#isGated = isGated;
  }

  get size(): number {
    return this.#entries.size;
  }

  get moves(): number {
    return this.#moves;
  }

  addOrUpdate(pod: Pod, nowMs: number): void {
    const key = podKey(pod);
    const known = this.#entries.get(key);
    if (known === undefined || known.pod.metadata?.uid !== pod.metadata?.uid) {
      this.#entries.set(key, {
        pod,
        attempts: 0,
        addedMs: nowMs,
        sequence: this.#sequence++,
        place: this.#isGated(pod) ? "gated" : "active",
        readyMs: nowMs,
        failedMs: 0,
      });
      return;
    }
    const specChanged = JSON.stringify(known.pod.spec) !== JSON.stringify(pod.spec);
    const labelsChanged =
      JSON.stringify(known.pod.metadata?.labels) !== JSON.stringify(pod.metadata?.labels);
    known.pod = pod;
    if (known.place === "gated") {
      if (!this.#isGated(pod)) known.place = "active";
    } else if (known.place === "unschedulable" && (specChanged || labelsChanged)) {
      this.#wake(known, nowMs);
    }
  }

  delete(pod: Pod): void {
    this.#entries.delete(podKey(pod));
  }

  /** The next pod to try: highest priority, then first come. */
  pop(nowMs: number): { pod: Pod; attempts: number } | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.place === "backoff" && entry.readyMs <= nowMs) entry.place = "active";
      const overdue = nowMs - entry.failedMs >= unschedulableMaxMs;
      if (entry.place === "unschedulable" && overdue) entry.place = "active";
      if (entry.place === "active" && (best === undefined || before(entry, best))) best = entry;
    }
    if (best === undefined) return undefined;
    best.place = "inFlight";
    best.attempts += 1;
    return { pod: best.pod, attempts: best.attempts };
  }

  /** The attempt failed; `moves` is the counter when it began. */
  requeue(pod: Pod, nowMs: number, moves: number, becauseOfError = false): void {
    const entry = this.#entries.get(podKey(pod));
    if (entry === undefined || entry.place !== "inFlight") return;
    entry.failedMs = nowMs;
    if (this.#isGated(entry.pod)) entry.place = "gated";
    else if (becauseOfError || moves !== this.#moves) this.#wake(entry, nowMs);
    else entry.place = "unschedulable";
  }

  /** Something changed that may let waiting pods in. */
  moveAll(nowMs: number): void {
    this.#moves += 1;
    for (const entry of this.#entries.values()) {
      if (entry.place === "unschedulable") this.#wake(entry, nowMs);
    }
  }

  /** When `pop` may have something new; undefined when only an event can bring it. */
  nextReadyMs(): number | undefined {
    let next: number | undefined;
    for (const entry of this.#entries.values()) {
      let at: number | undefined;
      if (entry.place === "active") at = 0;
      else if (entry.place === "backoff") at = entry.readyMs;
      else if (entry.place === "unschedulable") at = entry.failedMs + unschedulableMaxMs;
      if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  #wake(entry: Entry, nowMs: number): void {
    const exponent = Math.max(0, entry.attempts - 1);
    const backoffMs = Math.min(backoffMaxMs, backoffInitialMs * 2 ** exponent);
    entry.readyMs = entry.failedMs + backoffMs;
    entry.place = entry.readyMs <= nowMs ? "active" : "backoff";
  }
}

function before(a: Entry, b: Entry): boolean {
  const difference = (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
  return difference === 0 ? a.sequence < b.sequence : difference > 0;
}
