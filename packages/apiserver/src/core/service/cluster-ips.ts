/**
 * Cluster IPs: one IPAddress object each, whose creation is the allocation.
 *
 * Errors  "provided IP is already allocated", "the provided network does not match the current
 *         range"
 * Source  pkg/registry/core/service/ipallocator/{ipallocator,cidrallocator}.go
 */
import type { Clock, KubeObject, Random } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";
import { formatTime } from "../rest/object-meta.ts";
import { KeyChanged, KeyExists, type ObjectStore } from "../storage/store.ts";
import { formatAddress, parseAddress, type Range } from "./cidr.ts";

export interface ClusterIPDeps {
  store: ObjectStore;
  /** Of ipaddresses. */
  cache: ResourceCache;
  clock: Clock;
  random: Random;
  range: Range;
}

export class AllocationError extends Error {}

export class ClusterIPs {
  readonly #deps: ClusterIPDeps;

  constructor(deps: ClusterIPDeps) {
    this.#deps = deps;
  }

  /** Takes this very address for the Service. */
  async take(address: string, namespace: string, name: string, dryRun: boolean): Promise<void> {
    const { range, cache } = this.#deps;
    const value = parseAddress(address);
    if (value === undefined || value < range.first || value > range.last) {
      throw new AllocationError("the provided network does not match the current range");
    }
    if (dryRun) {
      if (cache.get(address) !== undefined) throw taken();
      return;
    }
    if (!(await this.#create(address, namespace, name))) throw taken();
  }

  async takeAny(namespace: string, name: string, dryRun: boolean): Promise<string> {
    const { range } = this.#deps;
    const upper = { from: range.dynamicFrom, to: range.last };
    const lower = { from: range.first, to: range.dynamicFrom - 1 };
    for (const { from, to } of [upper, lower]) {
      const found = await this.#takeBetween(from, to, { namespace, name, dryRun });
      if (found !== undefined) return found;
    }
    throw new AllocationError("range is full");
  }

  async release(address: string, namespace: string, name: string): Promise<void> {
    const { store, cache } = this.#deps;
    let current = await store.read(cache, address);
    while (current !== undefined) {
      const { parentRef } = (current.shared().spec ?? {}) as { parentRef?: Record<string, string> };
      if (parentRef?.namespace !== namespace || parentRef.name !== name) return;
      try {
        await store.remove(cache, current);
        return;
      } catch (error) {
        if (!(error instanceof KeyChanged)) throw error;
        current = error.current;
      }
    }
  }

  async #takeBetween(
    from: number,
    to: number,
    { namespace, name, dryRun }: { namespace: string; name: string; dryRun: boolean },
  ): Promise<string | undefined> {
    const size = to - from + 1;
    if (size <= 0) return undefined;
    const start = Math.floor(this.#deps.random.next() * size);
    for (let i = 0; i < size; i++) {
      const address = formatAddress(from + ((start + i) % size));
      if (this.#deps.cache.get(address) !== undefined) continue;
      if (dryRun || (await this.#create(address, namespace, name))) return address;
    }
    return undefined;
  }

  async #create(address: string, namespace: string, name: string): Promise<boolean> {
    const { store, cache, clock, random } = this.#deps;
    const object: KubeObject = {
      kind: "IPAddress",
      apiVersion: "networking.k8s.io/v1",
      metadata: {
        name: address,
        uid: random.uuid(),
        creationTimestamp: formatTime(clock.now()),
        labels: {
          "ipaddress.kubernetes.io/ip-family": "IPv4",
          "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        },
      },
      spec: { parentRef: { group: "", resource: "services", namespace, name } },
    };
    try {
      await store.create(cache, address, object);
      return true;
    } catch (error) {
      if (error instanceof KeyExists) return false;
      throw error;
    }
  }
}

function taken(): AllocationError {
  return new AllocationError("provided IP is already allocated");
}
