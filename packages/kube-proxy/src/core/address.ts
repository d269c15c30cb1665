/**
 * Just enough about IP addresses for rules: which family, does a range hold it, how Go would print
 * it.
 *
 * Shapes  Family  "IPv4" | "IPv6", as in Service.spec.ipFamilies
 * Source  k8s.io/utils/net (ParseIPSloppy: leading zeros are decimal, for objects stored long ago)
 */

export type Family = "IPv4" | "IPv6";

export const familyOf = (ip: string): Family => (ip.includes(":") ? "IPv6" : "IPv4");

/** The address as an integer, or undefined for what is none. */
export function ipValue(text: string): bigint | undefined {
  return text.includes(":") ? v6Value(text) : v4Value(text);
}

function v4Value(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(Number(part));
  }
  return value;
}

function v6Value(text: string): bigint | undefined {
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const groups = (half: string) => (half === "" ? [] : half.split(":"));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...left, ...Array<string>(missing).fill("0"), ...right];
  let value = 0n;
  for (const group of all) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

/**
 * "010.0.0.1" → "10.0.0.1"; undefined for what is no address. IPv6 is returned in lower case, as
 * the API server stores it.
 */
export function canonicalIP(text: string): string | undefined {
  const value = ipValue(text);
  if (value === undefined) return undefined;
  if (familyOf(text) === "IPv6") return text.toLowerCase();
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
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
  const shown = family === "IPv4" ? canonicalV4(network) : ip!.toLowerCase();
  return { family, text: `${shown}/${bits}`, bits, value: network };
}

const canonicalV4 = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");

export function cidrContains(cidr: CIDR, ip: string): boolean {
  const value = ipValue(ip);
  if (value === undefined || familyOf(ip) !== cidr.family) return false;
  const shift = BigInt((cidr.family === "IPv4" ? 32 : 128) - cidr.bits);
  return value >> shift === cidr.value >> shift;
}

/** "10.0.0.1:80", "[fd00::1]:80". */
export const joinHostPort = (ip: string, port: number): string =>
  ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
