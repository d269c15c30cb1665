/**
 * Ranges that cluster IPs come from, of either family, as numbers.
 *
 * Shapes  "10.96.0.0/16", "fd00:96::/112"; the network's own address is never given out, nor the
 *         broadcast address of an IPv4 range
 * Source  pkg/registry/core/service/ipallocator/{ipallocator,bitmap}.go (calculateRangeOffset),
 *         pkg/api/servicecidr/servicecidr.go PrefixContainsIP
 */
import {
  bytesOfIP,
  formatIP,
  type IPFamily,
  networkOf,
  parseIP,
  parsePrefix,
  usableAddresses,
  valueOfIP,
} from "@nanokube/machinery";

export interface Range {
  /** In canonical form. */
  cidr: string;
  family: IPFamily;
  network: bigint;
  /** First and last usable address. */
  first: bigint;
  last: bigint;
  /** Chosen addresses start here, so that the lower band stays for addresses that people name. */
  dynamicFrom: bigint;
}

const bandMin = 16n;
const bandMax = 256n;
/** IPv6 networks larger than this get no allocator. */
const shortestIPv6Prefix = 64;

export function parseRange(cidr: string): Range {
  const prefix = parsePrefix(cidr);
  if (prefix === undefined) throw new Error(`invalid CIDR address: ${cidr}`);
  const bytes = networkOf(prefix);
  const family = bytes.length === 4 ? "IPv4" : "IPv6";
  const usable = usableAddresses(prefix);
  const size = 1n << BigInt(bytes.length * 8 - prefix.bits);
  return {
    cidr: `${formatIP(bytes)}/${prefix.bits}`,
    family,
    ...usable,
    dynamicFrom: usable.first + bandOf(size),
  };
}

/** "10.96.0.0/16,fd00:96::/112": the first says which family is the cluster's own. */
export function parseRanges(list: string): Range[] {
  return list.split(",").map((cidr) => parseRange(cidr.trim()));
}

function bandOf(size: bigint): bigint {
  if (size <= bandMin) return 0n;
  const sixteenth = size / bandMin;
  if (sixteenth < bandMin) return bandMin;
  return sixteenth > bandMax ? bandMax : sixteenth;
}

export function isAllocatable({ cidr, family }: Range): boolean {
  return family === "IPv4" || Number(cidr.split("/")[1]) >= shortestIPv6Prefix;
}

export function addressIn({ family }: Range, value: bigint): string {
  return formatIP(bytesOfIP(value, family === "IPv4" ? 4 : 16));
}

export function holds({ family, first, last }: Range, address: string): boolean {
  const bytes = parseIP(address);
  if (bytes === undefined || (bytes.length === 4) !== (family === "IPv4")) return false;
  const value = valueOfIP(bytes);
  return value >= first && value <= last;
}
