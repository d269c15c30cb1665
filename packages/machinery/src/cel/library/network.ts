/**
 * IP addresses and CIDRs, strictly read: no leading zeros, no zones, no IPv4 inside IPv6.
 *
 * Errors  as Go's net/netip words them
 * Source  apiserver pkg/cel/library/{ip,cidr}.go, Go net/netip
 */
import { quoteGo } from "../../go-text.ts";
import { formatIP, isMappedIPv4 } from "../../ip-address.ts";
import { opaque } from "../types.ts";
import { CelError, type CelObject, type Value } from "../values.ts";
import type { Implementation, Library } from "./function.ts";

const ipType = opaque("net.IP");
const cidrType = opaque("net.CIDR");

/** The reason why `text` is no IPv4 address, or its bytes. */
function parseIPv4(text: string): number[] | string {
  const parts = text.split(".");
  for (const [i, part] of parts.entries()) {
    if (i > 3) return "IPv4 address too long";
    if (part === "") return "IPv4 field must have at least one digit";
    if (!/^\d+$/u.test(part)) return "unexpected character";
    if (part.length > 1 && part[0] === "0") return "IPv4 field has octet with leading zero";
    if (Number(part) > 255) return "IPv4 field has value >255";
  }
  return parts.length < 4 ? "IPv4 address too short" : parts.map(Number);
}

function parseGroups(text: string): number[] | string {
  if (text === "") return [];
  const groups: number[] = [];
  for (const part of text.split(":")) {
    if (part.includes(".")) {
      const four = parseIPv4(part);
      if (typeof four === "string") return four;
      groups.push(four[0]! * 256 + four[1]!, four[2]! * 256 + four[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/u.test(part)) groups.push(Number.parseInt(part, 16));
    else if (/^[0-9a-fA-F]+$/u.test(part)) return "each group must have 4 or fewer digits";
    else return "each colon-separated field must have at least one digit";
  }
  return groups;
}

function parseIPv6(text: string): number[] | string {
  const halves = text.split("::");
  if (halves.length > 2) return "multiple :: in address";
  const head = parseGroups(halves[0]!);
  if (typeof head === "string") return head;
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (typeof tail === "string") return tail;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 && missing > 0) return "address string too short";
  if (missing < 0 || (halves.length === 2 && missing < 1)) return "trailing garbage after address";
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.flatMap((group) => [group >> 8, group & 255]);
}

function parseBytes(text: string): number[] | string {
  if (/^[^:%]*\./u.test(text)) return parseIPv4(text);
  if (text.includes(":")) return parseIPv6(text.replace(/%.*$/u, ""));
  return "unable to parse IP";
}

export class Ip implements CelObject {
  readonly celType = ipType;
  readonly bytes: readonly number[];
  constructor(bytes: readonly number[]) {
    this.bytes = bytes;
  }
  get size(): number {
    return this.bytes.length;
  }
  get text(): string {
    return formatIP(this.bytes);
  }
  equalTo(other: CelObject): boolean {
    return other instanceof Ip && other.text === this.text;
  }
}

export class Cidr implements CelObject {
  readonly celType = cidrType;
  readonly bytes: readonly number[];
  readonly bits: number;
  constructor(bytes: readonly number[], bits: number) {
    this.bytes = bytes;
    this.bits = bits;
  }
  get size(): number {
    return Math.ceil(this.bits / 8);
  }
  get text(): string {
    return `${formatIP(this.bytes)}/${this.bits}`;
  }
  get masked(): Cidr {
    const kept = this.bytes.map((byte, i) => {
      const bits = Math.min(8, Math.max(0, this.bits - 8 * i));
      return byte & (0xff00 >> bits) & 0xff;
    });
    return new Cidr(kept, this.bits);
  }
  contains(bytes: readonly number[]): boolean {
    if (bytes.length !== this.bytes.length) return false;
    return formatIP(new Cidr(bytes, this.bits).masked.bytes) === formatIP(this.masked.bytes);
  }
  equalTo(other: CelObject): boolean {
    return other instanceof Cidr && other.text === this.text;
  }
}

function parseIP(text: string): Ip | CelError {
  const bytes = parseBytes(text);
  const quoted = quoteGo(text);
  if (typeof bytes === "string") {
    const why = `ParseAddr(${quoted}): ${bytes}`;
    return new CelError(`IP Address ${quoted} parse error during conversion from string: ${why}`);
  }
  if (text.includes("%"))
    return new CelError(`IP address ${quoted} with zone value is not allowed`);
  if (isMappedIPv4(bytes)) return new CelError(`IPv4-mapped IPv6 address ${quoted} is not allowed`);
  return new Ip(bytes);
}

function parseCIDR(text: string): Cidr | CelError {
  const lead = "network address parse error during conversion from string: ";
  const failed = (why: string) =>
    new CelError(`${lead}${lead}netip.ParsePrefix(${quoteGo(text)}): ${why}`);
  const slash = text.lastIndexOf("/");
  if (slash < 0) return failed("no '/'");
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  const bytes = parseBytes(address);
  if (typeof bytes === "string") return failed(`ParseAddr(${quoteGo(address)}): ${bytes}`);
  if (address.includes("%")) return failed("IPv6 zones cannot be present in a prefix");
  if (!/^(?:0|[1-9]\d*)$/u.test(bits)) return failed(`bad bits after slash: ${quoteGo(bits)}`);
  if (Number(bits) > 8 * bytes.length) return failed("prefix length out of range");
  if (isMappedIPv4(bytes)) {
    return new CelError(`${lead}IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`);
  }
  return new Cidr(bytes, Number(bits));
}

const onIP =
  (test: (bytes: readonly number[]) => Value): Implementation =>
  (ip) =>
    ip instanceof Ip ? test(ip.bytes) : undefined;

const isLoopback = (bytes: readonly number[]): boolean =>
  bytes.length === 4 ? bytes[0] === 127 : formatIP(bytes) === "::1";
const isZero = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === 0);
const isLinkLocal = (bytes: readonly number[]): boolean =>
  bytes.length === 4
    ? bytes[0] === 169 && bytes[1] === 254
    : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
const isLinkLocalMulticast = (bytes: readonly number[]): boolean =>
  bytes.length === 4
    ? bytes[0] === 224 && bytes[1] === 0 && bytes[2] === 0
    : bytes[0] === 0xff && (bytes[1]! & 0x0f) === 2;
const isMulticast = (bytes: readonly number[]): boolean =>
  bytes.length === 4 ? (bytes[0]! & 0xf0) === 0xe0 : bytes[0] === 0xff;

function isGlobal(bytes: readonly number[]): boolean {
  if (bytes.length === 4 && bytes.every((byte) => byte === 255)) return false;
  return !isZero(bytes) && !isLoopback(bytes) && !isMulticast(bytes) && !isLinkLocal(bytes);
}

function containsIP(cidr: Value, ip: Value): Value | undefined {
  if (!(cidr instanceof Cidr)) return undefined;
  const wanted = typeof ip === "string" ? parseIP(ip) : ip;
  if (wanted instanceof Ip) return cidr.contains(wanted.bytes);
  return wanted instanceof CelError ? new CelError("no such overload") : undefined;
}

function containsCIDR(cidr: Value, other: Value): Value | undefined {
  if (!(cidr instanceof Cidr)) return undefined;
  const wanted = typeof other === "string" ? parseCIDR(other) : other;
  if (wanted instanceof CelError) return wanted;
  if (!(wanted instanceof Cidr)) return undefined;
  return cidr.bits <= wanted.bits && cidr.contains(wanted.bytes);
}

export const network: Library = {
  ip(value) {
    if (value instanceof Cidr) return new Ip(value.bytes);
    return typeof value === "string" ? parseIP(value) : undefined;
  },
  isIP: (value) => (typeof value === "string" ? parseIP(value) instanceof Ip : undefined),
  "ip.isCanonical"(value) {
    if (typeof value !== "string") return undefined;
    const ip = parseIP(value);
    return ip instanceof Ip ? ip.text === value : ip;
  },
  family: onIP((bytes) => (bytes.length === 4 ? 4n : 6n)),
  isUnspecified: onIP(isZero),
  isLoopback: onIP(isLoopback),
  isLinkLocalMulticast: onIP(isLinkLocalMulticast),
  isLinkLocalUnicast: onIP(isLinkLocal),
  isGlobalUnicast: onIP(isGlobal),
  cidr: (value) => (typeof value === "string" ? parseCIDR(value) : undefined),
  isCIDR: (value) => (typeof value === "string" ? parseCIDR(value) instanceof Cidr : undefined),
  containsIP,
  containsCIDR,
  masked: (value) => (value instanceof Cidr ? value.masked : undefined),
  prefixLength: (value) => (value instanceof Cidr ? BigInt(value.bits) : undefined),
};
