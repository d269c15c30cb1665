/**
 * Addresses of an IPv4 range as numbers.
 *
 * Shapes  "10.96.0.0/16"; the first address is the network's, the last one broadcast's: neither is
 *         given out
 * Source  pkg/registry/core/service/ipallocator/ipallocator.go (calculateRangeOffset)
 */
export interface Range {
  cidr: string;
  /** First and last usable address. */
  first: number;
  last: number;
  /** Chosen addresses start here, so that the lower band stays for addresses that people name. */
  dynamicFrom: number;
}

const bandMin = 16;
const bandMax = 256;

export function parseRange(cidr: string): Range {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(cidr);
  const address = match === null ? undefined : parseAddress(match[1]!);
  const bits = Number(match?.[2]);
  if (address === undefined || bits > 32) throw new Error(`invalid CIDR address: ${cidr}`);
  const size = 2 ** (32 - bits);
  const network = address - (address % size);
  const usable = Math.max(size - 2, 1);
  const offset =
    size < bandMin ? 0 : Math.min(Math.max(Math.trunc(size / bandMin), bandMin), bandMax);
  const first = size > 2 ? network + 1 : network;
  return {
    cidr,
    first,
    last: first + usable - 1,
    dynamicFrom: Math.min(first + offset, first + usable - 1),
  };
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
