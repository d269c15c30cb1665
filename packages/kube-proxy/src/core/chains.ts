/**
 * The names of chains, and the rules by which the kernel's own chains lead to them.
 *
 * Service chains carry 16 characters of a hash, upstream's own: both proxies then write the very
 * same names, and either cleans up after the other.
 *
 * Shapes  Hash  text → base32 of its SHA-256, cut to 16 characters; an argument, for the core
 *               imports nothing from Node
 * Source  kubernetes pkg/proxy/iptables/proxier.go (iptablesJumpChains, portProtoHash,
 *         servicePortEndpointChainName)
 */

export type Hash = (text: string) => string;
export type Table = "filter" | "nat";

export const services = "KUBE-SERVICES";
export const externalServices = "KUBE-EXTERNAL-SERVICES";
export const nodePorts = "KUBE-NODEPORTS";
export const postrouting = "KUBE-POSTROUTING";
export const markMasq = "KUBE-MARK-MASQ";
export const forward = "KUBE-FORWARD";
export const proxyFirewall = "KUBE-PROXY-FIREWALL";
export const kubeletFirewall = "KUBE-FIREWALL";
export const canary = "KUBE-PROXY-CANARY";

/** Top-level chains that every sync writes anew, by table. */
export const ownChains: Readonly<Record<Table, readonly string[]>> = {
  filter: [services, externalServices, forward, nodePorts, proxyFirewall],
  nat: [services, nodePorts, postrouting, markMasq],
};

export interface ServiceChains {
  /** All endpoints. */
  cluster: string;
  /** This node's endpoints. */
  local: string;
  firewall: string;
  external: string;
}

export function serviceChains(name: string, protocol: string, hash: Hash): ServiceChains {
  const suffix = hash(name + protocol);
  return {
    cluster: `KUBE-SVC-${suffix}`,
    local: `KUBE-SVL-${suffix}`,
    firewall: `KUBE-FW-${suffix}`,
    external: `KUBE-EXT-${suffix}`,
  };
}

export const endpointChain = (name: string, protocol: string, endpoint: string, hash: Hash) =>
  `KUBE-SEP-${hash(name + protocol + endpoint)}`;

export const isServiceChain = (chain: string): boolean => /^KUBE-(SVC|SVL|SEP|FW|EXT)-/.test(chain);

export interface Jump {
  table: Table;
  from: string;
  to: string;
  /** Matches before the jump. */
  match: string;
  comment: string;
}

const onlyNew = "-m conntrack --ctstate NEW";

function jump(table: Table, to: string, from: string, comment: string, match = ""): Jump {
  return { table, from, to, match, comment };
}

/** In the order they are put in front of a chain: the last one is on top. */
export const jumps: readonly Jump[] = [
  jump(
    "filter",
    externalServices,
    "INPUT",
    "kubernetes externally-visible service portals",
    onlyNew,
  ),
  jump(
    "filter",
    externalServices,
    "FORWARD",
    "kubernetes externally-visible service portals",
    onlyNew,
  ),
  jump("filter", nodePorts, "INPUT", "kubernetes health check service ports"),
  jump("filter", services, "FORWARD", "kubernetes service portals", onlyNew),
  jump("filter", services, "OUTPUT", "kubernetes service portals", onlyNew),
  jump("filter", forward, "FORWARD", "kubernetes forwarding rules"),
  jump("filter", proxyFirewall, "INPUT", "kubernetes load balancer firewall", onlyNew),
  jump("filter", proxyFirewall, "OUTPUT", "kubernetes load balancer firewall", onlyNew),
  jump("filter", proxyFirewall, "FORWARD", "kubernetes load balancer firewall", onlyNew),
  jump("nat", services, "OUTPUT", "kubernetes service portals"),
  jump("nat", services, "PREROUTING", "kubernetes service portals"),
  jump("nat", postrouting, "POSTROUTING", "kubernetes postrouting rules"),
];

/** The kubelet's, made here too and never removed. */
export const kubeletJumps: readonly Jump[] = [
  jump("filter", kubeletFirewall, "INPUT", ""),
  jump("filter", kubeletFirewall, "OUTPUT", ""),
];

export function jumpRule({ match, comment, to }: Jump): string {
  return [
    ...(match === "" ? [] : [match]),
    ...(comment === "" ? [] : [`-m comment --comment "${comment}"`]),
    `-j ${to}`,
  ].join(" ");
}
