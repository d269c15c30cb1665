/**
 * How this node reaches the pods of the others: each node's pod networks lie behind that node's
 * address.
 *
 * Shapes  NodeRoute  one line of the routing table; `dst` is a pod CIDR, `via` the node's
 *                    InternalIP of the same family
 *         current    what `ip -json route show proto 78` prints: the routes that we made, and
 *                    nobody else's
 * Source  k8s.io/cloud-provider/controllers/route/route_controller.go (there the cloud makes them)
 */
import { contains, formatNetwork, networkAddress, parseIP, parseNetwork } from "./ip.ts";
import type { RouteEntry } from "./link-state.ts";

/**
 * Routes carry who made them; 78 is "N", below the numbers that iproute2's rt_protos reserves from
 * 186 on.
 */
export const routeProtocol = "78";

export interface NodeRoute {
  dst: string;
  via: string;
}

/** What is read of a Node. */
export interface RoutedNode {
  metadata?: { name?: string };
  spec?: { podCIDR?: string; podCIDRs?: string[] };
  status?: { addresses?: { type?: string; address?: string }[] };
}

export function podNetworks(node: RoutedNode): string[] {
  const { podCIDR, podCIDRs } = node.spec ?? {};
  const list = podCIDRs ?? (podCIDR === undefined || podCIDR === "" ? [] : [podCIDR]);
  return list.flatMap((text) => {
    const network = parseNetwork(text);
    if (network === undefined) return [];
    return [formatNetwork({ address: networkAddress(network), prefix: network.prefix })];
  });
}

/**
 * Routes to the pods of all nodes but `self`; nodes without an address or a pod CIDR have none yet.
 */
export function nodeRoutes(nodes: readonly RoutedNode[], self: string): NodeRoute[] {
  const routes = new Map<string, NodeRoute>();
  const sorted = nodes.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const node of sorted) {
    if (nameOf(node) === self) continue;
    for (const dst of podNetworks(node)) {
      const via = addressFor(node, dst);
      // Two nodes with one CIDR are a mistake of the cluster; the first by name keeps it, always
      // the same one.
      if (via !== undefined && !routes.has(dst)) routes.set(dst, { dst, via });
    }
  }
  return [...routes.values()];
}

const nameOf = (node: RoutedNode): string => node.metadata?.name ?? "";

function addressFor(node: RoutedNode, dst: string): string | undefined {
  const network = parseNetwork(dst)!;
  const addresses = (node.status?.addresses ?? []).filter((a) => a.type === "InternalIP");
  return addresses
    .map((a) => a.address)
    .find((text) => {
      const ip = parseIP(text);
      // A node whose address lies in its own pod network would be a route to itself.
      return ip?.family === network.address.family && !contains(network, ip);
    });
}

/**
 * Lines for `ip -batch` that turn the present routes into the wanted ones; none when they agree.
 */
export function routeBatch(wanted: readonly NodeRoute[], current: readonly RouteEntry[]): string[] {
  const keep = new Set(wanted.map((r) => r.dst));
  const present = new Map(current.map((r) => [r.dst, r.gateway]));
  const remove = current
    .filter((r) => !keep.has(r.dst))
    .map((r) => `route del ${r.dst} proto ${routeProtocol}`);
  const replace = wanted
    .filter((r) => present.get(r.dst) !== r.via)
    .map((r) => `route replace ${r.dst} via ${r.via} proto ${routeProtocol}`);
  return [...remove, ...replace];
}

/**
 * Masquerade for what pods send to the world, as text for iptables-restore: from the node's own pod
 * networks, not to `except` (the cluster's pods, whose policies and logs want the true source).
 */
export function egressText(own: readonly string[], except: readonly string[]): string {
  const chain = "NANOKUBE-EGRESS";
  const lines = [
    `:${chain} - [0:0]`,
    ...except.map((cidr) => `-A ${chain} -d ${cidr} -j RETURN`),
    ...own.map((cidr) => `-A ${chain} -s ${cidr} -j MASQUERADE`),
  ];
  return `*nat\n${lines.join("\n")}\nCOMMIT\n`;
}
