/**
 * What `ip -json` prints, as far as the plugin looks at it, and what it says about the bridge.
 *
 * Shapes  Link   an element of `ip -json -details addr show`
 *         Route  an element of `ip -json route show`
 * Source  iproute2 ip/ipaddress.c, ip/iproute.c (JSON keys)
 */
import type { BridgeConfig } from "./config.ts";
import { contains, formatIP, formatNetwork, type Network, parseIP } from "./ip.ts";
import type { GatewayAddress } from "./plan.ts";

export interface Address {
  family: string;
  local: string;
  prefixlen: number;
  scope?: string;
}

export interface Link {
  ifindex: number;
  ifname: string;
  address?: string;
  operstate?: string;
  master?: string;
  link_index?: number;
  ifalias?: string;
  promiscuity?: number;
  flags?: string[];
  linkinfo?: { info_kind?: string };
  addr_info?: Address[];
}

export interface RouteEntry {
  dst: string;
  gateway?: string;
  dev?: string;
}

/**
 * `ip -json -batch` prints one JSON array for each show command, one to a line: all their elements
 * in order. An absent element is an empty object, which `ip` prints for a filtered link.
 */
export function parseBatchOutput(stdout: string): Link[] {
  const links: Link[] = [];
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("[")) continue;
    links.push(...(JSON.parse(line) as Link[]).filter((link) => link.ifname !== undefined));
  }
  return links;
}

export type BridgePlan =
  | { refuse: string }
  | { remove: string[]; add: GatewayAddress[]; mac: string; ready: boolean };

/** Which addresses the bridge still lacks, by what `addr show` says. Upstream's ensureAddr. */
export function planBridge(
  config: BridgeConfig,
  link: Link,
  wanted: readonly GatewayAddress[],
): BridgePlan {
  if (link.linkinfo !== undefined && link.linkinfo.info_kind !== "bridge") {
    return { refuse: `"${config.bridge}" already exists but is not a bridge` };
  }
  const remove: string[] = [];
  const add: GatewayAddress[] = [];
  for (const gateway of wanted) {
    const text = `${formatIP(gateway.address)}/${gateway.prefix}`;
    const family = gateway.address.family === 4 ? "inet" : "inet6";
    const network: Network = { address: gateway.address, prefix: gateway.prefix };
    const present = (link.addr_info ?? []).filter((a) => a.family === family);
    if (present.some((a) => `${a.local}/${a.prefixlen}` === text)) continue;
    // IPv6 bridges may have addresses of disjoint subnets, link-local ones among them; IPv4 ones
    // may not.
    const inTheWay = present.filter((a) => family === "inet" || overlaps(network, a));
    if (inTheWay.length > 0 && !config.forceAddress) {
      return { refuse: `"${config.bridge}" already has an IP address different from ${text}` };
    }
    remove.push(...inTheWay.map((a) => `${a.local}/${a.prefixlen}`));
    add.push(gateway);
  }
  const up = link.flags?.includes("UP") ?? false;
  const promisc = !config.promiscMode || (link.flags?.includes("PROMISC") ?? false);
  const ready = remove.length === 0 && add.length === 0 && up && promisc;
  return { remove, add, mac: link.address ?? "", ready };
}

function overlaps(network: Network, address: Address): boolean {
  const ip = parseIP(address.local);
  if (ip === undefined) return false;
  const other = { address: ip, prefix: address.prefixlen };
  return contains(network, ip) || contains(other, network.address);
}

export const addressText = (a: Address): string => {
  const address = parseIP(a.local);
  return address === undefined ? a.local : formatNetwork({ address, prefix: a.prefixlen });
};
