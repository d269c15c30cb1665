/**
 * Which addresses may be given out, and in which order they are tried.
 *
 * A range set answers one address to each attachment; a set may hold several disjoint ranges of one
 * family. The search starts after the last reserved address and wraps, so that an address given
 * back rests as long as possible.
 *
 * Shapes  Range       canonical: every field filled, subnet without host bits
 *         candidates  lazily every address once, the gateways left out
 * Errors  7 with host-local's words
 * Source  containernetworking/plugins v1.9
 *         plugins/ipam/host-local/backend/allocator/{range,range_set,allocator}.go
 */
import { CNIError } from "./errors.ts";
import {
  bitsOf,
  contains,
  formatIP,
  formatNetwork,
  highestAddress,
  type IP,
  type Network,
  networkAddress,
  nextIP,
  parseIP,
  parseNetwork,
  sameIP,
} from "./ip.ts";

export interface Range {
  subnet: Network;
  start: IP;
  end: IP;
  gateway: IP;
}

export interface Candidate {
  ip: IP;
  range: Range;
}

export function canonicalRangeSet(set: readonly unknown[], index: number): Range[] {
  const refuse = (why: string): never => {
    throw new CNIError("invalidConfig", `invalid range set ${index}: ${why}`);
  };
  if (set.length === 0) refuse("empty range set");
  const ranges = set.map((range) => canonicalRange(range as Record<string, unknown>, refuse));
  for (const [i, range] of ranges.entries()) {
    if (range.start.family !== ranges[0]?.start.family) refuse("mixed address families");
    for (const other of ranges.slice(i + 1)) {
      if (overlap([range], [other])) {
        refuse(`subnets ${formatRange(range)} and ${formatRange(other)} overlap`);
      }
    }
  }
  return ranges;
}

function canonicalRange(json: Record<string, unknown>, refuse: (why: string) => never): Range {
  const subnet = parseNetwork(json.subnet);
  if (subnet === undefined) return refuse(`invalid CIDR address: ${String(json.subnet)}`);
  if (subnet.prefix > bitsOf(subnet.address) - 2) {
    refuse(`Network ${formatNetwork(subnet)} too small to allocate from`);
  }
  const network = networkAddress(subnet);
  if (!sameIP(network, subnet.address)) {
    const right = `the network address is ${formatIP(network)}`;
    refuse(`Network has host bits set. For a subnet mask of length ${subnet.prefix} ${right}`);
  }
  const highest = highestAddress(subnet);
  // The highest IPv4 address is the broadcast address; IPv6 has none.
  const last = subnet.address.family === 4 ? { ...highest, value: highest.value - 1n } : highest;
  const at = (key: string, name: string, fallback: IP): IP => {
    if (json[key] === undefined) return fallback;
    const ip = parseIP(json[key]);
    if (ip === undefined) return refuse(`invalid IP address: ${String(json[key])}`);
    if (name !== "" && !contains(subnet, ip)) {
      refuse(`${name} ${formatIP(ip)} not in network ${formatNetwork(subnet)}`);
    }
    return ip;
  };
  const first = nextIP(network);
  const range: Range = {
    subnet,
    start: at("rangeStart", "RangeStart", first),
    end: at("rangeEnd", "RangeEnd", last),
    gateway: at("gateway", "", first),
  };
  if (range.end.value < range.start.value) {
    refuse(`RangeEnd ${formatIP(range.end)} not in network ${formatNetwork(subnet)}`);
  }
  return range;
}

export const formatRange = (r: Range): string => `${formatIP(r.start)}-${formatIP(r.end)}`;
export const formatRangeSet = (set: readonly Range[]): string => set.map(formatRange).join(",");

export const inRange = (r: Range, ip: IP): boolean =>
  ip.family === r.start.family && ip.value >= r.start.value && ip.value <= r.end.value;

export const rangeOf = (set: readonly Range[], ip: IP): Range | undefined =>
  set.find((r) => inRange(r, ip));

export function overlap(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some((r) => b.some((s) => inRange(r, s.start) || inRange(s, r.start)));
}

export function* candidates(
  set: readonly Range[],
  lastReserved: IP | undefined,
): Generator<Candidate> {
  const at = lastReserved === undefined ? -1 : set.findIndex((r) => inRange(r, lastReserved));
  const first = Math.max(at, 0);
  const resume = at >= 0 && lastReserved !== undefined ? lastReserved.value : undefined;
  // One turn over all ranges; then the part of the first one that lies before the start.
  for (let turn = 0; turn <= set.length; turn++) {
    const range = set[(first + turn) % set.length]!;
    const from = turn === 0 && resume !== undefined ? resume + 1n : range.start.value;
    const to = turn < set.length ? range.end.value : (resume ?? range.start.value - 1n);
    for (let value = from; value <= to; value++) {
      if (value !== range.gateway.value) yield { ip: { family: range.start.family, value }, range };
    }
  }
}
