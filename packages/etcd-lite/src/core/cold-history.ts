/**
 * Moves slabs of old versions out of memory.
 *
 * Of what is written again and again, most versions are read by nobody until a compaction forgets
 * them. A slab of which three quarters are such is *ripe*: what is newest in it is copied to where
 * new records go, a few records at a time, and then it leaves as a whole. The newest version of a
 * key is thereby always in memory; an older one is read back where it is asked for.
 */
import { storeSlab } from "./cold-slab.ts";
import type { ColdStorage, NumberedSlab, RecordArena } from "./record-arena.ts";

export class ColdHistory {
  readonly storage: ColdStorage;
  #leaving: { readonly place: NumberedSlab; readonly records: Iterator<number> } | undefined;

  constructor(storage: ColdStorage) {
    this.storage = storage;
  }

  /** `keep` copies a record to where it stays in memory, when it is the newest of its key. */
  step(arena: RecordArena, bytesMax: number, keep: (ref: number) => void): void {
    for (let left = bytesMax; left > 0; ) {
      if (this.#leaving === undefined) {
        const place = arena.takeRipe(this.storage.warmBytes);
        if (place === undefined) return;
        this.#leaving = { place, records: arena.recordsOf(place)[Symbol.iterator]() };
      }
      const { place, records } = this.#leaving;
      const next = records.next();
      if (!next.done) {
        left -= arena.recordBytes(next.value);
        keep(next.value);
        continue;
      }
      this.#leaving = undefined;
      if (arena.isWarm(place)) this.#store(place);
    }
  }

  #store({ slab }: NumberedSlab): void {
    const cold = storeSlab(slab.bytes!.subarray(0, slab.usedBytes), this.storage);
    if (cold === undefined) return; // It stays, until a compaction takes it.
    slab.cold = cold;
    slab.bytes = undefined;
  }
}
