/**
 * Exact decimal amounts: mantissa × 10^scale, both whole numbers.
 *
 * Nothing here grows with the exponent alone: `1e1000000000` is compared without being written out.
 *
 * Source  k8s.io/apimachinery/pkg/api/resource/math.go, gopkg.in/inf.v0
 */

const powers: bigint[] = Array.from({ length: 40 }, (_, i) => 10n ** BigInt(i));

export function pow10(n: number): bigint {
  return powers[n] ?? 10n ** BigInt(n);
}

/**
 * Scales further apart than this belong to no real quantity; aligning them would only fill memory.
 */
const maxScaleDistance = 10_000;

export function alignable(a: number, b: number): boolean {
  return Math.abs(a - b) <= maxScaleDistance;
}

function digits(n: bigint): number {
  return (n < 0n ? -n : n).toString().length;
}

function signOf(n: bigint): number {
  if (n === 0n) return 0;
  return n > 0n ? 1 : -1;
}

/** -1, 0 or 1. */
export function compareAmounts(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const sign = signOf(a);
  if (sign !== signOf(b)) return sign < signOf(b) ? -1 : 1;
  if (sign === 0) return 0;
  if (aScale === bScale) return a === b ? 0 : a < b ? -1 : 1;
  const aMagnitude = digits(a) + aScale;
  const bMagnitude = digits(b) + bScale;
  if (aMagnitude !== bMagnitude) return aMagnitude < bMagnitude ? -sign : sign;
  const scale = Math.min(aScale, bScale);
  const left = a * pow10(aScale - scale);
  const right = b * pow10(bScale - scale);
  return left === right ? 0 : left < right ? -1 : 1;
}

/** n / 10^places, rounded away from zero. */
export function roundAway(n: bigint, places: number): { result: bigint; exact: boolean } {
  const divisor = pow10(places);
  const result = n / divisor;
  if (n % divisor === 0n) return { result, exact: true };
  return { result: n < 0n ? result - 1n : result + 1n, exact: false };
}

/** n with every factor of `base` taken out, and how many there were. */
export function withoutFactors(n: bigint, base: bigint): { rest: bigint; times: number } {
  let rest = n;
  let times = 0;
  while (rest !== 0n && rest % base === 0n) {
    rest /= base;
    times++;
  }
  return { rest, times };
}
