/**
 * Just enough about IP addresses for rules: which family, does a range hold it, how Go would print
 * it.
 *
 * Shapes  Family  "IPv4" | "IPv6", as in Service.spec.ipFamilies
 * Source  k8s.io/utils/net (ParseIPSloppy: leading zeros are decimal, for objects stored long ago)
 */
import { bytesOfIP, type IPFamily, parseIP, valueOfIP } from "@nanokube/machinery/ip-address";

export type Family = IPFamily;

export const familyOf = (ip: string): Family => (ip.includes(":") ? "IPv6" : "IPv4");

/** The address as an integer, or undefined for what is none. */
export function ipValue(text: string): bigint | undefined {
  const bytes = parseIP(text);
  return bytes === undefined ? undefined : valueOfIP(bytes);
}

/**
 * "010.0.0.1" → "10.0.0.1"; undefined for what is no address. IPv6 is returned in lower case, as
 * the API server stores it.
 */
export function canonicalIP(text: string): string | undefined {
  const value = ipValue(text);
  if (value === undefined) return undefined;
  if (familyOf(text) === "IPv6") return text.toLowerCase();
  return formatV4(value);
}

export interface CIDR {
  family: Family;
  /** Canonical text with host bits zero, as Go prints a net.IPNet. */
  text: string;
  bits: number;
  value: bigint;
}

export function parseCIDR(text: string): CIDR | undefined {
  const [ip, length, ...rest] = text.split("/");
  const value = ipValue(ip ?? "");
  if (value === undefined || length === undefined || rest.length > 0) return undefined;
  const family = familyOf(ip!);
  const width = family === "IPv4" ? 32 : 128;
  if (!/^\d{1,3}$/.test(length) || Number(length) > width) return undefined;
  const bits = Number(length);
  const shift = BigInt(width - bits);
  const network = (value >> shift) << shift;
  const shown = family === "IPv4" ? formatV4(network) : ip!.toLowerCase();
  return { family, text: `${shown}/${bits}`, bits, value: network };
}

const formatV4 = (value: bigint): string => bytesOfIP(value, 4).join(".");

export function cidrContains(cidr: CIDR, ip: string): boolean {
  const value = ipValue(ip);
  if (value === undefined || familyOf(ip) !== cidr.family) return false;
  const shift = BigInt((cidr.family === "IPv4" ? 32 : 128) - cidr.bits);
  return value >> shift === cidr.value >> shift;
}

/** "10.0.0.1:80", "[fd00::1]:80". */
export const joinHostPort = (ip: string, port: number): string =>
  ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
