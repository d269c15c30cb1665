/**
 * The sum over all versions that a compaction found, of the last ten compactions: what members
 * compare, because each of them compacts at the same place of the log.
 *
 * It is taken from a fork, in steps between which the event loop takes its turns. A store of very
 * many keys has none, unless somebody compares them: it would cost more than it tells.
 * Source  etcd v3.6 server/storage/mvcc/hash.go hashStorage, kvstore_compaction.go
 */
import { hashSteps, type KeyValueHash } from "../core/hash-kv.ts";
import type { MvccStore } from "../core/mvcc-store.ts";

const keptMax = 10;
const keysMax = 100_000;

export class CompactionHashes {
  readonly #keysMax: number;
  #hashes: readonly KeyValueHash[] = [];
  #running: Promise<void> = Promise.resolve();

  constructor({ ofAnySize }: { ofAnySize: boolean }) {
    this.#keysMax = ofAnySize ? Number.POSITIVE_INFINITY : keysMax;
  }

  /** `before` is a fork of the store before it was compacted at the revision. */
  take(before: MvccStore, revision: number): void {
    if (before.keyCount > this.#keysMax) return;
    this.#running = this.#running.then(() => this.#hash(before, revision));
  }

  async #hash(before: MvccStore, revision: number): Promise<void> {
    const steps = hashSteps(before, revision, { isCompaction: true });
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#hashes = [...this.#hashes, step.value].slice(-keptMax);
  }

  /** Once those that are being taken are there. */
  async find(revision: number): Promise<KeyValueHash | undefined> {
    await this.#running;
    return this.#hashes.find(({ hashRevision }) => hashRevision === revision);
  }

  async newestFirst(): Promise<readonly KeyValueHash[]> {
    await this.#running;
    return [...this.#hashes].reverse();
  }
}
