/**
 * Events gathered and sent together, when there are enough of them or the time is over; nobody
 * waits for it.
 *
 * Units   bufferSize events wait at most, more are lost; a bucket of `burst` tokens gets `qps`
 *         more a second, and a batch costs one
 * Source  apiserver plugin/pkg/audit/buffered/buffered.go; client-go util/flowcontrol/throttle.go
 */
import type { Clock, KubeObject, TimerHandle } from "@nanokube/machinery";
import type { AuditBackend, AuditFailure } from "./backend.ts";

export interface BatchSettings {
  bufferSize: number;
  maxBatchSize: number;
  maxWaitMs: number;
  /** Undefined: as fast as they come. */
  throttle: { qps: number; burst: number } | undefined;
}

export function batching(
  backend: AuditBackend,
  settings: BatchSettings,
  { clock, failed }: { clock: Clock; failed: AuditFailure },
): AuditBackend {
  return new Batches(backend, settings, clock, failed);
}

class Batches implements AuditBackend {
  readonly #backend: AuditBackend;
  readonly #settings: BatchSettings;
  readonly #clock: Clock;
  readonly #failed: AuditFailure;
  readonly #underway = new Set<Promise<boolean>>();
  #waiting: KubeObject[] = [];
  #timer: TimerHandle | undefined;
  #tokens: number;
  #filledMs: number;
  #isThrottled = false;

  constructor(backend: AuditBackend, settings: BatchSettings, clock: Clock, failed: AuditFailure) {
    this.#backend = backend;
    this.#settings = settings;
    this.#clock = clock;
    this.#failed = failed;
    this.#tokens = settings.throttle?.burst ?? 0;
    this.#filledMs = clock.monotonic();
  }

  process(events: readonly KubeObject[]): boolean {
    const { bufferSize, maxBatchSize, maxWaitMs } = this.#settings;
    const fits = Math.max(0, bufferSize - this.#waiting.length);
    this.#waiting.push(...events.slice(0, fits));
    if (fits < events.length) {
      this.#failed("buffered", "audit buffer queue blocked", events.slice(fits));
    }
    if (this.#waiting.length >= maxBatchSize) this.#send();
    else this.#timer ??= this.#clock.setTimeout(() => this.#timeIsOver(), maxWaitMs);
    return true;
  }

  async close(): Promise<void> {
    this.#stopTimer();
    while (this.#waiting.length > 0) this.#sendOne();
    await Promise.all(this.#underway);
    await this.#backend.close();
  }

  #timeIsOver(): void {
    this.#timer = undefined;
    this.#send(1);
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** All that is as large as a batch, and at least so many. */
  #send(least = 0): void {
    this.#stopTimer();
    for (let sent = 0; this.#isDue(sent, least); sent++) {
      const waitMs = this.#takeToken();
      if (waitMs > 0) this.#sendLater(waitMs);
      else this.#sendOne();
    }
    if (this.#waiting.length === 0 || this.#isThrottled) return;
    this.#timer = this.#clock.setTimeout(() => this.#timeIsOver(), this.#settings.maxWaitMs);
  }

  #isDue(sent: number, least: number): boolean {
    if (this.#isThrottled) return false;
    const { length } = this.#waiting;
    return length >= this.#settings.maxBatchSize || (sent < least && length > 0);
  }

  #sendLater(waitMs: number): void {
    this.#isThrottled = true;
    this.#clock.setTimeout(() => {
      this.#isThrottled = false;
      this.#send(1);
    }, waitMs);
  }

  #sendOne(): void {
    const batch = this.#waiting.splice(0, this.#settings.maxBatchSize);
    const done = this.#backend.process(batch);
    if (typeof done === "boolean") return;
    this.#underway.add(done);
    void done.finally(() => this.#underway.delete(done));
  }

  /** Milliseconds until there is one; it is taken when that is none. */
  #takeToken(): number {
    const { throttle } = this.#settings;
    if (throttle === undefined) return 0;
    const now = this.#clock.monotonic();
    const gained = ((now - this.#filledMs) / 1000) * throttle.qps;
    this.#tokens = Math.min(throttle.burst, this.#tokens + gained);
    this.#filledMs = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / throttle.qps) * 1000);
    this.#tokens--;
    return 0;
  }
}
