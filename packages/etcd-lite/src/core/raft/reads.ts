/**
 * Reads that wait for the proof that this leader still leads (ReadIndex, thesis 6.4).
 *
 * Each round of heartbeats has a number, the beat. A read that came before a round is proven by a
 * majority's answers to it: had there been another leader when the read came, a majority would
 * have refused. A lease is the same by the clock: for an election's length after a round that a
 * majority answered nobody else can have been elected.
 */
import type { MemberId } from "./message.ts";

export interface ReadRequest {
  readonly from: MemberId;
  readonly read: number;
}

interface Waiting extends ReadRequest {
  readonly index: number;
  /** The round that proves it. */
  readonly beat: number;
}

export class Reads {
  #beat = 0;
  #ticks = 0;
  /** When each round was sent that is not answered by a majority yet. */
  #sentAt = new Map<number, number>();
  #waiting: Waiting[] = [];
  #postponed: ReadRequest[] = [];

  tick(): void {
    this.#ticks++;
  }

  nextBeat(): number {
    this.#beat++;
    this.#sentAt.set(this.#beat, this.#ticks);
    return this.#beat;
  }

  /** Without an index it waits for the leader's first commit. */
  ask({ from, read }: ReadRequest, index: number | undefined): void {
    if (index === undefined) this.#postponed.push({ from, read });
    else this.#waiting.push({ from, read, index, beat: this.#beat + 1 });
  }

  /** Nobody needs to be asked: what waits is proven. */
  trust(): void {
    this.#waiting = this.#waiting.map((waiting) => ({ ...waiting, beat: 0 }));
  }

  releasePostponed(index: number): boolean {
    const released = this.#postponed;
    this.#postponed = [];
    for (const request of released) this.ask(request, index);
    return released.length > 0;
  }

  takeConfirmed(majorityBeat: number): readonly Waiting[] {
    for (const beat of this.#sentAt.keys()) if (beat < majorityBeat) this.#sentAt.delete(beat);
    if (this.#waiting.length === 0) return [];
    const confirmed = this.#waiting.filter(({ beat }) => beat <= majorityBeat);
    if (confirmed.length > 0) {
      this.#waiting = this.#waiting.filter(({ beat }) => beat > majorityBeat);
    }
    return confirmed;
  }

  /** Ticks since a round was sent; a round that was never sent is long ago. */
  ticksSince(beat: number): number {
    const sentAt = this.#sentAt.get(beat);
    return sentAt === undefined ? Number.POSITIVE_INFINITY : this.#ticks - sentAt;
  }
}
