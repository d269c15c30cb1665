/**
 * IP addresses and networks: their bytes, their number, their text.
 *
 * Shapes  an address is 4 or 16 bytes; "::ffff:10.0.0.1" is 16 bytes, and printed as IPv4
 *         IPPrefix  an address and the length of its prefix; the address may have host bits
 * Errors  none: undefined for what is no address; callers word the refusal
 * Source  Go net.IP, k8s.io/utils/net (ParseIPSloppy: leading zeros are decimal); RFC 5952
 */

/** "decimal": 010 is 10, for objects stored long ago; "refused": 010 is no number. */
export type LeadingZeros = "decimal" | "refused";

function parseIPv4(text: string, zeros: LeadingZeros): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const number = zeros === "decimal" ? /^\d{1,9}$/ : /^(0|[1-9]\d{0,2})$/;
  const bytes = parts.map((part) => (number.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** "fe80:0:1.2.3.4" → [0xfe80, 0, 0x102, 0x304]. */
function parseGroups(text: string, zeros: LeadingZeros): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (part.includes(".") && i === parts.length - 1) {
      const four = parseIPv4(part, zeros);
      if (four === undefined) return undefined;
      groups.push(four[0]! * 256 + four[1]!, four[2]! * 256 + four[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parseIPv6(text: string, zeros: LeadingZeros): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, zeros);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, zeros) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.flatMap((group) => [group >> 8, group & 255]);
}

export function parseIP(text: string, zeros: LeadingZeros = "decimal"): number[] | undefined {
  return text.includes(":") ? parseIPv6(text, zeros) : parseIPv4(text, zeros);
}

/** An IPv4 address in sixteen bytes: "::ffff:10.0.0.1". */
export function isMappedIPv4(bytes: ArrayLike<number>): boolean {
  if (bytes.length !== 16) return false;
  for (let i = 0; i < 12; i++) if (bytes[i] !== (i < 10 ? 0 : 255)) return false;
  return true;
}

export type IPFamily = "IPv4" | "IPv6";

export function familyOfBytes(bytes: ArrayLike<number>): IPFamily {
  return bytes.length === 4 || isMappedIPv4(bytes) ? "IPv4" : "IPv6";
}

/** RFC 5952: the longest run of zero groups (two at least, the first of equals) becomes "::". */
export function formatIP(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  if (isMappedIPv4(bytes)) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes[2 * i]! * 256 + bytes[2 * i + 1]!);
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (list: number[]) => list.map((group) => group.toString(16)).join(":");
  if (best.at < 0) return hex(groups);
  return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}

/** The address as an unsigned integer of 32 or 128 bits. */
export function valueOfIP(bytes: Iterable<number>): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

export function bytesOfIP(value: bigint, length: 4 | 16): number[] {
  return Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
}

export interface IPPrefix {
  bytes: number[];
  /** Length of the prefix: 0 to 32, or to 128. */
  bits: number;
}

/** "10.96.0.0/16" */
export function parsePrefix(text: string, zeros?: LeadingZeros): IPPrefix | undefined {
  const [address = "", length = "", ...more] = text.split("/");
  const bytes = parseIP(address, zeros);
  if (bytes === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const bits = Number(length);
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** The network's own address: host bits zero. */
export function networkOf({ bytes, bits }: IPPrefix): number[] {
  return bytes.map((byte, i) => byte & (0xff << Math.max(0, 8 * (i + 1) - bits)) & 0xff);
}

export function prefixContains(prefix: IPPrefix, address: readonly number[]): boolean {
  if (prefix.bytes.length !== address.length) return false;
  const own = networkOf(prefix);
  return networkOf({ bytes: [...address], bits: prefix.bits }).every((byte, i) => byte === own[i]);
}

export interface UsableAddresses {
  network: bigint;
  first: bigint;
  last: bigint;
}

/** All but the network's own address, and but the broadcast address of an IPv4 network. */
export function usableAddresses(prefix: IPPrefix): UsableAddresses {
  const bytes = networkOf(prefix);
  const network = valueOfIP(bytes);
  const highest = network + (1n << BigInt(bytes.length * 8 - prefix.bits)) - 1n;
  return { network, first: network + 1n, last: bytes.length === 4 ? highest - 1n : highest };
}
