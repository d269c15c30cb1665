/**
 * IP addresses as DNS writes them: bytes in records, dashes in names of pods, nibbles backwards in
 * reverse names.
 *
 * Source  RFC 1035 section 3.5, RFC 3596 section 2.5; CoreDNS plugin/kubernetes endpointHostname,
 *         pkg/dnsutil/reverse.go
 */

/** 4 or 16 bytes; none for what is no address. */
export function parseIP(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return Uint8Array.from(parts, Number);
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1)!;
  const v4 = last.at(-1)?.includes(".") ? parseV4(last.pop()!) : undefined;
  if (v4 !== undefined) {
    last.push(((v4[0]! << 8) | v4[1]!).toString(16), ((v4[2]! << 8) | v4[3]!).toString(16));
  }
  const filled = groups.flat().length;
  if (halves.length === 2 ? filled > 7 : filled !== 8) return undefined;
  if (!groups.flat().every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const [head = [], tail = []] = groups;
  const all = [...head, ...Array<string>(8 - filled).fill("0"), ...tail];
  return Uint8Array.from(
    all.flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    }),
  );
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
  const isMapped =
    bytes.length === 16 &&
    bytes.subarray(0, 10).every((b) => b === 0) &&
    bytes[10] === 255 &&
    bytes[11] === 255;
  return (isMapped ? bytes.subarray(12) : bytes).join(".");
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
