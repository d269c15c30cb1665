/**
 * IP addresses and networks as numbers, so that "the next one" and "is it inside" are arithmetic.
 *
 * Shapes  IP       {family, value}; value is the address as an unsigned integer (32 or 128 bits)
 *         Network  an address with a prefix length; `address` may have host bits ("10.1.0.5/24")
 * Errors  parseIP and parseNetwork answer undefined for what is no address; callers word the
 *         refusal
 * Source  CNI 1.1.0 Result types; text forms are those of Go's net.IP (RFC 5952 for IPv6)
 */

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
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

function parseIPv4(text: string): IP | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    // Go refuses leading zeros: "010" is octal to some programs and decimal to others.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return { family: 4, value };
}

function parseIPv6(text: string): IP | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => groupsOf(half));
  const [head, tail] = groups;
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const filled = head.length + (tail?.length ?? 0);
  if (tail === undefined ? filled !== 8 : filled > 7) return undefined;
  const all = [...head, ...Array<number>(8 - filled).fill(0), ...(tail ?? [])];
  const value = all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
  // An IPv4-mapped address is an IPv4 address, as for Go's To4.
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn };
  return { family: 6, value };
}

/**
 * "fe80:0:1.2.3.4" → [0xfe80, 0, 0x102, 0x304]; undefined when a group is no hexadecimal number.
 */
function groupsOf(half: string): number[] | undefined {
  if (half === "") return [];
  const groups: number[] = [];
  const parts = half.split(":");
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes(".")) {
      const v4 = parseIPv4(part);
      if (v4 === undefined) return undefined;
      groups.push(Number(v4.value >> 16n), Number(v4.value & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

export function formatIP(ip: IP): string {
  if (ip.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => (ip.value >> shift) & 0xffn).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, i) => (ip.value >> BigInt(112 - 16 * i)) & 0xffffn);
  const hex = groups.map((group) => group.toString(16));
  const run = longestZeroRun(groups);
  if (run === undefined) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.end).join(":")}`;
}

function longestZeroRun(groups: readonly bigint[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0n) end++;
    // RFC 5952: one zero group stays a zero; of equal runs the first is shortened.
    if (end - start >= 2 && (best === undefined || end - start > best.end - best.start)) {
      best = { start, end };
    }
    if (end > start) start = end;
  }
  return best;
}

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
