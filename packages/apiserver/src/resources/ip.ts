/**
 * IP addresses and CIDRs in fields.
 *
 * Shapes  an address is 4 or 16 bytes; an IPv4-mapped IPv6 address counts as IPv6 text, as upstream
 * Source  staging/src/k8s.io/apimachinery/pkg/util/validation/ip.go, k8s.io/utils/net
 */
import {
  familyOfBytes,
  formatIP,
  type IPFamily,
  isMappedIPv4,
  networkOf,
  parseIP,
  parsePrefix,
} from "@nanokube/machinery";
import { type FieldError, type FieldPath, invalid } from "./field.ts";

export { formatIP, parseIP, parsePrefix, prefixContains } from "@nanokube/machinery";

export function familyOf(text: string): IPFamily | undefined {
  const bytes = parseIP(text);
  return bytes === undefined ? undefined : familyOfBytes(bytes);
}

const ipText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const cidrText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

function strictProblems(text: string, bytes: readonly number[]): string[] {
  const problems: string[] = [];
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  if (dotted.includes(".") && dotted.split(".").some((part) => /^0\d/.test(part))) {
    problems.push("must not have leading 0s");
  }
  if (isMappedIPv4(bytes)) problems.push("must not be an IPv4-mapped IPv6 address");
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

export function validateCIDR(
  path: FieldPath,
  value: string,
  old: readonly string[] = [],
): FieldError[] {
  if (old.includes(value)) return [];
  const cidr = parsePrefix(value);
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

/** An address with the length of its network's prefix, bits beyond it kept: 10.9.8.7/24. */
export function validateInterfaceAddress(path: FieldPath, value: string): FieldError[] {
  const cidr = parsePrefix(value);
  if (cidr === undefined) {
    const why = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)";
    return [invalid(path, value, why)];
  }
  const mapped = isMappedIPv4(cidr.bytes);
  const address = mapped ? cidr.bytes.slice(12) : cidr.bytes;
  const canonical = `${formatIP(address)}/${mapped ? cidr.bits - 96 : cidr.bits}`;
  return value === canonical
    ? []
    : [invalid(path, value, `must be in canonical form ("${canonical}")`)];
}
