/**
 * Leases: who holds which keys until when.
 *
 * Pure: time comes in as `nowMs`. Expiry is only reported (`expired`); ending a lease is a proposal
 * like any write, so that every replay of the log ends it at the same place.
 *
 * Units   ttl  seconds; who grants sees to it that a lease outlives an election
 * Errors  LeaseNotFound, LeaseExists, LeaseTTLTooLarge
 * Source  etcd v3.6 server/lease/lessor.go
 */
import { EtcdError } from "./errors.ts";
import { isTombstone, type KeyValue } from "./key-value.ts";

export interface Lease {
  readonly id: bigint;
  readonly ttlSeconds: number;
  expiryMs: number;
  /** As of the last checkpoint; 0 is the whole time. */
  remainingSeconds: number;
  readonly keys: Set<string>;
}

export interface Checkpoint {
  readonly ID: bigint;
  readonly remainingTTL: number;
}

export interface Lessor {
  grant(id: bigint, ttlSeconds: number, nowMs: number): Lease;
  /** Forgets the lease; its keys, sorted, are for the caller to delete. */
  revoke(id: bigint): string[];
  /** Restarts the lease's time; refused for one that has run out, even if not revoked yet. */
  renew(id: bigint, nowMs: number): Lease;
  find(id: bigint): Lease | undefined;
  /** Soonest expiry first. */
  leases(): Lease[];
  /** Follows puts and deletes: which keys hang on which lease. */
  follow(changes: readonly KeyValue[]): void;
  expired(nowMs: number): Lease[];
  nextExpiryMs(): number | undefined;
  /** Notes how much time leases have left, so that a new leader does not start them anew. */
  checkpoint(checkpoints: readonly Checkpoint[]): void;
  /** This member leads from now on, and its clock counts: what is left begins now. */
  promote(nowMs: number, extendMs: number): void;
  fork(): Lessor;
}

const ttlMaxSeconds = 9_000_000_000;

export function createLessor(): Lessor {
  return new LeaseTable();
}

class LeaseTable implements Lessor {
  #leases = new Map<bigint, Lease>();
  #leaseOfKey = new Map<string, bigint>();
  #expiries = new ExpiryHeap();

  grant(id: bigint, ttlSeconds: number, nowMs: number): Lease {
    if (id === 0n) throw new EtcdError("LeaseNotFound");
    if (ttlSeconds > ttlMaxSeconds) throw new EtcdError("LeaseTTLTooLarge");
    if (this.#leases.has(id)) throw new EtcdError("LeaseExists");
    const ttl = Math.max(ttlSeconds, 1);
    const expiryMs = nowMs + ttl * 1000;
    const lease = { id, ttlSeconds: ttl, expiryMs, remainingSeconds: 0, keys: new Set<string>() };
    this.#leases.set(id, lease);
    this.#expiries.push({ id, atMs: lease.expiryMs });
    return lease;
  }

  revoke(id: bigint): string[] {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw new EtcdError("LeaseNotFound");
    this.#leases.delete(id);
    return [...lease.keys].sort((a, b) => (a < b ? -1 : 1));
  }

  renew(id: bigint, nowMs: number): Lease {
    const lease = this.#leases.get(id);
    if (lease === undefined || lease.expiryMs <= nowMs) throw new EtcdError("LeaseNotFound");
    lease.expiryMs = nowMs + lease.ttlSeconds * 1000;
    lease.remainingSeconds = 0;
    return lease;
  }

  find(id: bigint): Lease | undefined {
    return this.#leases.get(id);
  }

  leases(): Lease[] {
    return [...this.#leases.values()].sort((a, b) => a.expiryMs - b.expiryMs);
  }

  follow(changes: readonly KeyValue[]): void {
    for (const kv of changes) {
      const before = this.#leaseOfKey.get(kv.key) ?? 0n;
      const after = isTombstone(kv) ? 0n : kv.lease;
      if (before === after) continue;
      if (before !== 0n) this.#leases.get(before)?.keys.delete(kv.key);
      if (after === 0n) this.#leaseOfKey.delete(kv.key);
      else {
        this.#leaseOfKey.set(kv.key, after);
        this.#leases.get(after)?.keys.add(kv.key);
      }
    }
  }

  expired(nowMs: number): Lease[] {
    const found: Lease[] = [];
    for (let top = this.#expiries.top(); top !== undefined; top = this.#expiries.top()) {
      const lease = this.#leases.get(top.id);
      if (lease === undefined) this.#expiries.pop();
      else if (lease.expiryMs > top.atMs) {
        // Renewed since: a renewal costs nothing, its place is found when its old time comes.
        this.#expiries.pop();
        this.#expiries.push({ id: lease.id, atMs: lease.expiryMs });
      } else if (top.atMs > nowMs) break;
      else {
        this.#expiries.pop();
        // Until it is revoked it stays expired, and is reported again after a while.
        this.#expiries.push({ id: lease.id, atMs: nowMs + 3000 });
        found.push(lease);
      }
    }
    return found;
  }

  nextExpiryMs(): number | undefined {
    return this.#expiries.top()?.atMs;
  }

  checkpoint(checkpoints: readonly Checkpoint[]): void {
    for (const { ID, remainingTTL } of checkpoints) {
      const lease = this.#leases.get(ID);
      if (lease !== undefined) lease.remainingSeconds = remainingTTL;
    }
  }

  promote(nowMs: number, extendMs: number): void {
    this.#expiries = new ExpiryHeap();
    for (const lease of this.#leases.values()) {
      const seconds = lease.remainingSeconds > 0 ? lease.remainingSeconds : lease.ttlSeconds;
      lease.expiryMs = nowMs + seconds * 1000 + extendMs;
      this.#expiries.push({ id: lease.id, atMs: lease.expiryMs });
    }
  }

  fork(): Lessor {
    const copy = new LeaseTable();
    for (const [id, lease] of this.#leases) {
      copy.#leases.set(id, { ...lease, keys: new Set(lease.keys) });
      copy.#expiries.push({ id, atMs: lease.expiryMs });
    }
    copy.#leaseOfKey = new Map(this.#leaseOfKey);
    return copy;
  }
}

interface Expiry {
  readonly id: bigint;
  readonly atMs: number;
}

/** A binary heap, soonest on top. */
class ExpiryHeap {
  #items: Expiry[] = [];

  top(): Expiry | undefined {
    return this.#items[0];
  }

  push(item: Expiry): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]!.atMs <= item.atMs) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.atMs < items[child]!.atMs) child++;
      if (items[child]!.atMs >= last.atMs) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}
