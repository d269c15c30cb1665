/**
 * The cluster as names need it: Services, their ready endpoints, Namespaces; indexed, in lower
 * case.
 *
 * Shapes  keys      "namespace/name"
 *         Backend   one address of a headless Service with its ports; port -1 where the slice names
 *                   none (no SRV record then)
 *         serial    of the SOA record: when the last change was seen, seconds since the epoch
 * Source  CoreDNS plugin/kubernetes/controller.go, object/{service,endpoint}.go
 */
import type { Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { dashed, ipKey } from "./address.ts";

export interface PortView {
  name: string;
  protocol: string;
  port: number;
}

export interface ServiceView {
  namespace: string;
  name: string;
  externalName: string | undefined;
  headless: boolean;
  clusterIPs: readonly string[];
  ports: readonly PortView[];
}

export interface Backend {
  ip: string;
  /** The pod's hostname, or its address with dashes. */
  hostname: string;
  ports: readonly PortView[];
}

interface SliceView {
  service: string;
  backends: Backend[];
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

export class ClusterView {
  readonly #services = new Map<string, ServiceView>();
  readonly #slices = new Map<string, SliceView>();
  readonly #slicesByService = new Map<string, Set<string>>();
  readonly #namespaces = new Set<string>();
  readonly #serviceByIP = new Map<string, Set<string>>();
  readonly #slicesByIP = new Map<string, Set<string>>();
  serial = 0;

  setService(service: Service): void {
    const view = serviceView(service);
    const key = keyOf(view.namespace, view.name);
    this.deleteService(key);
    this.#services.set(key, view);
    for (const ip of view.clusterIPs) insert(this.#serviceByIP, ipKey(ip), key);
  }

  deleteService(key: string): void {
    for (const ip of this.#services.get(key)?.clusterIPs ?? []) {
      remove(this.#serviceByIP, ipKey(ip), key);
    }
    this.#services.delete(key);
  }

  setSlice(slice: EndpointSlice): void {
    const { namespace = "", name = "", labels } = slice.metadata ?? {};
    const key = keyOf(namespace, name);
    this.deleteSlice(key);
    const service = labels?.["kubernetes.io/service-name"];
    if (service === undefined || service === "") return;
    const view = { service: keyOf(namespace, service), backends: backendsOf(slice) };
    this.#slices.set(key, view);
    insert(this.#slicesByService, view.service, key);
    for (const { ip } of view.backends) insert(this.#slicesByIP, ipKey(ip), key);
  }

  deleteSlice(key: string): void {
    const old = this.#slices.get(key);
    if (old === undefined) return;
    remove(this.#slicesByService, old.service, key);
    for (const { ip } of old.backends) remove(this.#slicesByIP, ipKey(ip), key);
    this.#slices.delete(key);
  }

  setNamespace(name: string, present: boolean): void {
    if (present) this.#namespaces.add(name);
    else this.#namespaces.delete(name);
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): ServiceView | undefined {
    return this.#services.get(keyOf(namespace, name));
  }

  backends(service: ServiceView): Backend[] {
    const slices = this.#slicesByService.get(keyOf(service.namespace, service.name)) ?? [];
    return [...slices].flatMap((key) => this.#slices.get(key)!.backends);
  }

  /** The Service that has the address as its cluster IP. */
  serviceOfIP(key: string): ServiceView | undefined {
    const [first] = this.#serviceByIP.get(key) ?? [];
    return first === undefined ? undefined : this.#services.get(first);
  }

  /**
   * Endpoints with the address: the hostname and "namespace/name" of the Service, each pair once.
   */
  endpointsOfIP(key: string): { hostname: string; service: string }[] {
    const found = new Map<string, { hostname: string; service: string }>();
    for (const slice of this.#slicesByIP.get(key) ?? []) {
      const { service, backends } = this.#slices.get(slice)!;
      for (const { ip, hostname } of backends) {
        if (ipKey(ip) === key) found.set(`${hostname} ${service}`, { hostname, service });
      }
    }
    return [...found.values()];
  }
}

function insert(index: Map<string, Set<string>>, value: string | undefined, key: string): void {
  if (value === undefined) return;
  const keys = index.get(value);
  if (keys === undefined) index.set(value, new Set([key]));
  else keys.add(key);
}

function remove(index: Map<string, Set<string>>, value: string | undefined, key: string): void {
  const keys = value === undefined ? undefined : index.get(value);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(value!);
}

const noPorts: readonly PortView[] = [{ name: "", protocol: "", port: -1 }];

function serviceView(service: Service): ServiceView {
  const { spec = {}, metadata = {} } = service;
  const { clusterIP = "", clusterIPs } = spec;
  const ips = clusterIPs !== undefined && clusterIPs.length > 0 ? clusterIPs : [clusterIP];
  const isExternal = spec.type === "ExternalName";
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name ?? "",
    protocol: (port.protocol ?? "TCP").toLowerCase(),
    port: port.port ?? -1,
  }));
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    externalName: isExternal ? spec.externalName : undefined,
    headless: ips[0] === "None",
    clusterIPs: ips.filter((ip) => ip !== "" && ip !== "None"),
    ports: ports.length > 0 ? ports : noPorts,
  };
}

function backendsOf(slice: EndpointSlice): Backend[] {
  const ports = (slice.ports ?? []).map((port) => ({
    name: (port.name ?? "").toLowerCase(),
    protocol: (port.protocol ?? "").toLowerCase(),
    port: port.port ?? -1,
  }));
  return (slice.endpoints ?? []).flatMap((endpoint) => {
    if (endpoint.conditions?.ready === false) return [];
    return (endpoint.addresses ?? []).map((ip) => ({
      ip,
      hostname: (endpoint.hostname ?? "") === "" ? dashed(ip) : endpoint.hostname!,
      ports: ports.length > 0 ? ports : noPorts,
    }));
  });
}
