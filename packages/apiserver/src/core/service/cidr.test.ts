import { describe, expect, test } from "vitest";
import { addressIn, holds, isAllocatable, parseRange, parseRanges } from "./cidr.ts";

const told = (cidr: string) => {
  const range = parseRange(cidr);
  const text = (value: bigint) => addressIn(range, value);
  return [text(range.first), text(range.dynamicFrom), text(range.last)];
};

describe("ranges", () => {
  // First and last address, and where chosen ones begin: as upstream's allocator keeps them.
  test.for([
    ["10.96.0.0/28", "10.96.0.1", "10.96.0.1", "10.96.0.14"],
    ["10.96.0.0/24", "10.96.0.1", "10.96.0.17", "10.96.0.254"],
    ["10.96.0.0/16", "10.96.0.1", "10.96.1.1", "10.96.255.254"],
    ["10.96.7.9/16", "10.96.0.1", "10.96.1.1", "10.96.255.254"],
    ["fd00:96::/112", "fd00:96::1", "fd00:96::101", "fd00:96::ffff"],
    ["fd00:96::/64", "fd00:96::1", "fd00:96::101", "fd00:96::ffff:ffff:ffff:ffff"],
  ] as const)("%s", ([cidr, ...expected]) => {
    expect(told(cidr)).toEqual(expected);
  });

  test("an address is in a range of its own family only", () => {
    const [four, six] = parseRanges("10.96.0.0/16,fd00:96::/112");
    expect(holds(four!, "10.96.255.254")).toBe(true);
    expect(holds(four!, "10.96.255.255")).toBe(false);
    expect(holds(four!, "10.96.0.0")).toBe(false);
    expect(holds(six!, "fd00:96::ffff")).toBe(true);
    expect(holds(six!, "fd00:96::")).toBe(false);
    expect(holds(six!, "10.96.0.5")).toBe(false);
    expect(holds(four!, "a")).toBe(false);
  });

  test("an IPv6 range larger than a /64 gives nothing out", () => {
    expect(isAllocatable(parseRange("fd00::/63"))).toBe(false);
    expect(isAllocatable(parseRange("fd00::/64"))).toBe(true);
    expect(isAllocatable(parseRange("10.0.0.0/8"))).toBe(true);
  });

  test.for(["", "10.0.0.0", "10.0.0.0/33", "fd00::/129", "a/8", "10.0.0/8"])(
    "%s is none",
    (text) => {
      expect(() => parseRange(text)).toThrow(`invalid CIDR address: ${text}`);
    },
  );
});
