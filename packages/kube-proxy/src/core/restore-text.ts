/**
 * All rules together as one text for `iptables-restore --noflush --counters`: two transactions,
 * filter and nat.
 *
 * `:CHAIN - [0:0]` creates a chain or empties it; chains that are not named are left as they are.
 * So a small change writes the shared chains and the changed services only. Jumps from the kernel's
 * chains, when they are missing, go in the same transaction.
 *
 * Source  kubernetes pkg/proxy/iptables/proxier.go syncProxyRules; iptables-restore(8)
 */
import type { Family } from "./address.ts";
import {
  canary,
  forward,
  isServiceChain,
  type Jump,
  jumpRule,
  jumps,
  kubeletFirewall,
  kubeletJumps,
  markMasq,
  nodePorts,
  ownChains,
  postrouting,
  services,
  type Table,
} from "./chains.ts";
import type { ServiceRules } from "./service-rules.ts";

export interface GlobalOptions {
  family: Family;
  /** Bit of the packet mark that says "masquerade". */
  masqueradeBit: number;
  /** The kernel side has MASQUERADE --random-fully. */
  randomFully: boolean;
  localhostNodePorts: boolean;
  /** Undefined: every local address. */
  nodePortIPs: readonly string[] | undefined;
  conntrackTCPLiberal: boolean;
}

export interface RestoreInput {
  options: GlobalOptions;
  /** All service ports, in the order in which they are written. */
  all: readonly ServiceRules[];
  /** Those whose own chains are written; the same as `all` in a full sync. */
  changed: ReadonlySet<ServiceRules>;
  /** Service chains of the nat table to be removed. */
  stale: readonly string[];
  missingJumps: readonly Jump[];
  /** Make the chains by whose absence a flush is noticed. */
  canaries: boolean;
}

export function restoreText(input: RestoreInput): string {
  const { all, changed, missingJumps } = input;
  const filterJumps = missingJumps.filter((j) => j.table === "filter");
  const natJumps = missingJumps.filter((j) => j.table === "nat");
  const written = all.filter((rules) => changed.has(rules));
  const declare = (chain: string) => `:${chain} - [0:0]`;
  const insert = (j: Jump) => `-I ${j.from} 1 ${jumpRule(j)}`;
  const append = (rule: string) => `-A ${rule}`;
  const filterExtra = filterChains(input.options, filterJumps);
  const canaries = input.canaries ? [canary] : [];
  const lines = [
    ...(input.canaries ? ["*mangle", declare(canary), "COMMIT"] : []),
    "*filter",
    ...[...ownChains.filter, ...filterExtra, ...canaries].map(declare),
    ...filterJumps.map(insert),
    ...filterHead(input.options).map(append),
    ...all.flatMap((rules) => rules.filter.map(append)),
    ...filterTail(input.options).map(append),
    "COMMIT",
    "*nat",
    ...[...ownChains.nat, ...canaries].map(declare),
    ...written.flatMap((rules) => rules.chains.map(declare)),
    ...input.stale.map(declare),
    ...natJumps.map(insert),
    ...natHead(input.options).map(append),
    ...all.flatMap((rules) => rules.nat.map(append)),
    ...written.flatMap((rules) => rules.own.map(append)),
    ...input.stale.map((chain) => `-X ${chain}`),
    ...natTail(input.options).map(append),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}

const fillsKubeletFirewall = (o: GlobalOptions) => o.family === "IPv4" && o.localhostNodePorts;

function filterChains(options: GlobalOptions, missing: readonly Jump[]): string[] {
  // The kubelet's chain: emptied only when it is filled again, made when a jump to it is.
  const needed = fillsKubeletFirewall(options) || missing.some((j) => j.to === kubeletFirewall);
  return needed ? [kubeletFirewall] : [];
}

const markText = (o: GlobalOptions): string => `0x${(2 ** o.masqueradeBit).toString(16)}`;

function filterHead(options: GlobalOptions): string[] {
  if (!fillsKubeletFirewall(options)) return [];
  // route_localnet lets packets from outside reach 127.0.0.1; this is the door against it.
  return [
    `${kubeletFirewall} -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
  ];
}

const comment = (text: string): string => `-m comment --comment "${text}"`;

function filterTail(options: GlobalOptions): string[] {
  const mark = markText(options);
  const isKnown = "-m conntrack --ctstate RELATED,ESTABLISHED";
  return [
    // A packet that conntrack cannot place would leave without its NAT, and reset the connection.
    ...(options.conntrackTCPLiberal ? [] : [`${forward} -m conntrack --ctstate INVALID -j DROP`]),
    `${forward} ${comment("kubernetes forwarding rules")} -m mark --mark ${mark}/${mark} -j ACCEPT`,
    `${forward} ${comment("kubernetes forwarding conntrack rule")} ${isKnown} -j ACCEPT`,
  ];
}

function natHead(options: GlobalOptions): string[] {
  const mark = markText(options);
  const randomly = options.randomFully ? " --random-fully" : "";
  const whySNAT = comment("kubernetes service traffic requiring SNAT");
  return [
    `${postrouting} -m mark ! --mark ${mark}/${mark} -j RETURN`,
    // The packet may pass here again, in a tunnel: once is enough.
    `${postrouting} -j MARK --xor-mark ${mark}`,
    `${postrouting} ${whySNAT} -j MASQUERADE${randomly}`,
    `${markMasq} -j MARK --or-mark ${mark}`,
  ];
}

function natTail(options: GlobalOptions): string[] {
  const start = `${services} -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"`;
  const { nodePortIPs, family, localhostNodePorts } = options;
  if (nodePortIPs !== undefined) {
    return nodePortIPs.map((ip) => `${start} -d ${ip} -j ${nodePorts}`);
  }
  let except = "";
  if (family === "IPv6") except = " ! -d ::1/128";
  else if (!localhostNodePorts) except = " ! -d 127.0.0.0/8";
  return [`${start} -m addrtype --dst-type LOCAL${except} -j ${nodePorts}`];
}

/** What iptables-save printed, as far as a sync wants to know it. */
export interface SavedState {
  chains: Readonly<Record<Table, ReadonlySet<string>>>;
  missingJumps: Jump[];
}

export function parseSaved(text: string): SavedState {
  const chains = { filter: new Set<string>(), nat: new Set<string>() };
  const rules = { filter: [] as string[], nat: [] as string[] };
  let table: Table | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      table = line === "*filter" ? "filter" : line === "*nat" ? "nat" : undefined;
    } else if (table !== undefined && line.startsWith(":")) {
      chains[table].add(line.slice(1, line.indexOf(" ")));
    } else if (table !== undefined && line.startsWith("-A ")) {
      rules[table].push(line);
    }
  }
  const present = (j: Jump) =>
    rules[j.table].some((rule) => rule.startsWith(`-A ${j.from} `) && rule.endsWith(` -j ${j.to}`));
  return { chains, missingJumps: [...jumps, ...kubeletJumps].filter((j) => !present(j)) };
}

/** Text that takes all of it away again; the kubelet's chain stays. */
export function cleanupText(text: string): string {
  const { chains, missingJumps } = parseSaved(text);
  const hasCanary = /^\*mangle\n(?:[^*].*\n)*:KUBE-PROXY-CANARY /m.test(text);
  const lines = hasCanary ? ["*mangle", `:${canary} - [0:0]`, `-X ${canary}`, "COMMIT"] : [];
  for (const table of ["filter", "nat"] as const) {
    const own = [...ownChains[table], canary].filter((chain) => chains[table].has(chain));
    if (table === "nat") own.push(...[...chains.nat].filter(isServiceChain));
    const present = jumps.filter((j) => j.table === table && !missingJumps.includes(j));
    lines.push(
      `*${table}`,
      ...own.map((chain) => `:${chain} - [0:0]`),
      ...present.map((j) => `-D ${j.from} ${jumpRule(j)}`),
      ...own.map((chain) => `-X ${chain}`),
      "COMMIT",
    );
  }
  return `${lines.join("\n")}\n`;
}
