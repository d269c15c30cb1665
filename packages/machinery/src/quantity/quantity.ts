/**
 * Quantities: exact fixed-point numbers with a unit, as `resources.requests.cpu` holds them.
 *
 * A Quantity is a value: its operations return a new one. It remembers in which of three
 * notations it was written, and prints in that notation's canonical form: no fraction, the
 * largest unit that loses nothing.
 *
 * Shapes  amount     mantissa × 10^scale, exact, of any size
 *         format     DecimalSI 12M, BinarySI 12Mi, DecimalExponent 12e6
 *         value()    whole units, rounded away from zero, held within 64 bits (upstream
 *                    overflows there)
 * Errors  QuantityError with upstream's texts
 * Source  k8s.io/apimachinery/pkg/api/resource/quantity.go, amount.go, suffix.go
 */
import { alignable, compareAmounts, pow10, roundAway, withoutFactors } from "./amount.ts";
import { type Format, interpretSuffix, suffixFor } from "./suffix.ts";

export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QuantityError";
  }
}

const formatText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const shape = /^([+-]?)(0*)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;

const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);
/** Digits that always fit an int64: upstream's limit for its fast form. */
const int64Digits = 18;
const nano = -9;

export class Quantity {
  readonly format: Format;
  readonly #mantissa: bigint;
  readonly #scale: number;
  #text: string | undefined;

  /** `text` when the canonical form is known already. */
  constructor(mantissa: bigint, scale: number, format: Format, text?: string) {
    this.#mantissa = mantissa;
    this.#scale = scale;
    this.format = format;
    this.#text = text;
  }

  /** -1, 0 or 1. */
  cmp(other: Quantity): number {
    return compareAmounts(this.#mantissa, this.#scale, other.#mantissa, other.#scale);
  }

  equals(other: Quantity): boolean {
    return this.cmp(other) === 0;
  }

  isZero(): boolean {
    return this.#mantissa === 0n;
  }

  sign(): number {
    if (this.#mantissa === 0n) return 0;
    return this.#mantissa > 0n ? 1 : -1;
  }

  /** The sum, in this one's format unless this one is zero. */
  add(other: Quantity): Quantity {
    const format = this.isZero() ? other.format : this.format;
    if (other.isZero()) return new Quantity(this.#mantissa, this.#scale, format);
    if (this.isZero()) return new Quantity(other.#mantissa, other.#scale, format);
    if (!alignable(this.#scale, other.#scale)) {
      throw new QuantityError("quantities are too far apart to be added");
    }
    const scale = Math.min(this.#scale, other.#scale);
    const sum =
      this.#mantissa * pow10(this.#scale - scale) + other.#mantissa * pow10(other.#scale - scale);
    return new Quantity(sum, scale, format);
  }

  sub(other: Quantity): Quantity {
    return this.add(other.neg());
  }

  neg(): Quantity {
    return new Quantity(-this.#mantissa, this.#scale, this.format);
  }

  /** Times a whole number. */
  mul(factor: bigint | number): Quantity {
    return new Quantity(this.#mantissa * BigInt(factor), this.#scale, this.format);
  }

  /** Rounded away from zero to a multiple of 10^scale. */
  roundUp(scale: number): Quantity {
    if (this.#scale >= scale) return this;
    const { result } = roundAway(this.#mantissa, scale - this.#scale);
    return new Quantity(result, scale, this.format);
  }

  /** Whole units, rounded away from zero. A float above 2^53; scaledValue(0) is exact. */
  value(): number {
    return Number(this.scaledValue(0));
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): number {
    return Number(this.scaledValue(-3));
  }

  /**
   * Multiples of 10^scale, rounded away from zero; what 64 bits do not hold is held at their end.
   */
  scaledValue(scale: number): bigint {
    const shift = this.#scale - scale;
    if (this.#mantissa === 0n) return 0n;
    if (shift > 40) return this.#mantissa > 0n ? maxInt64 : minInt64;
    const result =
      shift >= 0 ? this.#mantissa * pow10(shift) : roundAway(this.#mantissa, -shift).result;
    if (result > maxInt64) return maxInt64;
    return result < minInt64 ? minInt64 : result;
  }

  /** As a float, which may lose precision. */
  asApproximateFloat(): number {
    const base = Number(this.#mantissa);
    if (this.#scale === 0) return base;
    return this.#scale > 0 ? base * 10 ** this.#scale : base / 10 ** -this.#scale;
  }

  /** The canonical text. */
  toString(): string {
    this.#text ??= this.#canonical();
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }

  #canonical(): string {
    if (this.isZero()) return "0";
    if (this.format === "BinarySI") {
      const small =
        compareAmounts(this.#mantissa, this.#scale, -1024n, 0) > 0 &&
        compareAmounts(this.#mantissa, this.#scale, 1024n, 0) < 0;
      const whole = this.#scale >= 0 || roundAway(this.#mantissa, -this.#scale).exact;
      if (!small && whole) return this.#canonicalBinary();
      return this.#canonicalDecimal("DecimalSI");
    }
    return this.#canonicalDecimal(this.format);
  }

  #canonicalDecimal(format: Format): string {
    const { rest, times } = withoutFactors(this.#mantissa, 10n);
    let exponent = this.#scale + times;
    const excess = ((exponent % 3) + 3) % 3;
    exponent -= excess;
    return `${rest * pow10(excess)}${suffixFor(format, exponent)}`;
  }

  #canonicalBinary(): string {
    const whole =
      this.#scale >= 0
        ? this.#mantissa * pow10(this.#scale)
        : roundAway(this.#mantissa, -this.#scale).result;
    const { rest, times } = withoutFactors(whole, 1024n);
    return `${rest}${suffixFor("BinarySI", times * 10)}`;
  }
}

interface Parts {
  negative: boolean;
  num: string;
  denom: string;
  /** Upstream's fast form takes a unit without a number as zero, its exact form refuses it. */
  hasDigits: boolean;
  base: 2 | 10;
  exponent: number;
  format: Format;
}

function split(text: string): Parts {
  const match = shape.exec(text);
  if (match === null) throw new QuantityError(formatText);
  const suffix = interpretSuffix(match[5]!);
  if (suffix === undefined) throw new QuantityError("unable to parse quantity's suffix");
  return {
    negative: match[1] === "-",
    num: match[3] === "" ? "0" : match[3]!,
    denom: match[4] ?? "",
    hasDigits: `${match[2]}${match[3]}${match[4] ?? ""}` !== "",
    ...suffix,
  };
}

/** A cluster says few quantities often, and they are values: each is read once. */
const maxRemembered = 4096;
const remembered = new Map<string, Quantity>();

/** @throws QuantityError when the text is not a quantity. */
export function parseQuantity(text: string): Quantity {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const quantity = readQuantity(text);
  if (remembered.size >= maxRemembered) remembered.clear();
  if (text.length <= 32) remembered.set(text, quantity);
  return quantity;
}

function readQuantity(text: string): Quantity {
  if (text === "0") return new Quantity(0n, 0, "DecimalSI", text);
  if (text === "") throw new QuantityError(formatText);
  const parts = split(text);
  return parseSmall(parts, text) ?? parseBig(parts);
}

/**
 * What fits upstream's int64 form; there a text that is canonical already is kept as it was
 * written.
 */
function parseSmall(parts: Parts, text: string): Quantity | undefined {
  const { num, denom, base, exponent, format } = parts;
  const scale = (base === 10 ? exponent : 0) - denom.length;
  let precision: number;
  if (base === 10) precision = int64Digits - (num.length + denom.length);
  else if (denom.length === 0) precision = 15 - num.length - Math.trunc((exponent * 3) / 10) - 1;
  else precision = -1;
  if (precision < 0 || scale < nano) return undefined;

  const shifted = num + denom;
  const written = BigInt(shifted);
  const factor = base === 2 ? 2n ** BigInt(exponent) : 1n;
  const mantissa = (parts.negative ? -written : written) * factor;
  const canonical =
    base === 2
      ? (written & 7n) !== 0n
      : scale % 3 === 0 && !shifted.endsWith("000") && !shifted.startsWith("0");
  return new Quantity(mantissa, scale, format, canonical ? text : undefined);
}

function parseBig(parts: Parts): Quantity {
  const { num, denom, base, exponent } = parts;
  if (!parts.hasDigits) throw new QuantityError("unable to parse numeric part of quantity");
  let { format } = parts;
  let mantissa = BigInt(num + denom);
  let scale = -denom.length;
  if (base === 10) scale += exponent;
  else mantissa *= 2n ** BigInt(exponent);
  if (scale < nano) {
    // Whoever asks for a little gets a little: never rounded down to nothing.
    mantissa = nano - scale > num.length + denom.length ? ceilTiny(mantissa) : mantissa;
    if (nano - scale <= num.length + denom.length) {
      mantissa = roundAway(mantissa, nano - scale).result;
    }
    scale = nano;
  }
  if (format === "BinarySI") {
    if (compareAmounts(mantissa, scale, maxInt64, 0) > 0) {
      mantissa = maxInt64;
      scale = 0;
    }
    const belowOne = mantissa > 0n && compareAmounts(mantissa, scale, 1n, 0) < 0;
    if (belowOne) format = "DecimalSI";
  }
  return new Quantity(parts.negative ? -mantissa : mantissa, scale, format);
}

function ceilTiny(mantissa: bigint): bigint {
  return mantissa === 0n ? 0n : 1n;
}

/** A whole number of units. */
export function quantityOf(value: number | bigint, format: Format = "DecimalSI"): Quantity {
  return new Quantity(BigInt(value), 0, format);
}

/** A number of thousandths. */
export function milliQuantityOf(value: number | bigint, format: Format = "DecimalSI"): Quantity {
  return new Quantity(BigInt(value), -3, format);
}
