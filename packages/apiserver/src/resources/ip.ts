/**
 * IP addresses and CIDRs in fields.
 *
 * Shapes  an address is 4 or 16 bytes; an IPv4-mapped IPv6 address counts as IPv6 text, as upstream
 * Source  staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go, k8s.io/utils/net
 */
import { type FieldError, type FieldPath, invalid } from "./field.ts";

function parseIPv4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (part.includes(".") && i === parts.length - 1) {
      const four = parseIPv4(part);
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

function parseIPv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!);
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail].flatMap((group) => [
    group >> 8,
    group & 255,
  ]);
}

/** The address's bytes; leading zeros are taken as decimal. */
export function parseIP(text: string): number[] | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

export function familyOf(text: string): "IPv4" | "IPv6" | undefined {
  const bytes = parseIP(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 || isMapped(bytes) ? "IPv4" : "IPv6";
}

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 &&
    bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255
  );
}

/** RFC 5952: the longest run of zero groups (two at least) becomes "::". */
export function formatIP(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  if (isMapped(bytes)) return bytes.slice(12).join(".");
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

const ipText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const cidrText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

function strictProblems(text: string, bytes: readonly number[]): string[] {
  const problems: string[] = [];
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  if (dotted.includes(".") && dotted.split(".").some((part) => /^0\d/.test(part))) {
    problems.push("must not have leading 0s");
  }
  if (isMapped(bytes)) problems.push("must not be an IPv4-mapped IPv6 address");
  return problems;
}

/** An address in a field from before the rules were strict; `old` values stay valid. */
export function validateIP(
  path: FieldPath,
  value: string,
  old: readonly string[] = [],
): FieldError[] {
  if (old.includes(value)) return [];
  const bytes = parseIP(value);
  if (bytes === undefined) return [invalid(path, value, ipText)];
  return strictProblems(value, bytes).map((why) => invalid(path, value, why));
}

/** A new field's address: valid and canonical. */
export function validateStrictIP(path: FieldPath, value: string): FieldError[] {
  const errors = validateIP(path, value);
  if (errors.length > 0) return errors;
  const canonical = formatIP(parseIP(value)!);
  if (canonical === value) return [];
  return [invalid(path, value, `must be in canonical form ("${canonical}")`)];
}

export interface CIDR {
  bytes: number[];
  bits: number;
}

export function parseCIDR(text: string): CIDR | undefined {
  const [address = "", prefix = "", ...more] = text.split("/");
  const bytes = parseIP(address);
  if (bytes === undefined || more.length > 0 || !/^\d{1,3}$/.test(prefix)) return undefined;
  const bits = Number(prefix);
  return bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

/** The network's first address. */
export function networkOf({ bytes, bits }: CIDR): number[] {
  return bytes.map((byte, i) => byte & (0xff << Math.max(0, 8 * (i + 1) - bits)) & 0xff);
}

export function contains(cidr: CIDR, address: readonly number[]): boolean {
  if (cidr.bytes.length !== address.length) return false;
  const own = networkOf(cidr);
  return networkOf({ bytes: [...address], bits: cidr.bits }).every((byte, i) => byte === own[i]);
}

export function validateCIDR(
  path: FieldPath,
  value: string,
  old: readonly string[] = [],
): FieldError[] {
  if (old.includes(value)) return [];
  const cidr = parseCIDR(value);
  if (cidr === undefined) return [invalid(path, value, cidrText)];
  const address = value.slice(0, value.indexOf("/"));
  const errors = strictProblems(address, cidr.bytes).map((why) => invalid(path, value, why));
  const network = networkOf(cidr);
  if (!network.every((byte, i) => byte === cidr.bytes[i])) {
    const whole = `${formatIP(network)}/${cidr.bits}`;
    const why = `must not have bits set beyond the prefix length ("${whole}")`;
    errors.push(invalid(path, value, why));
  }
  if (/\/0\d/.test(value)) {
    errors.push(invalid(path, value, "must not have leading 0s in prefix length"));
  }
  return errors;
}
