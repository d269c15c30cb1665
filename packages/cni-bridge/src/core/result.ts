/**
 * What ADD answers: interfaces, addresses, routes, DNS; and the older shapes of it.
 *
 * Shapes  Result  the 1.1.0 form, held inside; `toVersion` writes the form of the configuration's
 *                 version
 * Source  CNI 1.1.0 SPEC.md, section 5; pkg/types/100/types.go, pkg/types/040/types.go (adds
 *         `version`, always has `dns`)
 */
import { parseNetwork } from "./ip.ts";
import { atLeast } from "./version.ts";

export interface Interface {
  name: string;
  mac?: string;
  mtu?: number;
  sandbox?: string;
}

export interface IPConfig {
  /** Index into `interfaces`. */
  interface?: number;
  /** "10.244.1.5/24" */
  address: string;
  gateway?: string;
}

export interface Route {
  dst: string;
  gw?: string;
  mtu?: number;
  advmss?: number;
  priority?: number;
  table?: number;
  scope?: number;
}

export interface DNS {
  nameservers?: string[];
  domain?: string;
  search?: string[];
  options?: string[];
}

export interface Result {
  cniVersion?: string;
  interfaces?: Interface[];
  ips?: IPConfig[];
  routes?: Route[];
  dns?: DNS;
}

export function toVersion(result: Result, cniVersion: string): Record<string, unknown> {
  const { interfaces = [], ips = [], routes = [], dns = {} } = result;
  const old = !atLeast(cniVersion, "1.0.0");
  const hasDNS = Object.keys(dns).length > 0;
  return {
    cniVersion,
    ...(interfaces.length > 0 ? { interfaces } : {}),
    ...(ips.length > 0 ? { ips: old ? ips.map(withFamily) : ips } : {}),
    ...(routes.length > 0 ? { routes: routes.map((r) => routeTo(r, cniVersion)) } : {}),
    ...(hasDNS || old ? { dns } : {}),
  };
}

function withFamily(ip: IPConfig): Record<string, unknown> {
  return { version: String(parseNetwork(ip.address)?.address.family ?? 4), ...ip };
}

/** Routes before 1.1.0 had a destination and a gateway only. */
function routeTo(route: Route, cniVersion: string): Route {
  if (atLeast(cniVersion, "1.1.0")) return route;
  return { dst: route.dst, ...(route.gw === undefined ? {} : { gw: route.gw }) };
}
