/**
 * Units of quantities: n u m k M G T P E, Ki Mi Gi Ti Pi Ei, e3.
 *
 * Source  k8s.io/apimachinery/pkg/api/resource/suffix.go
 */

export type Format = "DecimalExponent" | "BinarySI" | "DecimalSI";

const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binary: Readonly<Record<string, number>> = {
  Ki: 10,
  Mi: 20,
  Gi: 30,
  Ti: 40,
  Pi: 50,
  Ei: 60,
};

const invert = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([suffix, exponent]) => [exponent, suffix]));
const decimalSuffix = invert(decimal);
const binarySuffix = invert(binary);

export interface Suffix {
  base: 2 | 10;
  exponent: number;
  format: Format;
}

const exponential = /^[eE]([+-]?\d+)$/;
const maxInt64 = 2n ** 63n - 1n;

/** undefined when it is no unit. */
export function interpretSuffix(suffix: string): Suffix | undefined {
  if (Object.hasOwn(decimal, suffix)) {
    return { base: 10, exponent: decimal[suffix]!, format: "DecimalSI" };
  }
  if (Object.hasOwn(binary, suffix)) {
    return { base: 2, exponent: binary[suffix]!, format: "BinarySI" };
  }
  const match = exponential.exec(suffix);
  if (match === null) return undefined;
  const exponent = BigInt(match[1]!.replace("+", ""));
  if (exponent > maxInt64 || exponent < -maxInt64 - 1n) return undefined;
  // Upstream keeps 32 bits of the exponent.
  return { base: 10, exponent: Number(BigInt.asIntN(32, exponent)), format: "DecimalExponent" };
}

/**
 * The unit of 10^exponent (2^exponent for BinarySI); empty when there is none, as upstream prints
 * it.
 */
export function suffixFor(format: Format, exponent: number): string {
  if (format === "BinarySI") return binarySuffix.get(exponent) ?? "";
  if (format === "DecimalSI") return decimalSuffix.get(exponent) ?? "";
  return exponent === 0 ? "" : `e${exponent}`;
}
