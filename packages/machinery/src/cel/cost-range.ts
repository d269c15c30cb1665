/**
 * Ranges of sizes and costs. All are whole and not negative; what is beyond 64 bits stays there.
 *
 * Source  cel-go checker/cost.go SizeEstimate, CostEstimate
 */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const most = 2 ** 64;
export const unknownSize: Range = { min: 0, max: most };
export const zero: Range = { min: 0, max: 0 };
export const exactly = (size: number): Range => ({ min: size, max: size });

const held = (value: number): number => Math.min(value, most);

export function plus(a: Range, b: Range): Range {
  return { min: held(a.min + b.min), max: held(a.max + b.max) };
}
export function times(a: Range, b: Range): Range {
  return { min: held(a.min * b.min), max: held(a.max * b.max) };
}
/** Rounded up. */
export function scale(a: Range, factor: number): Range {
  return { min: held(Math.ceil(a.min * factor)), max: held(Math.ceil(a.max * factor)) };
}
export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
export function sum(ranges: readonly Range[]): Range {
  return ranges.reduce(plus, zero);
}
