/**
 * A random operation script: seeded, so that a difference can be found again.
 *
 * Operations are drawn so that they meet: few keys, revisions around the current one, leases that
 * exist and that do not, requests that must be refused.
 */
import { createSeededRandom, type Random } from "@nanokube/machinery";
import type { etcd, Init } from "@nanokube/rpc";

export type Operation =
  | { readonly op: "range"; readonly request: Init<etcd.RangeRequest> }
  | { readonly op: "put"; readonly request: Init<etcd.PutRequest> }
  | { readonly op: "deleteRange"; readonly request: Init<etcd.DeleteRangeRequest> }
  | { readonly op: "txn"; readonly request: Init<etcd.TxnRequest> }
  | { readonly op: "compact"; readonly request: Init<etcd.CompactionRequest> }
  | { readonly op: "leaseGrant"; readonly request: Init<etcd.LeaseGrantRequest> }
  | { readonly op: "leaseRevoke"; readonly request: Init<etcd.LeaseRevokeRequest> }
  | { readonly op: "leaseTimeToLive"; readonly request: Init<etcd.LeaseTimeToLiveRequest> }
  | { readonly op: "hashKV"; readonly request: Init<etcd.HashKVRequest> };

/** Makes operations one by one; `revision` is what the store said last. */
export class RandomScript {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }

  next(revision: number): Operation {
    const roll = this.#random.next();
    if (roll < 0.3) return { op: "put", request: this.#put() };
    if (roll < 0.52) return { op: "range", request: this.#range(revision) };
    if (roll < 0.62) return { op: "deleteRange", request: this.#deleteRange() };
    if (roll < 0.84) return { op: "txn", request: this.#txn(revision, 2) };
    if (roll < 0.86) return { op: "compact", request: { revision: odd(this.#revision(revision)) } };
    if (roll < 0.9) return { op: "leaseGrant", request: { ID: this.#lease(), TTL: this.#ttl() } };
    if (roll < 0.93) return { op: "leaseRevoke", request: { ID: this.#lease() } };
    if (roll < 0.97) {
      return { op: "leaseTimeToLive", request: { ID: this.#lease(), keys: true } };
    }
    // etcd remembers the sum it took while compacting and gives it for that revision ever after:
    // such revisions are odd here, and never asked for.
    const asked = this.#revision(revision);
    return { op: "hashKV", request: { revision: asked % 2 === 0 ? asked : 0 } };
  }

  #one<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random.next() * items.length)]!;
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  #key(): Buffer {
    if (this.#chance(0.02)) return Buffer.alloc(0);
    return this.#one(keys);
  }

  #end(): Buffer {
    return this.#one(ends);
  }

  #value(): Buffer {
    return this.#one(values);
  }

  #lease(): bigint {
    return BigInt(1 + Math.floor(this.#random.next() * 6));
  }

  #ttl(): number {
    // Short ones would run out in the middle, at a time of their own on each side.
    return this.#one([5000, 6000, 9_000_000_000, 9_000_000_001]);
  }

  #revision(current: number): number {
    const near = current - Math.floor(this.#random.next() * 30) + 3;
    return this.#one([0, near, near, near, -1, -3, current, current + 1, 2 ** 40]);
  }

  #put(): Init<etcd.PutRequest> {
    return {
      key: this.#key(),
      value: this.#chance(0.8) ? this.#value() : Buffer.alloc(0),
      lease: this.#chance(0.25) ? this.#lease() : 0n,
      prevKv: this.#chance(0.3),
      ignoreValue: this.#chance(0.1),
      ignoreLease: this.#chance(0.1),
    };
  }

  #range(revision: number): Init<etcd.RangeRequest> {
    const bound = () => (this.#chance(0.1) ? Math.max(this.#revision(revision), 0) : 0);
    return {
      key: this.#key(),
      rangeEnd: this.#end(),
      limit: this.#chance(0.4) ? Math.floor(this.#random.next() * 5) - 1 : 0,
      revision: this.#chance(0.4) ? this.#revision(revision) : 0,
      sortOrder: this.#one([0, 0, 0, 1, 2, 7]),
      sortTarget: this.#one([0, 0, 1, 2, 3, 4, 9]),
      serializable: this.#chance(0.2),
      keysOnly: this.#chance(0.2),
      countOnly: this.#chance(0.15),
      minModRevision: bound(),
      maxModRevision: bound(),
      minCreateRevision: bound(),
      maxCreateRevision: bound(),
    };
  }

  #deleteRange(): Init<etcd.DeleteRangeRequest> {
    return { key: this.#key(), rangeEnd: this.#end(), prevKv: this.#chance(0.5) };
  }

  /**
   * Not "from a key on": beside a put of such a key that ignores its value or lease, etcd 3.6.8
   * ends itself (it takes the end literally when it looks for keys that are written twice).
   */
  #boundedDelete(): Init<etcd.DeleteRangeRequest> {
    const request = this.#deleteRange();
    const isOpen = Buffer.from(request.rangeEnd!).equals(Buffer.from([0]));
    return isOpen ? { ...request, rangeEnd: Buffer.from("zz") } : request;
  }

  #compare(revision: number): Init<etcd.Compare> {
    const target = Math.floor(this.#random.next() * 5);
    const near = Math.max(revision - Math.floor(this.#random.next() * 20), 0);
    const operand = [
      { version: this.#one([0, 1, 2, 3]) },
      { createRevision: this.#one([0, near]) },
      { modRevision: this.#one([0, near]) },
      { value: this.#value() },
      { lease: this.#one([0n, this.#lease()]) },
    ][target]!;
    return {
      key: this.#key(),
      rangeEnd: this.#chance(0.2) ? this.#end() : Buffer.alloc(0),
      result: Math.floor(this.#random.next() * 4),
      target,
      ...operand,
    };
  }

  #txn(revision: number, depth: number): Init<etcd.TxnRequest> {
    const several = <T>(most: number, make: () => T): T[] =>
      Array.from({ length: Math.floor(this.#random.next() * (most + 1)) }, make);
    return {
      compare: several(2, () => this.#compare(revision)),
      success: several(4, () => this.#op(revision, depth)),
      failure: several(3, () => this.#op(revision, depth)),
    };
  }

  #op(revision: number, depth: number): Init<etcd.RequestOp> {
    const roll = this.#random.next();
    if (roll < 0.35) return { requestPut: this.#put() };
    if (roll < 0.65) return { requestRange: this.#range(revision) };
    if (roll < 0.85) return { requestDeleteRange: this.#boundedDelete() };
    if (depth > 0 && roll < 0.99) return { requestTxn: this.#txn(revision, depth - 1) };
    return depth > 0 ? {} : { requestPut: this.#put() };
  }
}

const odd = (revision: number) => (revision % 2 === 0 ? revision + 1 : revision);

const keys = ["a", "b", "c", "d", "e", "aa", "ab", "b\0", "\xff", "\0", "k/1", "k/2", "k/3"].map(
  (text) => Buffer.from(text, "latin1"),
);
const ends = ["", "", "", "c", "e", "\0", "k0", "zz", "a", "\xff\xff"].map((text) =>
  Buffer.from(text, "latin1"),
);
const values = ["", "1", "2", "x", "yy", "\0\xff", "longer value ".repeat(5)].map((text) =>
  Buffer.from(text, "latin1"),
);
