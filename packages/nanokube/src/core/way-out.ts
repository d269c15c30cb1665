/**
 * How TCP connections of a node's pods are caught on their way out of the cluster, and where they
 * wanted to go.
 *
 * Shapes  rules are iptables-restore's text for the node's own nat table; a line of conntrack has
 *         the addresses that the client sees first, and those of the answers after them
 * Source  iptables-extensions(8) REDIRECT, conntrack(8)
 */
export const wayOutChain = "NANOKUBE-WAY-OUT";

/** Appended, so that Services come first: what kube-proxy knows is within the cluster. */
export const wayOutJumps: readonly string[][] = ["PREROUTING", "OUTPUT"].map((chain) => [
  chain,
  ...["-p", "tcp", "-m", "addrtype", "!", "--dst-type", "LOCAL", "-j", wayOutChain],
]);

const neverOutside = ["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

export function wayOutRules(inside: readonly string[], port: number): string {
  const stay = [...inside, ...neverOutside].map((cidr) => `-A ${wayOutChain} -d ${cidr} -j RETURN`);
  const redirect = `-A ${wayOutChain} -p tcp -j REDIRECT --to-ports ${port}`;
  return ["*nat", `:${wayOutChain} - [0:0]`, ...stay, redirect, "COMMIT", ""].join("\n");
}

/** Out of what conntrack says of one connection; undefined when it says nothing. */
export function wantedDestination(listing: string): { host: string; port: number } | undefined {
  const match = /\bsrc=\S+ dst=(\S+) sport=\d+ dport=(\d+)/.exec(listing);
  return match === null ? undefined : { host: match[1]!, port: Number(match[2]) };
}
