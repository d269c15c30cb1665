/**
 * Keeps cluster IPs and their IPAddresses in step, and tells of what nobody but a person can mend:
 * at the start all of them, then each that changes, and every three minutes all once more.
 *
 * Source  pkg/registry/core/service/{ip,port}allocator/controller, pkg/registry/core/rest
 *         (repairServicesInterval)
 */
import { hostname } from "node:os";
import type { Service } from "@nanokube/api/core/v1";
import type { IPAddress, ServiceCIDR } from "@nanokube/api/networking/v1";
import { type KubeObject, sleep } from "@nanokube/machinery";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import type { LocalClient } from "../core/local-client.ts";
import type { ResourceRegistry } from "../core/registry.ts";
import {
  addressFor,
  type KnownAddresses,
  type RepairNote,
  repairAddress,
  repairService,
} from "../core/service/address-repair.ts";
import { holds, parseRange } from "../core/service/cidr.ts";
import { defaultNodePorts } from "../core/service/node-ports.ts";
import { checkNodePorts } from "../core/service/port-repair.ts";
import { RepairEvents } from "../core/service/repair-events.ts";
import type { ApiServerOptions } from "./api-server-options.ts";

const everyMs = 3 * 60_000;
/** Objects that are looked at in one turn of the event loop. */
const atOnce = 50;
const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
const addressPath = "/apis/networking.k8s.io/v1/ipaddresses";

export interface ServiceRepairParts {
  options: ApiServerOptions;
  registry: ResourceRegistry;
  local: LocalClient;
}

/** Nothing where a resource is not served. */
export function startServiceRepair(parts: ServiceRepairParts, signal: AbortSignal): void {
  const of = (group: string, plural: string) => parts.registry.lookup(group, "v1", plural)?.cache;
  const services = of("", "services");
  const addresses = of("networking.k8s.io", "ipaddresses");
  const cidrs = of("networking.k8s.io", "servicecidrs");
  if (services === undefined || addresses === undefined || cidrs === undefined) return;
  new Repair(parts, { services, addresses, cidrs }).start(signal);
}

interface Caches {
  services: ResourceCache;
  addresses: ResourceCache;
  cidrs: ResourceCache;
}

class Repair {
  readonly #parts: ServiceRepairParts;
  readonly #caches: Caches;
  readonly #ipEvents: RepairEvents;
  readonly #portEvents: RepairEvents;
  /** What is to be looked at, in the order in which it was heard of. */
  readonly #due = new Set<string>();
  #isWorking = false;
  #signal: AbortSignal | undefined;

  constructor(parts: ServiceRepairParts, caches: Caches) {
    this.#parts = parts;
    this.#caches = caches;
    const { clock, random } = parts.options;
    const deps = { clock, random, local: parts.local, hostName: hostname() };
    this.#ipEvents = new RepairEvents({ ...deps, controller: "ipallocator-repair-controller" });
    this.#portEvents = new RepairEvents({ ...deps, controller: "portallocator-repair-controller" });
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    const { services, addresses } = this.#caches;
    const onReset = (): void => undefined;
    const stops = [
      services.watch({
        onEvent: ({ object }) => this.#heard("service", object?.key),
        onReset,
      }),
      addresses.watch({ onEvent: ({ object }) => this.#heard("ip", object?.key), onReset }),
    ];
    signal.addEventListener("abort", () => stops.forEach((stop) => void stop()));
    void this.#keep(signal);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { key } of this.#caches.services.scan()) this.#heard("service", key);
      for (const { key } of this.#caches.addresses.scan()) this.#heard("ip", key);
      await this.#checkPorts();
      await sleep(this.#parts.options.clock, everyMs, signal).catch(() => undefined);
    }
  }

  #heard(kind: "service" | "ip", key: string | undefined): void {
    if (key === undefined) return;
    this.#due.add(kind === "ip" ? `ip//${key}` : `service/${key}`);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    let looked = 0;
    for (const key of this.#due) {
      // The write that told of it is over before it is looked at, and requests may pass.
      if (looked++ % atOnce === 0) await pause();
      if (this.#signal?.aborted) break;
      this.#due.delete(key);
      const [kind = "", namespace = "", name = ""] = key.split("/");
      const done = kind === "ip" ? this.#address(name) : this.#service(namespace, name);
      await done.catch((error: unknown) =>
        this.#parts.options.log.warn({ error: String(error), key }, "unable to repair"),
      );
    }
    this.#isWorking = false;
  }

  async #service(namespace: string, name: string): Promise<void> {
    const service = this.#known.service(namespace, name);
    if (service === undefined) return;
    const { local } = this.#parts;
    const { notes, create, remove } = repairService(service, this.#known);
    await this.#tell(this.#ipEvents, { apiVersion: "v1", kind: "Service", ...service }, notes);
    for (const address of remove) await local.delete(`${addressPath}/${address}`);
    for (const address of create) await local.create(addressPath, addressFor(address, service));
  }

  async #address(name: string): Promise<void> {
    const address = this.#known.address(name);
    if (address === undefined) return;
    const { local, options } = this.#parts;
    const found = repairAddress(address, this.#known, options.clock.now());
    if (found.againInMs !== undefined) {
      const later = sleep(options.clock, found.againInMs, this.#signal);
      later.then(() => this.#heard("ip", name)).catch(() => undefined);
    }
    const kind = { apiVersion: "networking.k8s.io/v1", kind: "IPAddress" };
    await this.#tell(this.#ipEvents, { ...kind, ...address }, found.notes);
    if (found.remove) await local.delete(`${addressPath}/${name}`);
  }

  async #checkPorts(): Promise<void> {
    const services: Service[] = [];
    let looked = 0;
    for (const object of [...this.#caches.services.scan()]) {
      if (looked++ % atOnce === 0) await pause();
      const service = object.readonlyTree() as Service;
      if (service.spec?.ports?.some(({ nodePort }) => nodePort)) services.push(service);
    }
    const range = this.#parts.options.nodePortRange ?? defaultNodePorts;
    for (const { service, note } of checkNodePorts(services, range)) {
      await this.#tell(this.#portEvents, { apiVersion: "v1", kind: "Service", ...service }, [note]);
    }
  }

  async #tell(
    events: RepairEvents,
    regarding: object,
    notes: readonly RepairNote[],
  ): Promise<void> {
    for (const note of notes) {
      await events
        .tell(regarding as KubeObject, note)
        .catch((error: unknown) =>
          this.#parts.options.log.warn({ error: String(error) }, "unable to write an event"),
        );
    }
  }

  get #known(): KnownAddresses {
    const { services, addresses, cidrs } = this.#caches;
    return {
      isInRange: (address) =>
        [...cidrs.scan()]
          .flatMap((object) => (object.shared() as ServiceCIDR).spec?.cidrs ?? [])
          .some((cidr) => holds(parseRange(cidr), address)),
      address: (name) => addresses.get(name)?.readonlyTree() as IPAddress | undefined,
      service: (namespace, name) =>
        services.get(`${namespace}/${name}`)?.readonlyTree() as Service | undefined,
    };
  }
}
