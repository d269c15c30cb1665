/**
 * An attachment as text for `ip -batch`: one batch for the host's side, one for the container's.
 *
 * A process start costs more than the netlink calls in it, so everything of one side goes through
 * one `ip`.
 *
 *   host        veth pair with its peer born inside the container's namespace, host end on the
 *               bridge and up
 *   container   addresses, link up, routes, and `addr show`, whose JSON tells the MAC and whether
 *               the port came up
 *
 * The host end is named by a hash of the attachment, and its alias says whose it is: DEL finds it
 * when the namespace is gone, and GC finds what nobody claims.
 *
 * Shapes  batch  lines for `ip -batch`; every word is validated or quoted, a line is one command
 * Source  containernetworking/plugins v1.9 plugins/main/bridge/bridge.go, pkg/ipam/ipam_linux.go
 *         ConfigureIface
 */
import type { BridgeConfig } from "./config.ts";
import {
  formatIP,
  formatNetwork,
  type IP,
  type Network,
  networkAddress,
  nextIP,
  parseIP,
  parseNetwork,
} from "./ip.ts";
import type { IPConfig, Result, Route } from "./result.ts";

export interface Allocation {
  address: Network;
  gateway: IP;
}

export interface Attachment {
  network: string;
  containerID: string;
  ifName: string;
}

/** An address the bridge must carry, as the gateway of its pods. */
export interface GatewayAddress {
  address: IP;
  prefix: number;
}

/** "veth" and 11 hexadecimal digits: the 15 bytes that the kernel allows. */
export function hostInterfaceName(at: Attachment): string {
  const text = `${at.network}/${at.containerID}/${at.ifName}`;
  const bits44 = fnv1a(text, 0x811c9dc5) * 4096 + (fnv1a(text, 0x9747b28c) & 0xfff);
  return `veth${bits44.toString(16).padStart(11, "0")}`;
}

/** FNV-1a, 32 bits: a name needs spread, no secrecy, and node:crypto costs milliseconds to load. */
function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

const aliasPrefix = "cni-bridge";
/**
 * Network names, container ids and interface names have no blanks, so that blanks separate them.
 */
export const aliasOf = (at: Attachment): string =>
  `${aliasPrefix} ${at.network} ${at.containerID} ${at.ifName}`;

export function attachmentOfAlias(alias: string | undefined): Attachment | undefined {
  const [prefix, network, containerID, ifName, ...rest] = (alias ?? "").split(" ");
  if (prefix !== aliasPrefix || ifName === undefined || rest.length > 0) return undefined;
  return { network: network!, containerID: containerID!, ifName };
}

/** A word of a batch line: `ip` takes quotes, and has no way to escape one inside. */
function word(text: string): string {
  if (/["\\\n]/.test(text)) throw new Error(`not a word for ip -batch: ${JSON.stringify(text)}`);
  return /^[\w./:@+-]+$/.test(text) ? text : `"${text}"`;
}

/** IPAM's answer and the configuration as the result: gateways and the default route filled in. */
export function resultOf(config: BridgeConfig, allocations: readonly Allocation[]): Result {
  const routes: Route[] = [...(config.ipam?.routes ?? [])];
  const defaultFound = new Set<number>();
  const ips: IPConfig[] = allocations.map(({ address, gateway }) => {
    const { family } = address.address;
    const dst = family === 4 ? "0.0.0.0/0" : "::/0";
    if (config.isDefaultGateway && !defaultFound.has(family)) {
      defaultFound.add(family);
      if (!routes.some((route) => route.dst === dst && route.gw !== undefined)) {
        routes.push({ dst, gw: formatIP(gateway) });
      }
    }
    return { interface: 2, address: formatNetwork(address), gateway: formatIP(gateway) };
  });
  return { ips, routes, ...(config.dns === undefined ? {} : { dns: config.dns }) };
}

export function gatewayAddresses(
  config: BridgeConfig,
  allocations: readonly Allocation[],
): GatewayAddress[] {
  if (!config.isGateway) return [];
  return allocations.map(({ address, gateway }) => ({ address: gateway, prefix: address.prefix }));
}

export const firstAddress = (n: Network): IP => nextIP(networkAddress(n));

export function createBridgeBatch(config: BridgeConfig): string[] {
  const mtu = config.mtu > 0 ? ` mtu ${config.mtu}` : "";
  return [`link add name ${word(config.bridge)}${mtu} type bridge`];
}

/**
 * `mac` is the bridge's own: setting it pins it, else it follows the lowest of its ports as they
 * come and go.
 */
export function configureBridgeBatch(
  config: BridgeConfig,
  state: { mac: string; remove: readonly string[]; add: readonly GatewayAddress[] },
): string[] {
  const dev = word(config.bridge);
  const lines = state.remove.map((address) => `addr del ${word(address)} dev ${dev}`);
  for (const gateway of state.add) {
    const broadcast = gateway.address.family === 4 ? " brd +" : " nodad";
    lines.push(`addr add ${formatIP(gateway.address)}/${gateway.prefix}${broadcast} dev ${dev}`);
  }
  const pin = state.add.length > 0 ? ` address ${word(state.mac)}` : "";
  lines.push(`link set dev ${dev}${pin}${config.promiscMode ? " promisc on" : ""} up`);
  return lines;
}

export function hostBatch(config: BridgeConfig, at: Attachment, netns: string): string[] {
  const name = hostInterfaceName(at);
  const mtu = config.mtu > 0 ? ` mtu ${config.mtu}` : "";
  const mac = config.mac === undefined ? "" : ` address ${word(config.mac)}`;
  const peer = `name ${word(at.ifName)}${mtu}${mac} netns ${word(netns)}`;
  const alias = word(aliasOf(at).slice(0, 255));
  const lines = [
    `link add name ${name}${mtu} up master ${word(config.bridge)} type veth peer ${peer}`,
    `link set dev ${name} alias ${alias}`, // the kernel drops an alias given at creation
  ];
  const options = [
    ...(config.hairpinMode ? ["hairpin on"] : []),
    ...(config.portIsolation ? ["isolated on"] : []),
  ];
  if (options.length > 0) lines.push(`link set dev ${name} type bridge_slave ${options.join(" ")}`);
  // Both at once, by name: a bridge may hold hundreds of ports.
  lines.push(`link show dev ${name}`, `link show dev ${word(config.bridge)}`);
  return lines;
}

export function containerBatch(ifName: string, result: Result): string[] {
  const dev = word(ifName);
  const lines: string[] = [];
  for (const ip of result.ips ?? []) {
    const network = parseNetwork(ip.address)!;
    // IPv6 needs nothing here: duplicate address detection is off by the interface's accept_dad.
    const options = network.address.family === 4 ? " brd +" : "";
    lines.push(`addr add ${ip.address}${options} dev ${dev}`);
  }
  lines.push(`link set dev ${dev} up`);
  for (const route of result.routes ?? []) lines.push(routeLine(route, dev, result));
  lines.push(`addr show dev ${dev}`);
  return lines;
}

function routeLine(route: Route, dev: string, result: Result): string {
  const family = parseNetwork(route.dst)!.address.family;
  const gateway =
    route.gw ?? result.ips?.find((ip) => parseIP(ip.gateway)?.family === family)?.gateway;
  return [
    `route add ${route.dst}`,
    ...(gateway === undefined || (route.scope ?? 0) !== 0 ? [] : [`via ${gateway}`]),
    `dev ${dev}`,
    ...(route.priority === undefined ? [] : [`metric ${route.priority}`]),
    ...(route.table === undefined ? [] : [`table ${route.table}`]),
    ...(route.scope === undefined ? [] : [`scope ${route.scope}`]),
    ...(route.mtu === undefined ? [] : [`mtu ${route.mtu}`]),
    ...(route.advmss === undefined ? [] : [`advmss ${route.advmss}`]),
  ].join(" ");
}
