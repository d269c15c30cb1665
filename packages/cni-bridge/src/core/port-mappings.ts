/**
 * hostPort and masquerade rules as text for iptables-restore.
 *
 * Chains, rules and comments are those of upstream's portmap plugin and of its bridge plugin's
 * ipMasq, so that either program removes what the other one made. In the nat table:
 *
 *   PREROUTING, OUTPUT  to a local address        → CNI-HOSTPORT-DNAT
 *   CNI-HOSTPORT-DNAT   to a port of the pod      → CNI-DN-<hash of network and container>
 *   CNI-DN-…            from pod or localhost     → CNI-HOSTPORT-SETMARK; then DNAT to the pod
 *   POSTROUTING         first                     → CNI-HOSTPORT-MASQ: masquerade the marked
 *   POSTROUTING         from the pod's address    → CNI-<hash>: not to its network → MASQUERADE
 *
 * Errors  7 a port that is no port
 * Source  containernetworking/plugins v1.9 plugins/meta/portmap/portmap_iptables.go,
 *         pkg/ip/ipmasq_iptables_linux.go
 */
import { CNIError } from "./errors.ts";
import { formatIP, type Network, parseIP } from "./ip.ts";

export interface PortMapping {
  hostPort: number;
  containerPort: number;
  protocol: string;
  hostIP: string | undefined;
}

/** SHA-512 in hexadecimal; an argument, for the core imports nothing from Node. */
export type Hash = (text: string) => string;

export interface Attachment {
  network: string;
  containerID: string;
}

const maxChainLength = 28;
const setMark = "CNI-HOSTPORT-SETMARK";
const masq = "CNI-HOSTPORT-MASQ";
const dnat = "CNI-HOSTPORT-DNAT";
/** 1 << 13: Kubernetes marks with bits 14 and 15. */
const mark = "0x2000/0x2000";

const names = ["containerPort", "hostPort", "protocol", "hostIP"];

/** Older containerds write HostPort: Go reads member names in any case. */
function withPlainNames(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      names.find((name) => name.toLowerCase() === key.toLowerCase()) ?? key,
      value,
    ]),
  );
}

export function parsePortMappings(value: unknown): PortMapping[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new CNIError("invalidConfig", "portMappings is not a list");
  return value.map((given: Record<string, unknown>) => {
    const entry = withPlainNames(given);
    const port = (key: string, what: string): number => {
      const number = entry[key];
      if (!Number.isInteger(number) || (number as number) <= 0 || (number as number) > 65535) {
        throw new CNIError("invalidConfig", `Invalid ${what} port number: ${String(number)}`);
      }
      return number as number;
    };
    const protocol = String(entry.protocol ?? "tcp").toLowerCase();
    if (!["tcp", "udp", "sctp"].includes(protocol)) {
      throw new CNIError("invalidConfig", `Invalid protocol: ${String(entry.protocol)}`);
    }
    const hostIP = entry.hostIP === "" ? undefined : (entry.hostIP as string | undefined);
    if (hostIP !== undefined && parseIP(hostIP) === undefined) {
      throw new CNIError("invalidConfig", `Invalid host IP: ${hostIP}`);
    }
    return {
      containerPort: port("containerPort", "container"),
      hostPort: port("hostPort", "host"),
      protocol,
      hostIP,
    };
  });
}

const chainName = (prefix: string, at: Attachment, hash: Hash): string =>
  `${prefix}${hash(at.network + at.containerID)}`.slice(0, maxChainLength);

export const dnatChain = (at: Attachment, hash: Hash): string => chainName("CNI-DN-", at, hash);
export const masqChain = (at: Attachment, hash: Hash): string => chainName("CNI-", at, hash);

/** An argument as iptables-restore reads it. */
const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** Comments end at 255 bytes in the kernel. */
const dnatComment = (at: Attachment): string =>
  quote(`dnat name: "${at.network}" id: "${at.containerID}"`.slice(0, 255));
const masqComment = (at: Attachment): string =>
  quote(`name: "${at.network}" id: "${at.containerID}"`.slice(0, 255));

/** Rules as argument text, each with the chain it belongs to; `-A` or `-D` goes before. */
export interface RuleSet {
  /** Chains of this attachment alone: created empty, and removed with it. */
  chains: string[];
  /** Rules in those chains. */
  own: string[];
  /** Rules in shared chains that lead there. */
  entries: string[];
}

export function portMappingRules(
  mappings: readonly PortMapping[],
  to: Network,
  at: Attachment & { snat: boolean; hash: Hash },
): RuleSet {
  const chain = dnatChain(at, at.hash);
  const own: string[] = [];
  for (const mapping of mappings) {
    const hostIP = mapping.hostIP === undefined ? undefined : parseIP(mapping.hostIP);
    if (hostIP !== undefined && hostIP.family !== to.address.family) continue;
    const destination = hostIP === undefined || hostIP.value === 0n ? "" : ` -d ${mapping.hostIP}`;
    const base = `${chain} -p ${mapping.protocol} --dport ${mapping.hostPort}${destination}`;
    if (at.snat) {
      own.push(`${base} -s ${formatIP(to.address)}/${to.prefix} -j ${setMark}`);
      if (to.address.family === 4) own.push(`${base} -s 127.0.0.1 -j ${setMark}`);
    }
    const ip = formatIP(to.address);
    const target = to.address.family === 4 ? ip : `[${ip}]`;
    own.push(`${base} -j DNAT --to-destination ${target}:${mapping.containerPort}`);
  }
  const entries: string[] = [];
  for (const protocol of ["sctp", "tcp", "udp"]) {
    const ports = mappings.filter((m) => m.protocol === protocol).map((m) => m.hostPort);
    for (let i = 0; i < ports.length; i += 15) {
      // multiport takes 15 at most
      const list = ports.slice(i, i + 15).join(",");
      const match = `-m multiport -p ${protocol} --destination-ports ${list}`;
      entries.push(`${dnat} -m comment --comment ${dnatComment(at)} ${match} -j ${chain}`);
    }
  }
  return { chains: [chain], own, entries };
}

/**
 * What all attachments share. `present` are the rules that are there already, as iptables-save
 * prints them.
 */
export function sharedPortMappingRules(snat: boolean, present: string): string[] {
  const lines = [`:${dnat} - [0:0]`];
  // Declaring a chain empties it, unless it is left out of the text: hence the look at what exists.
  if (present.includes(`:${dnat} `)) lines.pop();
  for (const hook of ["PREROUTING", "OUTPUT"]) {
    const rule = `-A ${hook} -m addrtype --dst-type LOCAL -j ${dnat}`;
    if (!present.includes(rule)) lines.push(rule);
  }
  if (!snat || present.includes(`-j ${masq}`)) return lines;
  return [
    ...lines,
    `:${setMark} - [0:0]`,
    `:${masq} - [0:0]`,
    `-A ${setMark} -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark ${mark}`,
    `-A ${masq} -m mark --mark ${mark} -j MASQUERADE`,
    // First: the chains of ipMasq would take the packet otherwise.
    `-I POSTROUTING 1 -m comment --comment "CNI portfwd requiring masquerade" -j ${masq}`,
  ];
}

export function masqueradeRules(of: readonly Network[], at: Attachment & { hash: Hash }): RuleSet {
  const chain = masqChain(at, at.hash);
  const comment = `-m comment --comment ${masqComment(at)}`;
  const own: string[] = [];
  const entries: string[] = [];
  for (const network of of) {
    const multicast = network.address.family === 4 ? "224.0.0.0/4" : "ff00::/8";
    const ip = formatIP(network.address);
    own.push(`${chain} -d ${ip}/${network.prefix} ${comment} -j ACCEPT`);
    own.push(`${chain} ! -d ${multicast} ${comment} -j MASQUERADE`);
    entries.push(`POSTROUTING -s ${ip} ${comment} -j ${chain}`);
  }
  return { chains: [chain], own, entries };
}

/**
 * Text that makes the rule sets; re-declared chains are emptied first, so that a repeated ADD is no
 * double.
 */
export function addText(shared: readonly string[], sets: readonly RuleSet[]): string {
  const lines = [
    ...shared.filter((line) => line.startsWith(":")),
    ...sets.flatMap((set) => set.chains.map((chain) => `:${chain} - [0:0]`)),
    ...shared.filter((line) => !line.startsWith(":")),
    ...sets.flatMap((set) => [...set.own, ...set.entries].map((rule) => `-A ${rule}`)),
  ];
  return `*nat\n${lines.join("\n")}\nCOMMIT\n`;
}

/**
 * Text that removes one attachment's chains and whatever leads to them, by what iptables-save
 * printed: a rule that is gone already must not fail the rest. Undefined when nothing is there.
 */
export function removeText(saved: string, chains: readonly string[]): string | undefined {
  const lines = saved.split("\n");
  const present = chains.filter((chain) => lines.some((line) => line.startsWith(`:${chain} `)));
  if (present.length === 0) return undefined;
  const leads = (line: string, chain: string) => line.endsWith(` -j ${chain}`);
  const entries = lines
    .filter((line) => line.startsWith("-A ") && present.some((chain) => leads(line, chain)))
    .map((line) => `-D ${line.slice("-A ".length)}`);
  const text = [
    ...present.map((chain) => `:${chain} - [0:0]`),
    ...entries,
    ...present.map((chain) => `-X ${chain}`),
  ];
  return `*nat\n${text.join("\n")}\nCOMMIT\n`;
}

/** The attachments of one network that have rules, read from the comments: for GC. */
export function attachmentsInRules(saved: string, network: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const wanted = `name: \\"${network}\\" id: \\"`;
  for (const line of saved.split("\n")) {
    const at = line.indexOf(wanted);
    const chain = / -j (CNI-(?:DN-)?[0-9a-f]+)$/.exec(line)?.[1];
    if (at < 0 || chain === undefined) continue;
    const id = line.slice(at + wanted.length).split('\\"')[0]!;
    found.set(id, [...(found.get(id) ?? []), chain]);
  }
  return found;
}
