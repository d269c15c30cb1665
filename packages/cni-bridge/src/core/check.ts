/**
 * CHECK: does the kernel still hold what ADD reported?
 *
 * Errors  999 with upstream's words, the first difference only
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go cmdCheck,
 *         pkg/ip/utils_linux.go
 */
import type { BridgeConfig } from "./config.ts";
import { CNIError } from "./errors.ts";
import { formatNetwork, parseIP, parseNetwork } from "./ip.ts";
import { addressText, type Link, type RouteEntry } from "./link-state.ts";
import type { Interface, Result } from "./result.ts";

export interface CheckState {
  /**
   * `ip -json -details addr show` of the host: the bridge and the host ends named in the result.
   */
  host: readonly Link[];
  /** The same of the container's namespace. */
  container: readonly Link[];
  routes: readonly RouteEntry[];
}

export interface CheckTarget {
  config: BridgeConfig;
  ifName: string;
  netns: string;
}

function fail(message: string): never {
  throw new CNIError("internal", message);
}

export function check(target: CheckTarget, prevResult: Result, state: CheckState): void {
  const { config, ifName, netns } = target;
  const interfaces = prevResult.interfaces ?? [];
  const bridge = interfaces.find((i) => i.name === config.bridge);
  const inside = interfaces.find((i) => i.name === ifName && i.sandbox === netns);
  const bridgeLink = checkBridge(config, bridge, state.host);
  if (inside === undefined) {
    fail(`Sandbox in prevResult  doesn't match configured netns: ${netns}`);
  }
  const link = checkContainerInterface(inside, state.container);
  const hostEnd = interfaces
    .filter((i) => i !== bridge && i !== inside)
    .map((i) => ({ i, link: state.host.find((l) => l.ifname === i.name) }))
    .find(({ link: l }) => l?.ifindex === link.link_index && l?.link_index === link.ifindex);
  if (hostEnd?.link === undefined || hostEnd.link.master !== bridgeLink.ifname) {
    fail(`CNI veth created for bridge ${config.bridge} was not found`);
  }
  if (hostEnd.i.mac !== undefined && hostEnd.i.mac !== hostEnd.link.address) {
    fail(`Interface ${hostEnd.i.name} Mac doesn't match: ${hostEnd.i.mac} not found`);
  }
  checkAddresses(prevResult, link, ifName);
  checkRoutes(prevResult, state.routes);
}

function checkBridge(
  config: BridgeConfig,
  expected: Interface | undefined,
  host: readonly Link[],
): Link {
  if (expected === undefined) fail("Interface name missing ");
  const link = host.find((l) => l.ifname === expected.name);
  if (link === undefined) fail(`Interface name ${expected.name} not found`);
  if (link.linkinfo?.info_kind !== "bridge") {
    fail(`Interface ${expected.name} does not have link type of bridge`);
  }
  if (expected.mac !== undefined && expected.mac !== link.address) {
    fail(`Bridge interface ${expected.name} Mac doesn't match: ${expected.mac}`);
  }
  const promisc = link.flags?.includes("PROMISC") ?? false;
  if (promisc !== config.promiscMode) {
    const modes = `${config.promiscMode} doesn't match current state: ${promisc} `;
    fail(`Bridge interface ${expected.name} configured Promisc Mode ${modes}`);
  }
  return link;
}

function checkContainerInterface(expected: Interface, container: readonly Link[]): Link {
  const link = container.find((l) => l.ifname === expected.name);
  if (link === undefined) fail(`Interface name ${expected.name} not found`);
  if (link.linkinfo?.info_kind !== "veth") {
    fail(`Error: Container interface ${expected.name} not of type veth`);
  }
  if (expected.mac !== undefined && expected.mac !== link.address) {
    fail(
      `Interface ${expected.name} Mac ${expected.mac} doesn't match container Mac: ${link.address}`,
    );
  }
  return link;
}

function checkAddresses(prevResult: Result, link: Link, ifName: string): void {
  const present = (link.addr_info ?? []).map(addressText);
  for (const ip of prevResult.ips ?? []) {
    const network = parseNetwork(ip.address);
    if (network === undefined || !present.includes(formatNetwork(network))) {
      fail(`Failed to match addr ${ip.address} on interface ${ifName}`);
    }
  }
}

function checkRoutes(prevResult: Result, routes: readonly RouteEntry[]): void {
  for (const route of prevResult.routes ?? []) {
    const destination = parseNetwork(route.dst);
    if (destination === undefined) fail(`Invalid static route found ${route.dst}`);
    const gateway = parseIP(route.gw);
    const found = routes.some((entry) => {
      const text = entry.dst === "default" ? [`0.0.0.0/0`, "::/0"] : [fullPrefix(entry.dst)];
      return text.includes(route.dst) && (gateway === undefined || entry.gateway === route.gw);
    });
    if (!found) fail(`Expected Route ${route.dst} not found in routing table`);
  }
}

/** `ip` prints a host route without its prefix length. */
function fullPrefix(dst: string): string {
  if (dst.includes("/")) return dst;
  return `${dst}/${dst.includes(":") ? 128 : 32}`;
}
