/**
 * The scheduling queue: ready pods by priority, failed ones until something changes.
 *
 * A pod is active (to be tried now), in back-off (tried not long ago), unschedulable (waiting for
 * an event that may help, or five minutes) or gated (waiting for its gates to be removed).
 *
 * A heap holds who is next, another who becomes ready when: taking one costs log n. A pod that
 * moves on leaves its old ticket in a heap; it is void by its number.
 *
 * Units   milliseconds; back-off 1 s doubling to 10 s
 * Source  pkg/scheduler/backend/queue/scheduling_queue.go
 */
import type { Pod } from "@nanokube/api/core/v1";
import { Heap } from "./heap.ts";
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
  /** The number of the ticket that counts. */
  ticket: number;
}

interface Ticket {
  entry: Entry;
  number: number;
  /** For those who wait: when they may be tried. */
  atMs: number;
}

export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #isGated: (pod: Pod) => boolean;
  readonly #ready = new Heap<Ticket>((a, b) => before(a.entry, b.entry));
  readonly #later = new Heap<Ticket>((a, b) => a.atMs < b.atMs);
  #sequence = 0;
  #tickets = 0;
  /** Counts events that may help, so that a failure decided before one is retried soon. */
  #moves = 0;

  readonly #backoff: { initialMs: number; maxMs: number };

  constructor(
    isGated: (pod: Pod) => boolean,
    backoff = { initialMs: backoffInitialMs, maxMs: backoffMaxMs },
  ) {
    this.#isGated = isGated;
    this.#backoff = backoff;
  }

  get size(): number {
    return this.#entries.size;
  }

  get moves(): number {
    return this.#moves;
  }

  /** Every change of place goes through here. */
  #put(entry: Entry, place: Entry["place"], atMs = 0): void {
    entry.place = place;
    entry.ticket = ++this.#tickets;
    const ticket = { entry, number: entry.ticket, atMs };
    if (place === "active") this.#ready.push(ticket);
    else if (place === "backoff" || place === "unschedulable") this.#later.push(ticket);
  }

  #isVoid({ entry, number }: Ticket): boolean {
    return entry.ticket !== number || this.#entries.get(podKey(entry.pod)) !== entry;
  }

  /** The first that counts; void ones are thrown away. */
  #first(heap: Heap<Ticket>): Ticket | undefined {
    for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
      if (!this.#isVoid(top)) return top;
      heap.pop();
    }
    return undefined;
  }

  addOrUpdate(pod: Pod, nowMs: number): void {
    const key = podKey(pod);
    const known = this.#entries.get(key);
    if (known === undefined || known.pod.metadata?.uid !== pod.metadata?.uid) {
      const entry: Entry = {
        pod,
        attempts: 0,
        addedMs: nowMs,
        sequence: this.#sequence++,
        place: "gated",
        readyMs: nowMs,
        failedMs: 0,
        ticket: 0,
      };
      this.#entries.set(key, entry);
      this.#put(entry, this.#isGated(pod) ? "gated" : "active");
      return;
    }
    const specChanged = JSON.stringify(known.pod.spec) !== JSON.stringify(pod.spec);
    const labelsChanged =
      JSON.stringify(known.pod.metadata?.labels) !== JSON.stringify(pod.metadata?.labels);
    const priorityChanged = known.pod.spec?.priority !== pod.spec?.priority;
    known.pod = pod;
    if (known.place === "gated") {
      if (!this.#isGated(pod)) this.#put(known, "active");
    } else if (known.place === "unschedulable" && (specChanged || labelsChanged)) {
      this.#wake(known, nowMs);
    } else if (known.place === "active" && priorityChanged) this.#put(known, "active");
  }

  delete(pod: Pod): void {
    this.#entries.delete(podKey(pod));
  }

  /** The next pod to try: highest priority, then first come. */
  pop(nowMs: number): { pod: Pod; attempts: number } | undefined {
    for (let due = this.#first(this.#later); due !== undefined && due.atMs <= nowMs; ) {
      this.#later.pop();
      this.#put(due.entry, "active");
      due = this.#first(this.#later);
    }
    const best = this.#first(this.#ready)?.entry;
    if (best === undefined) return undefined;
    this.#ready.pop();
    this.#put(best, "inFlight");
    best.attempts += 1;
    return { pod: best.pod, attempts: best.attempts };
  }

  /** The attempt failed; `moves` is the counter when it began. */
  requeue(pod: Pod, nowMs: number, moves: number, becauseOfError = false): void {
    const entry = this.#entries.get(podKey(pod));
    if (entry === undefined || entry.place !== "inFlight") return;
    entry.failedMs = nowMs;
    // It had its turn: whoever came meanwhile goes before it.
    entry.sequence = this.#sequence++;
    if (this.#isGated(entry.pod)) this.#put(entry, "gated");
    else if (becauseOfError || moves !== this.#moves) this.#wake(entry, nowMs);
    else this.#put(entry, "unschedulable", nowMs + unschedulableMaxMs);
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
    if (this.#first(this.#ready) !== undefined) return 0;
    return this.#first(this.#later)?.atMs;
  }

  #wake(entry: Entry, nowMs: number): void {
    const exponent = Math.max(0, entry.attempts - 1);
    const backoffMs = Math.min(this.#backoff.maxMs, this.#backoff.initialMs * 2 ** exponent);
    entry.readyMs = entry.failedMs + backoffMs;
    if (entry.readyMs <= nowMs) this.#put(entry, "active");
    else this.#put(entry, "backoff", entry.readyMs);
  }
}

function before(a: Entry, b: Entry): boolean {
  const difference = (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
  return difference === 0 ? a.sequence < b.sequence : difference > 0;
}
