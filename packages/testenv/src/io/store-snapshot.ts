/**
 * A copy of all that the store holds, and the way back to it.
 *
 * Going back is a write like any other: one transaction that puts what changed and deletes what
 * came, at a new revision. Watches stay open and see it happen; resource versions never go back.
 */
import { type Channel, createClient, etcd } from "@nanokube/rpc";

/** What `snapshot()` gives and `reset()` takes. */
export interface Snapshot {
  /** The store's revision, as a resourceVersion. */
  readonly resourceVersion: string;
  readonly objects: number;
}

interface Kept {
  key: Uint8Array;
  value: Uint8Array;
  modRevision: number;
  lease: bigint;
}

const prefix = new TextEncoder().encode("/registry/");
const prefixEnd = new TextEncoder().encode("/registry0");

export class StoreSnapshots {
  readonly #kv;
  readonly #lease;
  readonly #contents = new WeakMap<Snapshot, ReadonlyMap<string, Kept>>();

  constructor(channel: Channel) {
    this.#kv = createClient(channel, etcd.KV);
    this.#lease = createClient(channel, etcd.Lease);
  }

  async take(): Promise<Snapshot> {
    const { revision, kept } = await this.#read();
    const snapshot = { resourceVersion: String(revision), objects: kept.size };
    this.#contents.set(snapshot, kept);
    return snapshot;
  }

  /** True when something had to be written. */
  async restore(snapshot: Snapshot): Promise<boolean> {
    const wanted = this.#contents.get(snapshot);
    if (wanted === undefined) throw new TypeError("not a snapshot of this environment");
    const { kept: found } = await this.#read();
    const alive = await this.#leases(wanted);
    const changes = [];
    for (const [name, { key }] of found) {
      if (!wanted.has(name)) changes.push({ requestDeleteRange: { key } });
    }
    for (const [name, { key, value, lease }] of wanted) {
      const same = found.get(name);
      if (same !== undefined && Buffer.compare(same.value, value) === 0) continue;
      changes.push({ requestPut: { key, value, lease: alive.has(lease) ? lease : 0n } });
    }
    if (changes.length > 0) await this.#kv.txn({ success: changes });
    return changes.length > 0;
  }

  async #read(): Promise<{ revision: number; kept: Map<string, Kept> }> {
    const response = await this.#kv.range({ key: prefix, rangeEnd: prefixEnd });
    const kept = new Map<string, Kept>();
    for (const kv of response.kvs) kept.set(Buffer.from(kv.key).toString("latin1"), kv as Kept);
    return { revision: response.header!.revision, kept };
  }

  async #leases(kept: ReadonlyMap<string, Kept>): Promise<ReadonlySet<bigint>> {
    if (![...kept.values()].some(({ lease }) => lease !== 0n)) return new Set();
    const { leases } = await this.#lease.leaseLeases({});
    return new Set(leases.map(({ ID }) => ID));
  }
}
