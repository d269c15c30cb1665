/**
 * IP addresses and networks as numbers, so that "the next one" and "is it inside" are arithmetic.
 *
 * Shapes  IP       {family, value}; value is the address as an unsigned integer (32 or 128 bits)
 *         Network  an address with a prefix length; `address` may have host bits ("10.1.0.5/24")
 * Errors  parseIP and parseNetwork answer undefined for what is no address; callers word the
 *         refusal
 * Source  CNI 1.1.0 Result types; text forms are those of Go's net.IP (RFC 5952 for IPv6)
 */
import {
  bytesOfIP,
  formatIP as formatBytes,
  isMappedIPv4,
  parseIP as parseBytes,
  valueOfIP,
} from "@nanokube/machinery/ip-address";

export interface IP {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Network {
  readonly address: IP;
  readonly prefix: number;
}

export const bitsOf = (ip: IP): number => (ip.family === 4 ? 32 : 128);

export function parseIP(text: unknown): IP | undefined {
  if (typeof text !== "string") return undefined;
  // Go refuses leading zeros: "010" is octal to some programs and decimal to others.
  const bytes = parseBytes(text, "refused");
  if (bytes === undefined) return undefined;
  // An IPv4-mapped address is an IPv4 address, as for Go's To4.
  const four = isMappedIPv4(bytes) ? bytes.slice(12) : bytes;
  return { family: four.length === 4 ? 4 : 6, value: valueOfIP(four) };
}

export const formatIP = (ip: IP): string =>
  formatBytes(bytesOfIP(ip.value, ip.family === 4 ? 4 : 16));

export function parseNetwork(text: unknown): Network | undefined {
  if (typeof text !== "string") return undefined;
  const [left, right, ...rest] = text.split("/");
  const address = parseIP(left);
  if (address === undefined || right === undefined || rest.length > 0) return undefined;
  if (!/^\d{1,3}$/.test(right) || Number(right) > bitsOf(address)) return undefined;
  return { address, prefix: Number(right) };
}

export const formatNetwork = (n: Network): string => `${formatIP(n.address)}/${n.prefix}`;

export const sameIP = (a: IP, b: IP): boolean => a.family === b.family && a.value === b.value;

const hostMask = (n: Network): bigint => (1n << BigInt(bitsOf(n.address) - n.prefix)) - 1n;

/** The network's own address: host bits zero. */
export function networkAddress(n: Network): IP {
  return { family: n.address.family, value: n.address.value & ~hostMask(n) };
}

/** The highest address: the broadcast address of an IPv4 network. */
export function highestAddress(n: Network): IP {
  return { family: n.address.family, value: n.address.value | hostMask(n) };
}

export const nextIP = (ip: IP): IP => ({ family: ip.family, value: ip.value + 1n });

export function contains(n: Network, ip: IP): boolean {
  return ip.family === n.address.family && (ip.value & ~hostMask(n)) === networkAddress(n).value;
}
