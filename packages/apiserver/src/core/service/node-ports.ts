/**
 * Which node ports are taken: by the Services there are, and by those being written now.
 *
 * The Services themselves are the record; a restart reads it again, so that nothing is reused.
 * Source  pkg/registry/core/service/portallocator/allocator.go
 */
import type { KubeObject, Random } from "@nanokube/machinery";
import type { ResourceCache } from "../cache/resource-cache.ts";

export interface PortRange {
  first: number;
  last: number;
}

export const defaultNodePorts: PortRange = { first: 30000, last: 32767 };

interface ServicePorts {
  spec?: { ports?: { nodePort?: number }[]; healthCheckNodePort?: number };
}

export class NodePorts {
  readonly #range: PortRange;
  readonly #random: Random;
  readonly #cache: ResourceCache;
  /** How many Services hold a port: one, except while it changes hands. */
  readonly #held = new Map<number, number>();
  readonly #reserved = new Set<number>();
  #following = false;

  constructor(cache: ResourceCache, random: Random, range: PortRange = defaultNodePorts) {
    this.#cache = cache;
    this.#random = random;
    this.#range = range;
  }

  /** What is wrong with taking this port; undefined when it is now reserved. */
  reserve(port: number): string | undefined {
    this.#follow();
    const { first, last } = this.#range;
    if (port < first || port > last) {
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    }
    if (this.#isTaken(port)) return "provided port is already allocated";
    this.#reserved.add(port);
    return undefined;
  }

  /** Any free port, reserved; undefined when the range is full. */
  reserveAny(): number | undefined {
    this.#follow();
    const { first, last } = this.#range;
    const size = last - first + 1;
    const start = Math.floor(this.#random.next() * size);
    for (let i = 0; i < size; i++) {
      const port = first + ((start + i) % size);
      if (this.#isTaken(port)) continue;
      this.#reserved.add(port);
      return port;
    }
    return undefined;
  }

  /** The write has failed. One that succeeds is released by its event. */
  release(port: number): void {
    this.#reserved.delete(port);
  }

  #isTaken(port: number): boolean {
    return this.#reserved.has(port) || (this.#held.get(port) ?? 0) > 0;
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    const load = (): void => {
      this.#held.clear();
      for (const object of this.#cache.scan()) this.#count(object.tree(), 1);
    };
    load();
    this.#cache.watch({
      onEvent: (event) => {
        if (event.previous !== undefined) this.#count(event.previous.tree(), -1);
        if (event.object !== undefined) this.#count(event.object.tree(), 1);
      },
      onReset: () => {
        this.#following = false;
      },
    });
  }

  #count(service: KubeObject, by: 1 | -1): void {
    for (const port of portsOf(service)) {
      this.#held.set(port, (this.#held.get(port) ?? 0) + by);
      if (by > 0) this.#reserved.delete(port);
    }
  }
}

export function portsOf(service: KubeObject): Set<number> {
  const { spec } = service as ServicePorts;
  const ports = new Set<number>();
  for (const { nodePort } of spec?.ports ?? []) if (nodePort) ports.add(nodePort);
  if (spec?.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  return ports;
}
