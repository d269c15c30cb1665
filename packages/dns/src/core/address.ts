/**
 * IP addresses as DNS writes them: bytes in records, dashes in names of pods, nibbles backwards in
 * reverse names.
 *
 * Source  RFC 1035 section 3.5, RFC 3596 section 2.5; CoreDNS plugin/kubernetes endpointHostname,
 *         pkg/dnsutil/reverse.go
 */
import { isMappedIPv4, parseIP as parseBytes } from "@nanokube/machinery/ip-address";

/** 4 or 16 bytes; none for what is no address. */
export function parseIP(text: string): Uint8Array | undefined {
  const bytes = parseBytes(text, "refused");
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}

export function ipBytes(text: string): Uint8Array {
  const bytes = parseIP(text);
  if (bytes === undefined) throw new Error(`not an IP address: ${text}`);
  return bytes;
}

/** Equal for equal addresses, however they are spelled. */
export function ipKey(text: string): string | undefined {
  const bytes = parseIP(text);
  if (bytes === undefined) return undefined;
  return (isMappedIPv4(bytes) ? bytes.subarray(12) : bytes).join(".");
}

export const isIPv4 = (text: string): boolean => parseIP(text)?.length === 4;

/** The label of an endpoint without a hostname: "10-244-0-2", "fd00--2"; never ending in a dash. */
export function dashed(ip: string): string {
  const text = ip.replaceAll(/[.:]/g, "-");
  return text.endsWith("-") ? `${text}0` : text;
}

/** "10-244-0-2" → "10.244.0.2"; "fd00--2" → "fd00::2". Undefined for what is no address. */
export function undashed(label: string): string | undefined {
  const isV4 = label.split("-").length === 4 && !label.includes("--");
  const ip = label.replaceAll("-", isV4 ? "." : ":");
  return parseIP(ip) === undefined ? undefined : ip;
}

/** ["2","0","244","10","in-addr","arpa"] → the key of 10.244.0.2. */
export function reverseKey(labels: readonly string[]): string | undefined {
  const zone = labels.slice(-2).join(".");
  const digits = labels.slice(0, -2).reverse();
  if (zone === "in-addr.arpa") return ipKey(digits.join("."));
  if (zone !== "ip6.arpa" || digits.length !== 32) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => digits.slice(i * 4, i * 4 + 4).join(""));
  return ipKey(groups.join(":"));
}
