/**
 * Cluster IPs: one IPAddress object each, whose creation is the allocation.
 *
 * Errors  AllocationError: "provided IP is already allocated", "the provided network does not match
 *         the current range", "range is full"
 * Source  pkg/registry/core/service/ipallocator/{ipallocator,cidrallocator}.go
 */
import type { Clock, IPFamily, KubeObject, Random } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";
import { formatTime } from "../rest/object-meta.ts";
import { KeyChanged, KeyExists, type ObjectStore } from "../storage/store.ts";
import { addressIn, holds, type Range } from "./cidr.ts";
import type { ServiceRanges } from "./service-ranges.ts";

export interface ClusterIPDeps {
  store: ObjectStore;
  /** Of ipaddresses. */
  cache: ResourceCache;
  clock: Clock;
  random: Random;
  ranges: ServiceRanges;
}

export class AllocationError extends Error {
  readonly isFull: boolean;
  constructor(message: string, isFull = false) {
    super(message);
    this.isFull = isFull;
  }
}

/** Whose an address is. */
export interface Owner {
  namespace: string;
  name: string;
}

/** The most steps of a random start: what a number holds exactly. */
const widest = BigInt(Number.MAX_SAFE_INTEGER);

export class ClusterIPs {
  readonly #deps: ClusterIPDeps;

  constructor(deps: ClusterIPDeps) {
    this.#deps = deps;
  }

  get ranges(): ServiceRanges {
    return this.#deps.ranges;
  }

  /** Takes this very address for the Service; a dry run only looks whether it is in a range. */
  async take(address: string, family: IPFamily, owner: Owner, dryRun: boolean): Promise<void> {
    const ranges = this.ranges.ready(family);
    if (dryRun) {
      const [range] = ranges;
      if (range === undefined) throw new AllocationError("allocator not ready");
      if (holds(range, address)) return;
      throw new AllocationError(
        `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`,
      );
    }
    if (!ranges.some((range) => holds(range, address))) {
      throw new AllocationError("the provided network does not match the current range");
    }
    if (!(await this.#create(address, family, owner))) {
      throw new AllocationError("provided IP is already allocated");
    }
  }

  /** Any free address; a dry run answers with the network's own. */
  async takeAny(family: IPFamily, owner: Owner, dryRun: boolean): Promise<string> {
    for (const range of this.ranges.ready(family)) {
      if (dryRun) return addressIn(range, range.network);
      const { first, dynamicFrom, last } = range;
      const found =
        (await this.#takeBetween(range, dynamicFrom, last, owner)) ??
        (await this.#takeBetween(range, first, dynamicFrom - 1n, owner));
      if (found !== undefined) return found;
    }
    throw new AllocationError("range is full", true);
  }

  async release(address: string, { namespace, name }: Owner): Promise<void> {
    const { store, cache } = this.#deps;
    let current = await store.read(cache, address);
    while (current !== undefined) {
      const { parentRef } = (current.shared().spec ?? {}) as { parentRef?: Partial<Owner> };
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

  /** From a random place on, once around. */
  async #takeBetween(
    range: Range,
    from: bigint,
    to: bigint,
    owner: Owner,
  ): Promise<string | undefined> {
    const size = to - from + 1n;
    if (size <= 0n) return undefined;
    const { random, cache } = this.#deps;
    const start = BigInt(Math.floor(random.next() * Number(size < widest ? size : widest)));
    for (let i = 0n; i < size; i++) {
      const address = addressIn(range, from + ((start + i) % size));
      if (cache.get(address) !== undefined) continue;
      if (await this.#create(address, range.family, owner)) return address;
    }
    return undefined;
  }

  async #create(address: string, family: IPFamily, owner: Owner): Promise<boolean> {
    const { store, cache, clock, random } = this.#deps;
    const object = ipAddress(address, family, owner, {
      uid: random.uuid(),
      creationTimestamp: formatTime(clock.now()),
    });
    try {
      await store.create(cache, address, object);
      return true;
    } catch (error) {
      if (error instanceof KeyExists) return false;
      throw error;
    }
  }
}

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managerLabel = "ipaddress.kubernetes.io/managed-by";

/** As if the server had created it through its own API. */
function ipAddress(
  name: string,
  family: IPFamily,
  owner: Owner,
  { uid, creationTimestamp }: { uid: string; creationTimestamp: string },
): KubeObject {
  const apiVersion = "networking.k8s.io/v1";
  const fieldsV1 = {
    "f:metadata": { "f:labels": { ".": {}, [`f:${familyLabel}`]: {}, [`f:${managerLabel}`]: {} } },
    "f:spec": { "f:parentRef": { ".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {} } },
  };
  const written = { manager: "kube-apiserver", operation: "Update", apiVersion };
  const managed = { ...written, time: creationTimestamp, fieldsType: "FieldsV1", fieldsV1 };
  return {
    kind: "IPAddress",
    apiVersion,
    metadata: {
      name,
      uid,
      creationTimestamp,
      labels: { [familyLabel]: family, [managerLabel]: "ipallocator.k8s.io" },
      managedFields: [managed],
    },
    spec: { parentRef: { resource: "services", ...owner } },
  };
}
