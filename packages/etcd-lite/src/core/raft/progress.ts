/**
 * What a leader knows of one member, and how much it may send it now.
 *
 *     probe      where the logs agree is not known: one append, then wait for the answer
 *     replicate  it is known: appends follow each other without waiting, a window of them
 *     snapshot   what it needs is compacted away: nothing but the snapshot under way
 * Source  go.etcd.io/raft tracker/progress.go, tracker/inflights.go
 */
import type { MemberId } from "./message.ts";

export class Progress {
  readonly id: MemberId;
  /** Highest index that it has durably, as it said. */
  match = 0;
  /** The next one to send. */
  next: number;
  state: "probe" | "replicate" | "snapshot" = "probe";
  /** A probe is under way. */
  isWaiting = false;
  /** It said something since the last check of the quorum. */
  isActive = false;
  /** Last round of heartbeats that it answered. */
  beat = 0;
  snapshotIndex = 0;
  /** Last index of each append under way. */
  #inflight: number[] = [];

  constructor(id: MemberId, next: number) {
    this.id = id;
    this.next = next;
  }

  probe(): void {
    const after = this.state === "snapshot" ? this.snapshotIndex : 0;
    this.#enter("probe");
    this.next = Math.max(this.match, after) + 1;
  }

  replicate(): void {
    this.#enter("replicate");
    this.next = this.match + 1;
  }

  awaitSnapshot(index: number): void {
    this.#enter("snapshot");
    this.snapshotIndex = index;
  }

  #enter(state: Progress["state"]): void {
    this.state = state;
    this.isWaiting = false;
    this.snapshotIndex = 0;
    this.#inflight = [];
  }

  isPaused(inflightMax: number): boolean {
    if (this.state === "probe") return this.isWaiting;
    if (this.state === "snapshot") return true;
    return this.#inflight.length >= inflightMax;
  }

  sent(lastIndex: number, count: number): void {
    if (this.state === "probe") this.isWaiting = true;
    else if (count > 0) {
      this.next = lastIndex + 1;
      this.#inflight.push(lastIndex);
    }
  }

  /** It has everything up to `index`; false when that is no news. */
  acknowledged(index: number): boolean {
    this.isWaiting = false;
    let done = 0;
    while (done < this.#inflight.length && this.#inflight[done]! <= index) done++;
    if (done > 0) this.#inflight.splice(0, done);
    this.next = Math.max(this.next, index + 1);
    if (index <= this.match) return false;
    this.match = index;
    return true;
  }

  /** It refused an append after `refused`; false when that is an old answer. */
  rejected(refused: number, agreeMaybe: number): boolean {
    if (this.state === "replicate") {
      if (refused <= this.match) return false;
      this.probe();
      return true;
    }
    if (this.next - 1 !== refused) return false;
    this.next = Math.max(Math.min(refused, agreeMaybe + 1), this.match + 1);
    this.isWaiting = false;
    return true;
  }
}
