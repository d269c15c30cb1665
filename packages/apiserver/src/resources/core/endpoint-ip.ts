/**
 * Addresses that traffic may be sent to: not loopback, not link-local, not unspecified.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateEndpointIP
 */
import { type FieldError, type FieldPath, invalid } from "../field.ts";
import { parseIP, parsePrefix, prefixContains } from "../ip.ts";

const ranges = [
  [["127.0.0.0/8", "::1/128"], "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [
    ["169.254.0.0/16", "fe80::/10"],
    "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
  ],
  [
    ["224.0.0.0/24", "ff02::/16"],
    "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
  ],
] as const;

export function validateEndpointIP(ip: string, path: FieldPath): FieldError[] {
  const bytes = parseIP(ip);
  if (bytes === undefined) return [invalid(path, ip, "must be a valid IP address")];
  const errors: FieldError[] = [];
  if (bytes.every((byte) => byte === 0)) {
    errors.push(invalid(path, ip, `may not be unspecified (${ip})`));
  }
  for (const [cidrs, why] of ranges) {
    if (cidrs.some((cidr) => prefixContains(parsePrefix(cidr)!, bytes)))
      errors.push(invalid(path, ip, why));
  }
  return errors;
}
