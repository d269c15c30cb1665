/**
 * Moves slabs of old versions out of memory.
 *
 * Of what is written again and again, most versions are read by nobody until a compaction forgets
 * them. A slab of which three quarters are such is *ripe*: what is newest in it is copied to where
 * new records go, a few records at a time, and then it leaves as a whole. The newest version of a
 * key is thereby always in memory; an older one is read back where it is asked for.
 */
import { SlabHeads } from "./cold-slab.ts";
import type { ColdStorage, NumberedSlab, RecordArena } from "./record-arena.ts";

/** So much is looked at when a slab has left and others wait: what a start finds leaves so. */
const nextBytes = 1 << 20;

export class ColdHistory {
  readonly #storage: ColdStorage;
  readonly #arena: RecordArena;
  readonly #keep: (ref: number) => void;
  #leaving: { readonly place: NumberedSlab; readonly records: Iterator<number> } | undefined;
  #isStoring = false;

  /** `keep` copies a record to where it stays in memory, when it is the newest of its key. */
  constructor(storage: ColdStorage, arena: RecordArena, keep: (ref: number) => void) {
    this.#storage = storage;
    this.#arena = arena;
    this.#keep = keep;
  }

  step(bytesMax: number): void {
    for (let left = bytesMax; left > 0 && !this.#isStoring; ) {
      if (this.#leaving === undefined) {
        const place = this.#arena.takeRipe(this.#storage.warmBytes);
        if (place === undefined) return;
        this.#leaving = { place, records: this.#arena.recordsOf(place)[Symbol.iterator]() };
      }
      const { place, records } = this.#leaving;
      const next = records.next();
      if (!next.done) {
        left -= this.#arena.recordBytes(next.value);
        this.#keep(next.value);
        continue;
      }
      this.#leaving = undefined;
      if (this.#arena.isWarm(place)) this.#store(place);
    }
  }

  #store(place: NumberedSlab): void {
    const { slab } = place;
    const bytes = slab.bytes!.subarray(0, slab.usedBytes);
    this.#isStoring = true;
    this.#storage.put(bytes, (stored) => {
      this.#isStoring = false;
      if (stored === undefined) return; // It stays, until a compaction takes it.
      if (this.#arena.isWarm(place)) {
        slab.cold = new SlabHeads(bytes, stored);
        slab.bytes = undefined;
      }
      this.step(nextBytes);
    });
  }
}
