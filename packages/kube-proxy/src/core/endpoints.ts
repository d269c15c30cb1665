/**
 * The endpoints behind a ServicePort, gathered from all EndpointSlices of the Service.
 *
 * Shapes  Endpoint  text is "ip:port"; ready, serving, terminating by EndpointSlice's rules for
 *                   absent conditions
 *         endpointsOf  port key "portName/protocol" → endpoints ordered by their text
 * Source  kubernetes pkg/proxy/endpointslicecache.go, endpoint.go
 */
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { canonicalIP, type Family, joinHostPort } from "./address.ts";

export interface Endpoint {
  text: string;
  ip: string;
  port: number;
  isLocal: boolean;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  zoneHints: readonly string[];
  nodeHints: readonly string[];
}

export const serviceNameLabel = "kubernetes.io/service-name";
export const sliceSelector =
  "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name";

/**
 * "namespace/name" of the Service a slice belongs to; undefined for a slice that belongs to none.
 */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata?.labels?.[serviceNameLabel];
  return name === undefined || name === "" ? undefined : `${slice.metadata?.namespace}/${name}`;
}

export const portKey = (portName: string, protocol: string): string => `${portName}/${protocol}`;

export function endpointsOf(
  slices: readonly EndpointSlice[],
  family: Family,
  nodeName: string,
): Map<string, Endpoint[]> {
  const ports = new Map<string, Map<string, Endpoint>>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    for (const port of slice.ports ?? []) {
      // A port without a number would be "all ports", which no proxy can do.
      if (port.port === undefined || port.port === 0) continue;
      const key = portKey(port.name ?? "", (port.protocol ?? "TCP").toLowerCase());
      const found = ports.get(key) ?? new Map<string, Endpoint>();
      ports.set(key, found);
      addEndpoints(found, slice, port.port, nodeName);
    }
  }
  const byText = (a: Endpoint, b: Endpoint) => (a.text < b.text ? -1 : 1);
  return new Map([...ports].map(([key, found]) => [key, [...found.values()].sort(byText)]));
}

function addEndpoints(
  found: Map<string, Endpoint>,
  slice: EndpointSlice,
  port: number,
  nodeName: string,
): void {
  for (const endpoint of slice.endpoints ?? []) {
    const ip = canonicalIP(endpoint.addresses?.[0] ?? "");
    if (ip === undefined) continue;
    const { ready, serving, terminating } = endpoint.conditions ?? {};
    const text = joinHostPort(ip, port);
    // Two pods may claim one address for a moment; the one that is not going away is meant.
    if (found.has(text) && terminating === true) continue;
    found.set(text, {
      text,
      ip,
      port,
      isLocal: nodeName !== "" && endpoint.nodeName === nodeName,
      ready: ready !== false,
      serving: serving !== false,
      terminating: terminating === true,
      zoneHints: (endpoint.hints?.forZones ?? []).map((zone) => zone.name ?? ""),
      nodeHints: (endpoint.hints?.forNodes ?? []).map((node) => node.name ?? ""),
    });
  }
}
