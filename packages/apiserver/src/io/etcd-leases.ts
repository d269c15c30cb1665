/**
 * Leases for objects that etcd forgets by itself (events). One lease serves many objects.
 *
 * Units   a lease lives 5% (at most 60 s) longer than asked, so that it can be shared for that
 *         long
 * Source  staging/src/k8s.io/apiserver/pkg/storage/etcd3/lease_manager.go
 */
import type { Clock } from "@nanokube/machinery";
import { Tally } from "../core/histogram.ts";
import { storageError } from "./etcd-errors.ts";

const objectsMax = 1000;
const reuseMaxSeconds = 60;

interface LeaseClient {
  leaseGrant(request: { TTL?: number }): Promise<{ ID: bigint }>;
}

export class EtcdLeases {
  /** How many objects had one lease, of leases that are replaced. */
  readonly objectsOfLease = new Tally([10, 50, 100, 500, 1000, 2500, 5000]);
  readonly #client: LeaseClient;
  readonly #clock: Clock;
  #current: { id: bigint; ttlSeconds: number; expiresMs: number; objects: number } | undefined;

  constructor(client: LeaseClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async forTTL(ttlSeconds: number | undefined): Promise<bigint> {
    if (ttlSeconds === undefined || ttlSeconds === 0) return 0n;
    const now = this.#clock.now();
    const current = this.#current;
    if (
      current !== undefined &&
      current.objects < objectsMax &&
      current.ttlSeconds === ttlSeconds &&
      current.expiresMs >= now + ttlSeconds * 1000
    ) {
      current.objects++;
      return current.id;
    }
    this.objectsOfLease.observe(current?.objects ?? 0);
    const longer = ttlSeconds + Math.min(reuseMaxSeconds, Math.floor(ttlSeconds * 0.05));
    const granted = await storageError(this.#client.leaseGrant({ TTL: longer }));
    this.#current = {
      id: granted.ID,
      ttlSeconds,
      expiresMs: now + longer * 1000,
      objects: 1,
    };
    return granted.ID;
  }
}
