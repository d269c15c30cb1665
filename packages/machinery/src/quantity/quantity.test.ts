/**
 * Quantities: cases as upstream answers them (taken from k8s.io/apimachinery/pkg/api/resource by
 * running it).
 */
import { describe, expect, test } from "vitest";
import { milliQuantityOf, parseQuantity, QuantityError, quantityOf } from "./quantity.ts";

describe("canonical text", () => {
  test.for([
    ["0", "0"],
    ["1.5", "1500m"],
    ["1.500", "1.500"], // Upstream keeps a text it takes for canonical.
    ["0.5", "500m"],
    [".5", "500m"],
    ["1000m", "1"],
    ["1024Ki", "1Mi"],
    ["1.5Gi", "1536Mi"],
    ["12Mi", "12Mi"],
    ["0.1m", "100u"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["1e3", "1e3"],
    ["1e4", "10e3"],
    ["1E3", "1E3"],
    ["+5", "+5"],
    ["-5", "-5"],
    ["1000000", "1M"],
    ["100k", "100k"],
    ["9223372036854775808Ki", "9223372036854775807"],
    [".02Pi", "22517998136852480m"],
    ["03513Pi", "3513Pi"],
    ["1000E", "1"], // Upstream has no unit beyond E and prints none.
    ["1e1000000000", "10e999999999"],
  ] as [string, string][])("%s is %s", ([text, canonical]) => {
    expect(parseQuantity(text).toString()).toBe(canonical);
  });

  test("exponents beyond any memory are compared all the same", () => {
    const huge = parseQuantity("1e1000000000");
    expect(huge.cmp(parseQuantity("1E"))).toBe(1);
    expect(huge.cmp(parseQuantity("10e999999999"))).toBe(0);
  });
});

const formatText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

test.for([
  ["", formatText],
  ["abc", formatText],
  ["1 Gi", formatText],
  ["1i", "unable to parse quantity's suffix"],
  ["1KiB", formatText],
  ["Ei", "unable to parse numeric part of quantity"],
])("%j is refused", ([text, message]) => {
  expect(() => parseQuantity(text!)).toThrow(new QuantityError(message!));
});

describe("arithmetic", () => {
  test("adds across formats in the first one's, or the other's when it is zero", () => {
    expect(parseQuantity("1Gi").add(parseQuantity("500m")).toString()).toBe("1073741824500m");
    expect(parseQuantity("0").add(parseQuantity("1Gi")).toString()).toBe("1Gi");
    expect(parseQuantity("2").sub(parseQuantity("500m")).toString()).toBe("1500m");
    expect(parseQuantity("100m").add(parseQuantity("900m")).toString()).toBe("1");
    expect(parseQuantity("250m").mul(4).toString()).toBe("1");
  });

  test("compares values, not texts", () => {
    expect(parseQuantity("1").cmp(parseQuantity("1000m"))).toBe(0);
    expect(parseQuantity("1Ki").cmp(parseQuantity("1k"))).toBe(1);
    expect(parseQuantity("-1").cmp(parseQuantity("1n"))).toBe(-1);
    expect(parseQuantity("0m").isZero()).toBe(true);
  });

  test("rounds away from zero", () => {
    expect(parseQuantity("1m").value()).toBe(1);
    expect(parseQuantity("1500m").value()).toBe(2);
    expect(parseQuantity("-1500m").value()).toBe(-2);
    expect(parseQuantity("1u").milliValue()).toBe(1);
    expect(parseQuantity("1.5").milliValue()).toBe(1500);
    expect(parseQuantity("100E").scaledValue(0)).toBe(2n ** 63n - 1n);
    expect(quantityOf(2048, "BinarySI").toString()).toBe("2Ki");
    expect(milliQuantityOf(1500).toString()).toBe("1500m");
  });
});
